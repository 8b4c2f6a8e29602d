"""A narrow link in front of a server: all its connections share so many bytes a second."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import urlsplit

_QUANTUM_BYTES = 500


class NarrowLink:
    """A proxy on 127.0.0.1; only the way down is narrow. ``rate_bytes_per_s`` may be changed."""

    def __init__(self, url: str, rate_bytes_per_s: float) -> None:
        parts = urlsplit(url)
        self.rate_bytes_per_s = rate_bytes_per_s
        self._far = (parts.hostname or "", parts.port or 80)
        self._turn = threading.Lock()
        self._free_s = 0.0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{parts.path}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> NarrowLink:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for opened in list(self._open):
            _shut(opened)
        for thread in list(self._threads):
            thread.join(10)
        for opened in [*self._open, self._listener]:
            opened.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed
            far = socket.create_connection(self._far)
            # what waits on the way would be a buffer of seconds
            near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            self._open += [near, far]
            for source, target, narrow in ((near, far, False), (far, near, True)):
                thread = threading.Thread(
                    target=self._carry, args=(source, target, narrow), daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def _carry(self, source: socket.socket, target: socket.socket, narrow: bool) -> None:
        try:
            while data := source.recv(_QUANTUM_BYTES if narrow else 65536):
                if narrow:
                    self._wait_turn(len(data))
                target.sendall(data)
        except OSError:
            pass  # one side has gone, and so shall the other
        _shut(source)
        _shut(target)

    def _wait_turn(self, size_bytes: int) -> None:
        with self._turn:
            self._free_s = max(self._free_s, time.monotonic()) + size_bytes / self.rate_bytes_per_s
            due_s = self._free_s
        time.sleep(max(due_s - time.monotonic(), 0.0))


def _shut(opened: socket.socket) -> None:
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # closed already
