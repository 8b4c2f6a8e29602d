"""Requests and replies over connections that are kept: httpcore's HTTP on sockets of ours."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Iterator, Mapping

import httpcore

from voicestream.errors import IncompleteReplyError
from voicestream.redact import redacted
from voicestream.settings.proxy import ProxyAddress
from voicestream.speech.base import Call
from voicestream.speech.http.connect import HttpConnection
from voicestream.speech.http.limits import Timeouts
from voicestream.speech.http.request import USUAL_PORTS, EarlyRequest, Target

ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
"""All that a request can raise before its reply begins."""
_BROKEN = (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError)
_NEAR_BYTES = 128
"""A length that is wrong by the size of a header is untidy, and no loss."""


class HttpResponse:
    """An answer whose head is here. Used by one thread.

    Attributes:
        status: the HTTP status.
        headers: names in lower case; repeated ones are joined with commas.
        received_bytes: of the body, as it came over the wire.
    """

    def __init__(
        self, response: httpcore.Response, connection: HttpConnection, transport: Transport
    ) -> None:
        self._response = response
        self._connection = connection
        self._transport = transport
        self._closed = False
        self.status = response.status
        self.headers = _headers(response.headers)
        self.received_bytes = 0

    @property
    def sent_at_s(self) -> float:
        """When the request was on the wire (``time.monotonic()``)."""
        stream = self._connection.connector.stream
        return stream.sent_at_s if stream is not None else 0.0

    def allow(self, wait_s: float) -> None:
        """Bound all waiting for the body, from now until the next ``allow``, to ``wait_s``."""
        if (stream := self._connection.connector.stream) is not None:
            stream.allow(wait_s)

    def iter_raw(self) -> Iterator[bytes]:
        """Yield the body's bytes as they come, still compressed if they are.

        Raises:
            IncompleteReplyError: it stopped, or broke off.
        """
        try:
            for piece in self._response.iter_stream():
                self.received_bytes += len(piece)
                yield piece
            self._transport.tidy = True
            self.close()  # its connection may carry the next request
        except httpcore.TimeoutException as error:
            raise IncompleteReplyError(
                f"the reply stopped after {self.received_bytes} bytes",
                "the server sent nothing more",
            ) from error
        except ERRORS as error:
            broken = IncompleteReplyError(
                f"the reply broke off after {self.received_bytes} bytes", str(error)
            )
            broken.untidy = self._untidy(error)
            raise broken from error

    def _untidy(self, error: Exception) -> bool:
        """Return whether the other side just closed, has not announced much more, and never
        ended a reply as it should: from one that does, this is a reply cut short."""
        closed = isinstance(error, httpcore.RemoteProtocolError) or isinstance(
            error.__cause__, ssl.SSLEOFError
        )
        announced = self.headers.get("content-length", "")
        missing = int(announced) - self.received_bytes if announced.isdecimal() else 0
        return closed and missing <= _NEAR_BYTES and not self._transport.tidy

    def close(self) -> None:
        """Give the connection back; before the body's end that closes it."""
        if not self._closed:
            self._closed = True
            self._response.close()
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
            ERRORS: of httpcore.
        """
        return self._ask(self._request("POST", path, headers, body), body, call)

    def get(self, path: str, headers: Mapping[str, str]) -> HttpResponse:
        """Ask for what is there, and return when the head of the answer is here; see ``post``."""
        return self._ask(self._request("GET", path, headers, b""), b"", None)

    def _ask(self, request: httpcore.Request, body: bytes, call: Call | None) -> HttpResponse:
        connection = self._connection(body)
        kept = connection.idle
        try:
            return self._send(connection, request, call)
        except _BROKEN:
            if not kept or (call is not None and call.cancelled):
                raise
        self._drop_idle()
        return self._send(self._connection(body), request, call)

    def _send(
        self, connection: HttpConnection, request: httpcore.Request, call: Call | None
    ) -> HttpResponse:
        try:
            connection.connector.serve(call)
            response = connection.send(request)
        except BaseException:
            connection.close()
            self.give_back(connection)
            raise
        return HttpResponse(response, connection, self)

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> httpcore.Request:
        target, timeouts = self._target, self._timeouts
        port = None if target.port == USUAL_PORTS.get(target.scheme) else target.port
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=port, target=path)
        lines = {"host": target.authority, **headers}
        if method == "POST":
            lines["content-length"] = str(len(body))
        waits = {
            "connect": timeouts.connect_s,
            "read": timeouts.read_s,
            "write": timeouts.read_s,
            "pool": timeouts.read_s,
        }
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in lines.items()]
        return httpcore.Request(
            method, url, headers=encoded, content=body, extensions={"timeout": waits}
        )

    def _connection(self, body: bytes) -> HttpConnection:
        """Return the connection for one request: the early one if this was asked for there
        already, or nothing was yet. Nobody else may write there: what they write would go
        nowhere."""
        with self._lock:
            if self._aborted:
                raise httpcore.ConnectError("given up")
            if self._early is not None and self._early.body in (body, None):
                early, self._early = self._early, None
                connection = HttpConnection(self._target, self._proxy, early)
            elif self._idle:
                connection = self._idle.pop()
            else:
                connection = HttpConnection(self._target, self._proxy)
            self._busy.append(connection)
            return connection

    def give_back(self, connection: HttpConnection) -> None:
        """Take back a connection that has carried its request."""
        connection.connector.serve(None)
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
            connection.connector.abort()
        for connection in idle:  # nothing is under way: an end like any other
            connection.close()

    def close(self) -> None:
        """End all there is, and give it back."""
        self.abort()
        with self._lock:
            lines = [*self._busy, *self._idle]
        for connection in lines:
            connection.close()


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), _decoded(value)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


class _WithoutKeys(logging.Filter):
    """What httpcore logs for its debugging holds what servers wrote: they may repeat a key."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), ()
        return True


for _part in ("connection", "http11", "proxy", "socks"):
    logging.getLogger(f"httpcore.{_part}").addFilter(_WithoutKeys())
