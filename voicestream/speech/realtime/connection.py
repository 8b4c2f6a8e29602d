"""One WebSocket that carries the replies to many requests at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from voicestream.errors import ConnectionFailedError, EndpointError
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http.request import NO_EXTRA
from voicestream.speech.realtime.frames import NORMAL, PING, close_frame, masked, text_frame
from voicestream.speech.realtime.handshake import OpenSocket
from voicestream.speech.realtime.incoming import SEND_S, Incoming
from voicestream.speech.realtime.protocol import (
    FIRST_KEY,
    first_messages,
    read_event,
    response_cancel,
    response_create,
)
from voicestream.speech.realtime.responses import Response, Responses
from voicestream.speech.realtime.wire import Wire

_CANCEL_S = 0.2
"""How long telling the server of an end may take; then the connection is cut."""
_LINGER_S = 0.2
"""How long the server may take to answer the end."""
_PING_AFTER_S = 20.0
"""After such a silence the server has to show that the connection still stands."""
_EARLY_BYTES = 32 << 20
"""The limit of a reply whose request is not known here yet."""


class RealtimeConnection:
    """Owns a socket that carries several responses. ``ask``, ``cancel`` and ``close`` may be called
    by any thread.

    Args:
        failure: makes the error for what the server reports.
        hide: takes what is secret out of the server's words.
    """

    def __init__(
        self,
        opened: OpenSocket,
        failure: Callable[[dict[str, Any], float | None], EndpointError],
        hide: Callable[[str], str] = lambda words: words,
        extra: Mapping[str, Any] = NO_EXTRA,
    ) -> None:
        self._extra = extra
        self._wire = Wire(opened.socket)
        self._sent = opened.sent
        self._incoming = Incoming(self._wire, failure, hide)
        self._asking = threading.Lock()  # what all share is told before the first request
        self._lock = threading.Lock()
        self._responses = Responses(lambda name: self._tell(response_cancel(name)), failure)
        # under the lock
        self._early: Response | None = None  # to what was sent with the handshake
        self._over = False
        # the reader
        self._asked = threading.Event()
        """Whose reply may come is known, and how large it may be: it can be read."""
        if opened.sent:
            self._early = self._responses.expect(_EARLY_BYTES)
            self._early.sent_at_s = opened.sent_at_s
        self._reader = threading.Thread(
            target=self._read, args=(opened.rest,), name="realtime", daemon=True
        )
        self._reader.start()

    @property
    def heard_at_s(self) -> float:
        """When anything came last."""
        return self._incoming.heard_at_s

    @property
    def usable(self) -> bool:
        """Whether another request can be made on it."""
        return not (self._over or self._responses.retired)

    def ask(self, request: SpeechRequest, limit_bytes: int) -> Response:
        """Send a request; its reply comes event by event.

        Raises:
            ConnectionFailedError: the connection is gone.
        """
        with self._asking:
            return self._ask(request, limit_bytes)

    def _ask(self, request: SpeechRequest, limit_bytes: int) -> Response:
        with self._lock:
            early = self._early
            if early is not None and self._sent == first_messages(request, self._extra):
                self._early = None
                early.limit_bytes = limit_bytes
                self._asked.set()
                return early
            self._asked.set()
            if self._over:
                raise ConnectionFailedError("the connection to the endpoint is gone")
            reply = self._responses.expect(limit_bytes)
        first = reply.key == FIRST_KEY
        messages: tuple[str, ...] = (response_create(request, reply.key),)
        if first:
            messages = first_messages(request, self._extra)
        data = b"".join(map(text_frame, messages))
        if time.monotonic() - self.heard_at_s > _PING_AFTER_S:
            data = masked(PING, b"") + data
        try:
            self._wire.send(data, SEND_S)
        except OSError as error:
            self.close()
            raise ConnectionFailedError(
                "the connection to the endpoint broke", str(error), "Try again."
            ) from error
        reply.sent_at_s = time.monotonic()
        return reply

    def cancel(self, reply: Response) -> None:
        """Tell the server that nothing more of a response is wanted: it need not make it."""
        if not self._over:
            self._responses.drop(reply)

    def close(self, *, cancel: bool = False) -> None:
        """End the connection; whoever waits for a reply goes on with an error.

        Args:
            cancel: tell the server to make no more of what is running.
        """
        with self._lock:
            if self._over:
                return
            self._over = True
        self._asked.set()
        running = self._responses.running()
        for response_id in running if cancel else ():
            self._tell(response_cancel(response_id))
        self._tell(None)
        if running and self._reader is not threading.current_thread():
            # a socket that is closed over sound that nobody read is reset, and what was told just
            # now may be lost with it: read until the server closes, too
            self._reader.join(_LINGER_S)
        self._wire.shut()

    def _tell(self, message: str | None) -> None:
        """Send a message that may as well get lost; None: the end (RFC 6455, 5.5.1)."""
        end = close_frame(NORMAL)
        try:
            self._wire.send(end if message is None else text_frame(message), _CANCEL_S)
        except OSError:
            pass  # gone already, or so full that cutting it says the same

    def _read(self, begun: bytes) -> None:
        """Read until the end of the connection. The reader's thread."""
        try:
            # what came with the handshake is bounded as its request says, which is not known yet
            self._asked.wait()
            error = self._incoming.read(begun or self._wire.receive(), self._take)
        except Exception as failure:  # noqa: BLE001  a thread's entry: handed to all who wait
            error = ConnectionFailedError.unforeseen("the connection failed", failure)
        with self._lock:
            self._over = True
        self._responses.fail_all(error)
        self._wire.close()

    def _take(self, message: bytes) -> None:
        """Hand out one message.

        Raises:
            ValueError: it is no event.
        """
        self._responses.hand_out(read_event(message), self.heard_at_s)
