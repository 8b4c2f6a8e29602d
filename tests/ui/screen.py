"""A terminal of a given size, and what a person sees on it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import threading
from typing import TextIO

import pyte

_SEEN = b"\x05"  # a character no picture holds: what was written before it is on the screen


class Screen:
    """A terminal with a person before it."""

    def __init__(self, columns: int = 80, rows: int = 24, encoding: str = "utf-8") -> None:
        self.screen = pyte.HistoryScreen(columns, rows)
        self._feed = pyte.ByteStream(self.screen)
        self._master, self._slave = pty.openpty()
        self.resize(columns, rows)
        self.stream: TextIO = os.fdopen(self._slave, "w", encoding=encoding)
        self.raw = b""
        self._seen = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 4096)
            except OSError:
                return  # EIO: the other end is closed
            if not data:
                return
            self.raw += data.replace(_SEEN, b"")
            self._feed.feed(data.replace(_SEEN, b""))
            if _SEEN in data:
                self._seen.set()

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without empty lines at the end."""
        self.stream.flush()
        self._seen.clear()
        os.write(self._slave, _SEEN)
        assert self._seen.wait(10)
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip().split("\n")

    @property
    def cursor_hidden(self) -> bool:
        assert self.lines
        return bool(self.screen.cursor.hidden)

    def close(self) -> None:
        self.stream.close()
        self._reader.join()
        os.close(self._master)
