"""A Realtime API on a real WebSocket that answers as scripted, badly if it should.

The order and the shapes of its events are those of ``openai/types/realtime``.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from tests.support.realtime_events import Asked, End, Step, _response_event

_RESET = struct.pack("ii", 1, 0)


_TEXT = re.compile(r"<(read-*)>\n(.*)\n</\1>", re.S)


_POLL_S = 0.01


SILENT = logging.Logger("scripted realtime server", logging.CRITICAL)
"""The library would log what clients send, their keys too, which is nothing of ours."""


Answer = Callable[[Asked], Iterable[Step]]


class RealtimeServer:
    """Answers every ``response.create`` in a thread of its own.

    Args:
        answer: the steps of a response.
        on_session: an error to answer ``session.update`` with, if any.
        refuse: ``(status, body)`` to answer the handshake with instead of a WebSocket.
        tls: a context to speak ``wss`` with.
    """

    def __init__(
        self,
        answer: Answer,
        *,
        on_session: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda _: None,
        refuse: Callable[[Request], tuple[int, bytes] | None] = lambda _: None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.asked: list[Asked] = []
        """Every request, in the order in which they came."""
        self.sessions: list[dict[str, Any]] = []
        """Every ``session.update``."""
        self.events: list[dict[str, Any]] = []
        """Every event of clients."""
        self.handshakes: list[Request] = []
        self._answer = answer
        self._on_session = on_session
        self._refuse = refuse
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._open: list[ServerConnection] = []
        self._server: Server = serve(
            self._converse,
            "127.0.0.1",
            0,
            ssl=tls,
            process_request=self._meet,
            compression=None,
            close_timeout=0.2,
            logger=SILENT,
        )
        self.port: int = self._server.socket.getsockname()[1]
        self.url = f"{'wss' if tls else 'ws'}://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> RealtimeServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stopping.set()
        for connection in self._open:
            connection.socket.close()
        self._server.shutdown()

    def wait(self, happened: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Until something is so, as far as a request is concerned."""
        with self._changed:
            if not self._changed.wait_for(happened, timeout_s):
                raise TimeoutError(f"not within {timeout_s} s")

    def _meet(self, _: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request)
        refused = self._refuse(request)
        if refused is None:
            return None
        from websockets.datastructures import Headers

        status, body = refused
        headers = Headers({"content-type": "application/json", "content-length": str(len(body))})
        return Response(status, "So", headers, body)

    def _converse(self, connection: ServerConnection) -> None:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._changed:
            number = len(self._open)
            self._open.append(connection)
        wire = _Wire(connection)
        session: dict[str, Any] = {"voice": "", "speed": 1.0}
        wire.send({"type": "session.created", "session": {"type": "realtime"}})
        try:
            for message in connection:
                self._on_event(json.loads(message), wire, session, number)
        except (ConnectionClosed, OSError):
            pass  # the script has cut it, or the client has gone
        finally:
            wire.gone.set()
            with self._changed:
                self._changed.notify_all()

    def _on_event(
        self, event: dict[str, Any], wire: _Wire, session: dict[str, Any], number: int
    ) -> None:
        self.events.append(event)
        if event["type"] == "session.update":
            self.sessions.append(event)
            error = self._on_session(event)
            if error is not None:
                wire.send({"type": "error", "error": {"event_id": event["event_id"], **error}})
                return
            session |= event["session"]["audio"]["output"]
            wire.send({"type": "session.updated", "session": event["session"]})
        elif event["type"] == "response.create":
            asked = self._note(event, session, number)
            threading.Thread(target=self._respond, args=(asked, wire), daemon=True).start()
        elif event["type"] == "response.cancel":
            self._cancel(event["response_id"])

    def _note(self, event: dict[str, Any], session: dict[str, Any], number: int) -> Asked:
        given = event["response"]["input"][0]["content"][0]["text"]
        found = _TEXT.fullmatch(given)
        text = found[2] if found else given
        with self._changed:
            attempt = 1 + sum(asked.text == text for asked in self.asked)
            name = f"resp_{number}_{len(self.asked)}"
            asked = Asked(
                number,
                attempt,
                text,
                session.get("voice", ""),
                session.get("speed", 1.0),
                event,
                time.monotonic(),
                name,
            )
            self.asked.append(asked)
            self._changed.notify_all()
        return asked

    def _cancel(self, response_id: str) -> None:
        for asked in self.asked:
            if asked.response_id == response_id:
                asked.cancelled_s = time.monotonic()
                asked.cancelled.set()
        with self._changed:
            self._changed.notify_all()

    def _respond(self, asked: Asked, wire: _Wire) -> None:
        try:
            due_s = asked.at_s  # a server that fell behind catches up, as one of HTTP does
            for wait_s, what in self._answer(asked):
                due_s += wait_s
                if self._over(asked, wire, due_s):
                    break
                if isinstance(what, str):
                    self._end(what, wire)
                    break
                began_s = time.monotonic()
                wire.send(what)
                if isinstance(what, dict) and what["type"] == "response.output_audio.delta":
                    asked.first_delta_s = asked.first_delta_s or began_s
                    asked.sent_bytes += len(what["delta"]) * 3 // 4
            if asked.cancelled.is_set():
                wire.send(_response_event("response.done", asked, "cancelled", "client_cancelled"))
        except (ConnectionClosed, OSError):
            pass  # the client has gone
        with self._changed:
            asked.end_s = time.monotonic()
            self._changed.notify_all()

    def _over(self, asked: Asked, wire: _Wire, until_s: float) -> bool:
        """Wait; whether nobody wants the rest."""
        while True:
            if asked.cancelled.is_set() or self._stopping.is_set() or wire.gone.is_set():
                return True
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return False
            time.sleep(min(left_s, _POLL_S))

    def _end(self, how: End, wire: _Wire) -> None:
        if how == "stall":
            wire.gone.wait(60)
            return
        if how == "expire":
            error = {"code": "session_expired", "type": "invalid_request_error", "message": "60 m"}
            wire.send({"type": "error", "error": error})
            wire.close(1001)
            return
        if how == "reset":
            wire.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            wire.connection.socket.shutdown(socket.SHUT_RD)  # whoever reads would keep it open
            wire.connection.socket.close()
        wire.cut()


class _Wire:
    """One client's WebSocket; what is sent goes out whole."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.gone = threading.Event()
        self._lock = threading.Lock()
        self._count = 0

    def send(self, what: dict[str, Any] | bytes) -> None:
        with self._lock:
            self._count += 1
            if isinstance(what, bytes):
                self.connection.socket.sendall(what)
            else:
                self.connection.send(json.dumps({"event_id": f"event_{self._count}", **what}))

    def close(self, code: int) -> None:
        self.connection.close(code)

    def cut(self) -> None:
        """End the TCP connection without a closing message."""
        try:
            self.connection.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the reset has done it
