"""Requests and replies over connections that are kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from voicestream.errors import IncompleteReplyError
from voicestream.settings.proxy import ProxyAddress
from voicestream.speech.base import Call
from voicestream.speech.http.connect import HttpConnection
from voicestream.speech.http.limits import Timeouts
from voicestream.speech.http.request import EarlyRequest, Target, request_bytes
from voicestream.speech.http.wire import (
    BrokenError,
    HttpReply,
    LateError,
    NoConnectionError,
    WireError,
)

_NEAR_BYTES = 128
"""A length that is wrong by the size of a header is untidy, and no loss."""


class HttpResponse:
    """An answer whose head is here. Used by one thread.

    Attributes:
        status: the HTTP status.
        headers: names in lower case; repeated ones are joined with commas.
        received_bytes: of the body, as it came over the wire.
    """

    def __init__(self, reply: HttpReply, connection: HttpConnection, transport: Transport) -> None:
        self._reply = reply
        self._connection = connection
        self._transport = transport
        self._closed = False
        self.status = reply.status
        self.headers = reply.headers
        self.received_bytes = 0

    @property
    def sent_at_s(self) -> float:
        """When the request was on the wire (``time.monotonic()``)."""
        return self._connection.sent_at_s

    def allow(self, wait_s: float) -> None:
        """Bound all waiting for the body, from now until the next ``allow``, to ``wait_s``."""
        self._connection.allow(wait_s)

    def iter_raw(self) -> Iterator[bytes]:
        """Yield the body's bytes as they come, still compressed if they are.

        Raises:
            IncompleteReplyError: it stopped, or broke off.
        """
        try:
            for piece in self._reply.body():
                self.received_bytes += len(piece)
                yield piece
            self._transport.tidy = True
        except LateError as error:
            raise IncompleteReplyError(
                f"the reply stopped after {self.received_bytes} bytes",
                "the server sent nothing more",
            ) from error
        except WireError as error:
            broken = IncompleteReplyError(
                f"the reply broke off after {self.received_bytes} bytes", str(error)
            )
            broken.untidy = self._untidy(error)
            raise broken from error
        finally:
            self.close()  # at its end the connection may carry the next request

    def _untidy(self, error: WireError) -> bool:
        """Return whether the other side just closed, has not announced much more, and never
        ended a reply as it should: from one that does, this is a reply cut short."""
        announced = self.headers.get("content-length", "")
        missing = int(announced) - self.received_bytes if announced.isdecimal() else 0
        ended = isinstance(error, BrokenError) and error.ended
        return ended and missing <= _NEAR_BYTES and not self._transport.tidy

    def close(self) -> None:
        """Give the connection back; before the body's end that closes it."""
        if not self._closed:
            self._closed = True
            self._connection.finish()
            self._transport.give_back(self._connection)


class Transport:
    """The connections to one endpoint; any thread may ask.

    Args:
        target: where requests go.
        early: the first request, sent already; it is answered there.
    """

    def __init__(
        self,
        target: Target,
        timeouts: Timeouts,
        proxy: ProxyAddress | None = None,
        early: EarlyRequest | None = None,
    ) -> None:
        self._target = target
        self._timeouts = timeouts
        self._passed_on = proxy is not None and proxy.passes_on(target.scheme)
        self._proxy = proxy
        self._early = early
        self._lock = threading.Lock()
        self._idle: list[HttpConnection] = []
        self._busy: list[HttpConnection] = []
        self._aborted = False
        self.tidy = False
        """A reply has ended as it should. Written by any thread that reads one."""

    def post(
        self, path: str, headers: Mapping[str, str], body: bytes, call: Call | None = None
    ) -> HttpResponse:
        """Ask, and return when the head of the answer is here.

        A kept connection that turns out to be dead is no failure: a new one is made, once.

        Args:
            path: of the URL, encoded.
            call: knows from now on how to give this request up.

        Raises:
            WireError: there is none.
        """
        return self._ask(path, headers, body, call)

    def get(self, path: str, headers: Mapping[str, str]) -> HttpResponse:
        """Ask for what is there, and return when the head of the answer is here; see ``post``."""
        return self._ask(path, headers, None, None)

    def _ask(
        self, path: str, headers: Mapping[str, str], body: bytes | None, call: Call | None
    ) -> HttpResponse:
        try:
            request = self._request(path, headers, body)
        except ValueError as error:
            raise NoConnectionError(f"it cannot be asked: {error}") from error
        connection = self._connection(path, body or b"")
        kept = connection.idle
        try:
            return self._send(connection, request, call)
        except BrokenError:
            if not kept or (call is not None and call.cancelled):
                raise
        self._drop_idle()
        return self._send(self._connection(path, body or b""), request, call)

    def _request(self, path: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        """Return a request as it goes over the wire. A proxy that passes on what is not encrypted
        is told the whole address."""
        target, proxy = self._target, self._proxy
        if proxy is None or not self._passed_on:
            return request_bytes(target, path, headers, body)
        if proxy.user or proxy.password:
            from base64 import b64encode

            login = b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
            headers = {"proxy-authorization": f"Basic {login}", **headers}
        return request_bytes(target, f"{target.scheme}://{target.authority}{path}", headers, body)

    def _send(self, connection: HttpConnection, request: bytes, call: Call | None) -> HttpResponse:
        try:
            connection.serve(call)
            reply = connection.send(request)
        except BaseException:
            connection.close()
            self.give_back(connection)
            raise
        return HttpResponse(reply, connection, self)

    def _connection(self, path: str, body: bytes) -> HttpConnection:
        """Return the connection for one request: the early one if this was asked for there
        already, or nothing was yet. Nobody else may write there: what they write would go
        nowhere."""
        with self._lock:
            if self._aborted:
                raise NoConnectionError("given up")
            if self._early is not None and self._early.asks(path, body):
                early, self._early = self._early, None
                connection = self._new(early)
            elif self._idle:
                connection = self._idle.pop()
            else:
                connection = self._new()
            self._busy.append(connection)
            return connection

    def _new(self, early: EarlyRequest | None = None) -> HttpConnection:
        if self._proxy is None or not self._passed_on:
            return HttpConnection(self._target, self._timeouts, self._proxy, early)
        proxy = Target(self._proxy.scheme, self._proxy.host, self._proxy.port, "")
        return HttpConnection(proxy, self._timeouts, None, early)

    def give_back(self, connection: HttpConnection) -> None:
        """Take back a connection that has carried its request."""
        connection.serve(None)
        with self._lock:
            self._busy.remove(connection)
            if connection.idle:
                self._idle.append(connection)

    def _drop_idle(self) -> None:
        """Close all idle connections once one of them turned out to be dead: the others (after a
        sleep, or behind a router that forgot them) are not tried one after the other."""
        with self._lock:
            dropped, self._idle = self._idle, []
        for connection in dropped:
            connection.close()

    def abort(self) -> None:
        """End every connection, now and from now on. Any thread."""
        with self._lock:
            self._aborted = True
            busy = list(self._busy)
            idle, self._idle = self._idle, []
            early, self._early = self._early, None
        if early is not None:
            early.abandon()  # nobody wanted it
        for connection in busy:
            connection.abort()
        for connection in idle:  # nothing is under way: an end like any other
            connection.close()

    def close(self) -> None:
        """End all there is, and give it back."""
        self.abort()
        with self._lock:
            lines = [*self._busy, *self._idle]
        for connection in lines:
            connection.close()
