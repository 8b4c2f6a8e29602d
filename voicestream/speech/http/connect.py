"""Sockets under httpx: one of them may carry a request already, and all can be ended at once."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from voicestream.speech.cancel import current_call
from voicestream.speech.http.request import CONNECT_S, EarlyRequest, Opening, Target


class SocketStream(httpcore.NetworkStream):
    """A connected socket, TLS included.

    With ``sent`` the first request is on the wire already: what httpcore writes
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
        """So long from now on, all in all, reading may wait until the next ``allow``."""
        self._until_s = time.monotonic() + wait_s

    def _left_s(self, timeout_s: float | None) -> float | None:
        """Of a reply that begins, all reads together may wait as long as one: no drip holds us.

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
        if (call := current_call()) is not None:
            call.wait_for(self.shutdown)
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
        """From any thread: whoever reads here gets an end at once."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # closed already, which is what was wanted

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,  # noqa: ARG002  the connection made by `connect` is verified
        server_hostname: str | None = None,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
    ) -> SocketStream:
        if not isinstance(self._socket, ssl.SSLSocket):
            raise httpcore.ConnectError("the connection was opened without TLS")
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._readable()
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        return self._socket if info == "socket" else None

    def _readable(self) -> bool:
        """An idle connection that can be read has been closed by the other side."""
        if self._socket.fileno() < 0:
            return True
        poll = getattr(select, "poll", None)
        if poll is None:  # Windows
            came = bool(select.select([self._socket], [], [], 0)[0])
        else:
            poller = poll()
            poller.register(self._socket, select.POLLIN)
            came = bool(poller.poll(0))
        return came and not self._only_tickets()

    def _only_tickets(self) -> bool:
        """Whether what came is no end and no data, but what TLS 1.3 servers send on their own."""
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


class SocketBackend(httpcore.NetworkBackend):
    """Opens the sockets of one endpoint, the early one first."""

    def __init__(self, target: Target, early: EarlyRequest | None) -> None:
        self._target = target
        self._early = early
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._openings: list[Opening] = [early] if early else []
        self._open: list[SocketStream] = []
        self._aborted = False

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
        return self._keep(stream)

    def _connect(self, target: Target, timeout: float | None) -> tuple[SocketStream, bool]:
        """A stream, and whether it was opened early with nothing asked for on it."""
        opening = self._opening(target, timeout)
        if (call := current_call()) is not None:
            call.wait_for(opening.abandon)
        try:
            opened = opening.take()
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except (OSError, ValueError) as error:
            # `from error` keeps the cause: ssl.SSLError, socket.gaierror, ...
            raise httpcore.ConnectError(str(error)) from error
        finally:
            with self._lock:
                self._openings.remove(opening)
        if not isinstance(opening, EarlyRequest):
            return SocketStream(opened), False
        if opening.body is None:
            return SocketStream(opened), True
        return SocketStream(opened, opening.sent_at_s), False

    def _opening(self, target: Target, timeout_s: float | None) -> Opening:
        """The early request's connection, or a new one."""
        with self._lock:
            if self._aborted:
                raise httpcore.ConnectError("given up")
            early: EarlyRequest | None = getattr(self._mine, "early", None)
            if early is not None:
                self._mine.early = None
                return early
            opening = Opening(target, timeout_s or CONNECT_S)
            self._openings.append(opening)
        opening.start()
        return opening

    def _keep(self, stream: SocketStream) -> SocketStream:
        with self._lock:
            self._open = [s for s in self._open if s.get_extra_info("socket").fileno() >= 0]
            self._open.append(stream)
            aborted = self._aborted
        if aborted:
            stream.shutdown()
        return stream

    def claim_early(self, body: bytes) -> None:
        """The calling thread is about to ask for ``body``: if that was asked for already, or
        nothing was yet, the connection it opens next is the early one. Nobody else's is:
        what another thread writes on it would go nowhere.
        """
        with self._lock:
            if self._early is not None and self._early.body in (body, None):
                self._mine.early, self._early = self._early, None

    def drop_claimed(self) -> None:
        """The calling thread's request found another connection free: its early one is not used."""
        early, self._mine.early = getattr(self._mine, "early", None), None
        if early is not None:
            with self._lock:
                self._openings.remove(early)
            early.abandon()

    def abort(self) -> None:
        """End every connection, now and from now on."""
        with self._lock:
            self._aborted = True
            streams, openings = list(self._open), list(self._openings)
        for opening in openings:
            opening.abandon()
        for stream in streams:
            stream.shutdown()


class SocketTransport(httpx.HTTPTransport):
    """httpx over :class:`SocketBackend`; errors are mapped by httpx as always."""

    def __init__(self, backend: SocketBackend, connections: int) -> None:
        # The context given here is never used: `connect` makes and verifies its own, in time.
        super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)
        self._pool = httpcore.ConnectionPool(
            max_connections=connections,
            max_keepalive_connections=connections,
            # httpx's 5 s would pay for TCP and TLS again after every pause of the writer
            keepalive_expiry=120.0,
            network_backend=backend,
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    def drop_idle(self) -> None:
        """A kept connection turned out to be dead: its like (after a sleep, or behind a router
        that forgot them) are not tried one after the other."""
        for connection in list(self._pool.connections):
            if connection.is_idle():
                connection.close()
