"""What an engine holds: the program, sockets that listen, and processes that it has forked."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import contextlib
import os
import socket
import time
from typing import Protocol

from voicestream.control.lines import Lines

_BACKLOG = 16


class Loader(Protocol):
    """Loads the program into the engine."""

    voice: bool
    """Whether the embedded voice is loaded."""

    def load(self) -> None:
        """Load what every call needs."""

    def load_voice(self) -> None:
        """Load the embedded voice."""

    def connect(self, host: str, port: int) -> None:
        """Begin to connect to a server, by TLS, for the next call."""


class Forked:
    """A process of the engine.

    Attributes:
        pid: its number.
        line: what it says of itself; its end is the child's.
        elsewhere: it takes callers from elsewhere, too; once it has a call: that is one of them.
    """

    def __init__(self, pid: int, line: socket.socket, elsewhere: bool) -> None:
        self.pid = pid
        self.line = line
        self.elsewhere = elsewhere
        self.lines = Lines()
        self.since_s = time.monotonic()

    def fileno(self) -> int:
        return self.line.fileno()


def listening(path: str) -> socket.socket:
    """Return a socket of this user's that listens; it replaces any that is there.

    Raises:
        OSError: it cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # of one that was killed: the lock says that none runs
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def code_stamp() -> tuple[int, int]:
    """Return what changes when another version is installed."""
    try:
        found = os.stat(os.path.join(os.path.dirname(__file__), "place.py"))
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns
