"""One WebSocket that carries the replies to many requests at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    ReplyError,
)
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http.request import NO_EXTRA
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
    text_frame,
)
from voicestream.speech.realtime.handshake import OpenSocket
from voicestream.speech.realtime.protocol import (
    FIRST_KEY,
    first_messages,
    read_event,
    response_cancel,
    response_create,
)
from voicestream.speech.realtime.responses import Response, Responses
from voicestream.speech.realtime.wire import Wire

MAX_MESSAGE_BYTES = 8 << 20
"""One message of the server: 2 minutes of speech in base64. Larger ones end the connection."""
_SEND_S = 5.0
_CANCEL_S = 0.2
"""How long telling the server of an end may take; then the connection is cut."""
_LINGER_S = 0.2
"""How long the server may take to answer the end."""
_PASSING = frozenset({1000, 1001, 1006, 1011, 1012, 1013, 1014})
"""Closing codes that say nothing of the request (RFC 6455, 7.4.1, and IANA's registry)."""
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
        self._failure = failure
        self._hide = hide
        self._asking = threading.Lock()  # what all share is told before the first request
        self._lock = threading.Lock()
        self._responses = Responses(lambda name: self._tell(response_cancel(name)), failure)
        # under the lock
        self._early: Response | None = None  # to what was sent with the handshake
        self._over = False
        # the reader
        self._understood = False
        self.heard_at_s = time.monotonic()
        """When anything came last."""
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
            self._wire.send(data, _SEND_S)
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
            error = self._read_on(begun or self._wire.receive())
        except Exception as failure:  # noqa: BLE001  a thread's entry: handed to all who wait
            error = ConnectionFailedError.unforeseen("the connection failed", failure)
        with self._lock:
            self._over = True
        self._responses.fail_all(error)
        self._wire.close()

    def _read_on(self, data: bytes) -> EndpointError:
        """Read and hand out until the end; return what it ended with."""
        reader = FrameReader(MAX_MESSAGE_BYTES)
        while data:
            try:
                for message in reader.feed(data):
                    if message.kind == CLOSE:
                        self._tell_raw(close_frame(message.close_code or NORMAL))
                        return self._closed(message)
                    if message.kind == PING:
                        self._tell_raw(masked(PONG, message.data))
                    elif message.kind != PONG:
                        self._take(message.data)
            except FrameError as error:
                self._tell_raw(close_frame(error.code))
                return self._not_understood(str(error))
            except ValueError as error:
                return self._not_understood(f"a message is no event: {error}")
            data = self._wire.receive()
            self.heard_at_s = time.monotonic()
        return self._ended("without a closing message")

    def _take(self, message: bytes) -> None:
        """Hand out one message.

        Raises:
            ValueError: it is no event.
        """
        event = read_event(message)
        self._understood = True
        self._responses.hand_out(event, self.heard_at_s)

    def _tell_raw(self, data: bytes) -> None:
        try:
            self._wire.send(data, _SEND_S)
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
