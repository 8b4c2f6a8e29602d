"""Connections to callers, over uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

WHOLE_S = 15.0
"""In which a request must be here, to the last byte of its body."""
_MAX_MESSAGE_BYTES = 1 << 23


class Connection(H11Protocol):
    """Drops who begins a request and does not end it; uvicorn would wait for ever."""

    whole_s = WHOLE_S

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._dropping: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._wait_no_more()
        elif self._dropping is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._dropping = self.loop.call_later(self.whole_s, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._dropping is not None:
            self._dropping.cancel()
            self._dropping = None


class Server(uvicorn.Server):
    """Serves ``app`` until a signal ends it.

    Args:
        ready: called once connections are accepted.
        tell: called with a line about a request that failed in a way that nobody foresaw.
    """

    def __init__(
        self, app: ASGIApp, ready: Callable[[], None], tell: Callable[[str], None]
    ) -> None:
        async def told(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            except Exception as error:
                tell(f"{scope['path']} failed: {error!r}")
                raise

        self._ready = ready
        super().__init__(
            uvicorn.Config(
                told,
                http=Connection,
                ws="websockets-sansio",
                ws_max_size=_MAX_MESSAGE_BYTES,
                lifespan="off",
                # it tells with tracebacks of callers that leave
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._ready()
