"""Connections that carry requests: the first one may be on its way already, and all can be ended
at once."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time

from voicestream.settings.proxy import ProxyAddress
from voicestream.speech.base import Call
from voicestream.speech.http.limits import Timeouts
from voicestream.speech.http.request import EarlyRequest, Opening, Target
from voicestream.speech.http.wire import (
    BrokenError,
    HttpReply,
    LateConnectionError,
    LateError,
    NoConnectionError,
)
from voicestream.waiting import wait_ready

_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_READ_BYTES = 64 << 10
_KEEP_S = 120.0
"""How long an idle connection is kept: 5 s, as is usual, would pay for TCP and TLS again after
every pause of the writer."""


def reset(opened: socket.socket) -> None:
    """End a connection under whoever reads there; once it is closed the other side, which may
    wait for room to send more, is told that nothing more is wanted. Any thread."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        # an SSLSocket of Python would forget its TLS first, and hand out what is encrypted
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
    except OSError:
        pass  # closed already, which is what was wanted


class HttpConnection:
    """HTTP to one endpoint, over one socket at a time. Carries one request at a time.

    Used by the thread that asks; ``abort`` and ``shutdown`` by any.

    Args:
        target: where to.
        proxy: leads there, by a tunnel.
        early: the first connection, being made already; its request may be on the wire.
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
        self._lock = threading.Lock()
        # under the lock
        self._opening: Opening | None = early
        self._aborted = False
        self._call: Call | None = None
        self._socket: socket.socket | None = None
        self._reply: HttpReply | None = None
        self._until_s = 0.0
        self._idle_since_s = 0.0
        self.sent_at_s = 0.0
        """When the last request was on the wire (``time.monotonic()``)."""

    @property
    def idle(self) -> bool:
        """Whether it stands, and waits for a request."""
        return self._socket is not None and self._reply is not None and self._reply.reusable

    def serve(self, call: Call | None) -> None:
        """Carry one request of ``call``; None: one that nobody may give up by itself."""
        self._call = call
        if call is not None and self._socket is not None:
            call.wait_for(self.shutdown)

    def send(self, request: bytes) -> HttpReply:
        """Send a whole request; return the reply once its head is here.

        Raises:
            WireError: there is none.
        """
        opened = self._socket
        if opened is not None and (
            _readable(opened) or time.monotonic() - self._idle_since_s > _KEEP_S
        ):
            self.close()  # the other side has ended it, or will soon
            opened = None
        if opened is None:
            opened, sent = self._connect()
        else:
            sent = False
        if not sent:
            self._write(opened, request)
        self.allow(self._timeouts.read_s)
        self._reply = None
        self._reply = HttpReply(self._read)
        return self._reply

    def _write(self, opened: socket.socket, request: bytes) -> None:
        try:
            opened.settimeout(self._timeouts.read_s)
            opened.sendall(request)
        except TimeoutError as error:
            raise LateError(str(error)) from error
        except OSError:
            pass  # it may have answered before it closed: the reply says more, or reading fails
        self.sent_at_s = time.monotonic()

    def _read(self) -> bytes:
        """Return what comes next. All reads until the next ``allow`` may together wait as long as
        that says, so that no drip holds us."""
        opened = self._socket
        if opened is None:
            raise BrokenError("given up", ended=False)
        left_s = self._until_s - time.monotonic()
        try:
            if left_s <= 0:
                raise TimeoutError("nothing more came in time")
            opened.settimeout(left_s)
            return opened.recv(_READ_BYTES)
        except TimeoutError as error:
            raise LateError(str(error)) from error
        except OSError as error:
            raise BrokenError(str(error), ended=type(error).__name__ == "SSLEOFError") from error

    def allow(self, wait_s: float) -> None:
        """Bound all waiting for data, from now until the next ``allow``, to ``wait_s``."""
        self._until_s = time.monotonic() + wait_s

    def _connect(self) -> tuple[socket.socket, bool]:
        """Connect; return the socket, and whether the request is on the wire already."""
        opening = self._next_opening()
        if self._call is not None:
            self._call.wait_for(opening.abandon)
        try:
            opened = opening.take()
        except TimeoutError as error:
            raise LateConnectionError(str(error)) from error
        except (OSError, ValueError) as error:
            # `from error` keeps the cause: ssl.SSLError, socket.gaierror, ...
            raise NoConnectionError(str(error)) from error
        finally:
            with self._lock:
                self._opening = None
        sent = isinstance(opening, EarlyRequest) and opening.body is not None
        if isinstance(opening, EarlyRequest) and not sent and _readable(opened):
            opened.close()  # by the server, too, while the text was still being written
            return self._connect()
        with self._lock:
            self._socket = opened
            aborted = self._aborted
        if aborted:
            self.shutdown()
        if self._call is not None:
            self._call.wait_for(self.shutdown)
        self.sent_at_s = opening.sent_at_s if sent else 0.0
        return opened, sent

    def _next_opening(self) -> Opening:
        """Return the early request's connection, or a new one."""
        with self._lock:
            if self._aborted:
                raise NoConnectionError("given up")
            if self._opening is not None:
                return self._opening
            self._opening = opening = Opening(self._target, self._timeouts.connect_s, self._proxy)
        opening.start()
        return opening

    def finish(self) -> None:
        """Keep the connection if its reply was read to the end, close it otherwise."""
        if self.idle:
            self._idle_since_s = time.monotonic()
        else:
            self.close()

    def close(self) -> None:
        with self._lock:
            closed, self._socket = self._socket, None
        if closed is not None:
            closed.close()

    def shutdown(self) -> None:
        """Make whoever reads here get an end at once. Any thread."""
        if (opened := self._socket) is not None:
            reset(opened)

    def abort(self) -> None:
        """End the connection, now and from now on."""
        with self._lock:
            self._aborted = True
            opening = self._opening
        if opening is not None:
            opening.abandon()
        self.shutdown()


def _readable(opened: socket.socket) -> bool:
    """Return whether there is something to read before anything is asked for: then the other side
    has closed the connection."""
    if opened.fileno() < 0:
        return True
    return bool(wait_ready([opened.fileno()], wait_s=0.0)) and not _only_tickets(opened)


def _only_tickets(opened: socket.socket) -> bool:
    """Return whether what came is no end and no data, but what TLS 1.3 servers send on their
    own."""
    if type(opened) is socket.socket:
        return False
    try:
        opened.settimeout(0)
        opened.recv(1)  # an end, or data that nobody asked for: of no more use
    except OSError as error:
        return type(error).__name__ == "SSLWantReadError"
    return False
