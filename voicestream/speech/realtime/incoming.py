"""What a Realtime API sends over one WebSocket, message by message until its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from voicestream.errors import ConnectionFailedError, EndpointError, ReplyError
from voicestream.speech.realtime.frames import (
    CLOSE,
    NORMAL,
    PING,
    PONG,
    FrameError,
    FrameReader,
    Message,
    close_frame,
    masked,
)
from voicestream.speech.realtime.wire import Wire

MAX_MESSAGE_BYTES = 8 << 20
"""One message of the server: 2 minutes of speech in base64. Larger ones end the connection."""
SEND_S = 5.0
_PASSING = frozenset({1000, 1001, 1006, 1011, 1012, 1013, 1014})
"""Closing codes that say nothing of the request (RFC 6455, 7.4.1, and IANA's registry)."""


class Incoming:
    """Reads a socket, and answers what belongs to the protocol alone. The reader's thread.

    Args:
        failure: makes the error for what the server reports.
        hide: takes what is secret out of the server's words.
    """

    def __init__(
        self,
        wire: Wire,
        failure: Callable[[dict[str, Any], float | None], EndpointError],
        hide: Callable[[str], str],
    ) -> None:
        self._wire = wire
        self._failure = failure
        self._hide = hide
        self._understood = False
        self.heard_at_s = time.monotonic()
        """When anything came last."""

    def read(self, data: bytes, take: Callable[[bytes], None]) -> EndpointError:
        """Read and hand out until the end; return what it ended with.

        Args:
            data: what has come already.
            take: gets each message; raises ValueError where it is no event.
        """
        reader = FrameReader(MAX_MESSAGE_BYTES)
        while data:
            try:
                for message in reader.feed(data):
                    if message.kind == CLOSE:
                        self._tell(close_frame(message.close_code or NORMAL))
                        return self._closed(message)
                    if message.kind == PING:
                        self._tell(masked(PONG, message.data))
                    elif message.kind != PONG:
                        take(message.data)
                        self._understood = True
            except FrameError as error:
                self._tell(close_frame(error.code))
                return self._not_understood(str(error))
            except ValueError as error:
                return self._not_understood(f"a message is no event: {error}")
            data = self._wire.receive()
            self.heard_at_s = time.monotonic()
        return self._ended("without a closing message")

    def _tell(self, data: bytes) -> None:
        try:
            self._wire.send(data, SEND_S)
        except OSError:
            pass  # reading ends too, and says so

    def _closed(self, close: Message) -> EndpointError:
        reason = self._hide(close.close_reason)
        if reason and close.close_code not in _PASSING:
            return self._failure({"code": reason}, None)
        code = "" if close.close_code is None else f"{close.close_code} "
        return self._ended(f"closed by the server ({code}{reason}".strip() + ")")

    def _ended(self, why: str) -> EndpointError:
        return ConnectionFailedError("the connection to the endpoint ended", why, "Try again.")

    def _not_understood(self, why: str) -> EndpointError:
        """Nothing on this connection can be relied on any more; another may be well."""
        if self._understood:
            return ConnectionFailedError("the connection to the endpoint is broken", why)
        return ReplyError("the endpoint does not speak the Realtime protocol", why)
