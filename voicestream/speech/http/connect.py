"""Sockets under httpcore: one of them may carry a request already, and all can be ended at once."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from voicestream.settings.proxy import ProxyAddress
from voicestream.speech.base import Call
from voicestream.speech.http.request import CONNECT_S, EarlyRequest, Opening, Target
from voicestream.waiting import wait_ready

_KEEP_S = 120.0
"""How long an idle connection is kept: 5 s, as is usual, would pay for TCP and TLS again after
every pause of the writer."""
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


def reset(opened: socket.socket) -> None:
    """End a connection under whoever reads there; once it is closed the other side, which may
    wait for room to send more, is told that nothing more is wanted. Any thread."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        # an SSLSocket of Python would forget its TLS first, and hand out what is encrypted
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
    except OSError:
        pass  # closed already, which is what was wanted


class SocketStream(httpcore.NetworkStream):
    """A connected socket, TLS included.

    With ``sent_at_s`` the first request is on the wire already: what httpcore writes
    until it first reads is that same request, and goes nowhere.
    """

    def __init__(self, opened: socket.socket, sent_at_s: float | None = None) -> None:
        self._socket = opened
        self._swallow = sent_at_s is not None
        self._until_s: float | None = None
        self.sent_at_s = sent_at_s or 0.0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._swallow = False
        try:
            self._socket.settimeout(self._left_s(timeout))
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def allow(self, wait_s: float) -> None:
        """Bound all waiting for data, from now until the next ``allow``, to ``wait_s``."""
        self._until_s = time.monotonic() + wait_s

    def _left_s(self, timeout_s: float | None) -> float | None:
        """Return the wait that is left. All reads of a reply that begins may together wait as long
        as one, so that no drip holds us.

        Raises:
            TimeoutError: it is over.
        """
        if timeout_s is None:
            return None
        if self._until_s is None:
            self.allow(timeout_s)
        left_s = (self._until_s or 0.0) - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("nothing more came in time")
        return left_s

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._swallow or not buffer:
            return
        self._until_s = None
        try:
            self._socket.settimeout(timeout)
            self._socket.sendall(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error
        self.sent_at_s = time.monotonic()

    def close(self) -> None:
        self._socket.close()

    def shutdown(self) -> None:
        """Make whoever reads here get an end at once. Any thread."""
        reset(self._socket)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> SocketStream:
        if isinstance(self._socket, ssl.SSLSocket):
            return self  # `connect` has verified it
        try:
            self._socket.settimeout(timeout)
            self._socket = ssl_context.wrap_socket(
                self._socket, server_hostname=server_hostname, suppress_ragged_eofs=False
            )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._readable()
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        return self._socket if info == "socket" else None

    def _readable(self) -> bool:
        """Return whether there is something to read: then an idle connection was closed by the
        other side."""
        if self._socket.fileno() < 0:
            return True
        return bool(wait_ready([self._socket.fileno()], wait_s=0.0)) and not self._only_tickets()

    def _only_tickets(self) -> bool:
        """Return whether what came is no end and no data, but what TLS 1.3 servers send on their
        own."""
        if not isinstance(self._socket, ssl.SSLSocket):
            return False
        try:
            self._socket.settimeout(0)
            self._socket.recv(1)  # an end, or data that nobody asked for: of no more use
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        return False


class Connector(httpcore.NetworkBackend):
    """Opens one connection at a time, and knows how to end what goes on there.

    Used by the thread that asks; ``abort`` by any.

    Args:
        target: where to; a connection to a proxy is made without TLS, which httpcore adds.
        early: the first connection, being made already; its request may be on the wire.
    """

    def __init__(self, target: Target, early: EarlyRequest | None = None) -> None:
        self._target = target
        self._early = early
        self._lock = threading.Lock()
        self._opening: Opening | None = early
        self._aborted = False
        self._call: Call | None = None
        self.stream: SocketStream | None = None
        """The connection that is used, or was used last."""

    def serve(self, call: Call | None) -> None:
        """Carry one request of ``call``; None: one that nobody may give up by itself."""
        self._call = call
        if call is not None and self.stream is not None:
            call.wait_for(self.stream.shutdown)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> SocketStream:
        target = Target(self._target.scheme, host, port, "")
        stream, unused = self._connect(target, timeout)
        if unused and stream.get_extra_info("is_readable"):
            # closed by the server while the text was still being written
            stream.close()
            stream, _ = self._connect(target, timeout)
        with self._lock:
            self.stream = stream
            aborted = self._aborted
        if aborted:
            stream.shutdown()
        if self._call is not None:
            self._call.wait_for(stream.shutdown)
        return stream

    def _connect(self, target: Target, timeout: float | None) -> tuple[SocketStream, bool]:
        """Return a stream, and whether it was opened early with nothing asked for on it."""
        opening = self._next_opening(target, timeout)
        if self._call is not None:
            self._call.wait_for(opening.abandon)
        try:
            opened = opening.take()
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except (OSError, ValueError) as error:
            # `from error` keeps the cause: ssl.SSLError, socket.gaierror, ...
            raise httpcore.ConnectError(str(error)) from error
        finally:
            with self._lock:
                self._opening = None
        if not isinstance(opening, EarlyRequest):
            return SocketStream(opened), False
        if opening.body is None:
            return SocketStream(opened), True
        return SocketStream(opened, opening.sent_at_s), False

    def _next_opening(self, target: Target, timeout_s: float | None) -> Opening:
        """Return the early request's connection, or a new one."""
        with self._lock:
            if self._aborted:
                raise httpcore.ConnectError("given up")
            early, self._early = self._early, None
            if early is not None:
                return early
            self._opening = opening = Opening(target, timeout_s or CONNECT_S)
        opening.start()
        return opening

    def abort(self) -> None:
        """End the connection, now and from now on."""
        with self._lock:
            self._aborted = True
            stream, opening = self.stream, self._opening
        if opening is not None:
            opening.abandon()
        if stream is not None:
            stream.shutdown()


def _httpcore_proxy(proxy: ProxyAddress | None) -> httpcore.Proxy | None:
    """Return a proxy as httpcore wants it; None if there is none."""
    if proxy is None:
        return None
    url = httpcore.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target="/")
    auth = (proxy.user, proxy.password) if proxy.user or proxy.password else None
    context = None
    if proxy.scheme == "https":
        from voicestream.speech.http.tls import tls_context

        context = tls_context()
    return httpcore.Proxy(url, auth, ssl_context=context)


class HttpConnection:
    """HTTP to an endpoint, over one socket at a time. Carries one request at a time."""

    def __init__(
        self, target: Target, proxy: ProxyAddress | None, early: EarlyRequest | None = None
    ) -> None:
        via = target
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # `connect` makes and verifies its own
        if proxy is not None:
            via = Target("http", proxy.host, proxy.port, "")
            if target.scheme == "https":
                from voicestream.speech.http.tls import tls_context

                context = tls_context()
        self.connector = Connector(via, early)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            proxy=_httpcore_proxy(proxy),
            max_connections=1,
            keepalive_expiry=_KEEP_S,
            network_backend=self.connector,
        )

    @property
    def idle(self) -> bool:
        """Whether it stands, and waits for a request."""
        return any(connection.is_idle() for connection in self._pool.connections)

    def send(self, request: httpcore.Request) -> httpcore.Response:
        return self._pool.handle_request(request)

    def close(self) -> None:
        self._pool.close()
