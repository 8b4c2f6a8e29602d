"""A connected socket that one thread reads while others write, TLS or not."""

from __future__ import annotations

import selectors
import socket
import threading
import time

from voicestream.speech.realtime.handshake import shut

_READ_BYTES = 1 << 16


class Wire:
    """Reads and writes without ever waiting inside the socket: with TLS, that would keep the
    other side of the same connection waiting.

    ``receive`` and ``close`` are the reader's; ``send`` and ``shut`` anybody's.
    """

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._socket.settimeout(0)
        self._again = _would_block(opened)
        self._sending = threading.Lock()  # one message after the other
        self._touching = threading.Lock()  # one call into the socket at a time

    def send(self, data: bytes, within_s: float) -> None:
        """Send all of it.

        Raises:
            OSError: it is closed, or takes no more within the time.
        """
        until_s = time.monotonic() + within_s
        if not self._sending.acquire(timeout=within_s):
            raise TimeoutError("the server takes no more messages")
        try:
            while data:
                try:
                    with self._touching:
                        data = data[self._socket.send(data) :]
                except self._again:
                    if time.monotonic() > until_s:
                        raise TimeoutError("the server takes no more messages") from None
                    _wait(self._socket, selectors.EVENT_WRITE, 0.05)
        finally:
            self._sending.release()

    def receive(self) -> bytes:
        """Return what comes next; nothing at the end."""
        while True:
            try:
                with self._touching:
                    return self._socket.recv(_READ_BYTES)
            except self._again:
                _wait(self._socket, selectors.EVENT_READ)
            except OSError:
                return b""

    def shut(self) -> None:
        """Shut the socket down: whoever reads or writes goes on at once."""
        shut(self._socket)

    def close(self) -> None:
        self._socket.close()


def _would_block(opened: socket.socket) -> tuple[type[BaseException], ...]:
    """Return the exceptions of a socket that does not wait, when there is nothing to do."""
    if not hasattr(opened, "pending"):
        return (BlockingIOError,)
    import ssl

    return (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def _wait(opened: socket.socket, what: int, timeout_s: float | None = None) -> None:
    with selectors.DefaultSelector() as selector:
        try:
            selector.register(opened, what)
        except (OSError, ValueError):
            return  # closed: the next call says so
        selector.select(timeout_s)
