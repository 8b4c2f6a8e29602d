"""JSON objects as lines over a Unix socket: the one way control processes talk.

A request is an object with a ``verb``, the answer an object with ``ok``; see ``server``.
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import json
import os
import select
import socket
import struct
import time
from typing import Any

MAX_LINE_BYTES = 64 * 1024
"""A longer line ends the connection."""

Message = dict[str, Any]


def encoded(message: Message) -> bytes:
    """Return one line, ASCII only, so that no text in it can steer a terminal."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Lines:
    """Bytes as they come from a socket, cut into messages."""

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, data: bytes) -> list[Message]:
        """Add ``data``; return the messages that are complete now.

        Raises:
            ValueError: a line is no JSON object, or longer than ``MAX_LINE_BYTES``.
        """
        *lines, self._waiting = (self._waiting + data).split(b"\n")
        if max(map(len, (*lines, self._waiting))) > MAX_LINE_BYTES:
            raise ValueError(f"a line is longer than {MAX_LINE_BYTES} bytes")
        return [_message(line) for line in lines if line.strip()]


def _message(line: bytes) -> Message:
    try:
        found = json.loads(line)
    except RecursionError:
        raise ValueError("a line is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("a line is no JSON object")
    return found


class Peer:
    """The asking side of a control socket.

    Args:
        path: the socket's file.
        wait_s: how long to wait for the connection, and for each answer.

    Raises:
        OSError: nobody listens there, or not in time.
    """

    def __init__(self, path: str, wait_s: float) -> None:
        self._wait_s = wait_s
        self._lines = Lines()
        self._read: list[Message] = []
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(wait_s)
            self._socket.connect(path)
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            OSError: the other side is gone, or takes nothing in time.
        """
        self._socket.sendall(encoded(message))

    def receive(self, wait_s: float | None = None) -> Message | None:
        """Return the next message; None where the other side closed the connection.

        Args:
            wait_s: how long to wait for it; None: as long as for an answer.

        Raises:
            TimeoutError: none came in time.
            OSError: the connection broke.
            ValueError: what came is no message.
        """
        deadline_s = time.monotonic() + (self._wait_s if wait_s is None else wait_s)
        while not self._read:
            left_s = deadline_s - time.monotonic()
            if not select.select([self._socket], [], [], max(left_s, 0.0))[0]:
                raise TimeoutError("no answer in time")
            data = self._socket.recv(65536)
            if not data:
                return None
            self._read = self._lines.feed(data)
        return self._read.pop(0)

    def ask(self, message: Message) -> Message | None:
        """Send a message and return the answer to it, see ``receive``."""
        self.send(message)
        return self.receive()

    def close(self) -> None:
        self._socket.close()


def same_user(connection: socket.socket) -> bool:
    """Return whether the process at the other end is this user's, where the kernel tells.

    Linux and macOS do (unix(7), ``SO_PEERCRED``; ``LOCAL_PEERCRED`` in sys/un.h). Elsewhere
    the private folder that holds the socket has to do.
    """
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        user = struct.unpack("3i", credentials)[1]
    elif sys.platform == "darwin":
        credentials = connection.getsockopt(0, 1, 76)  # struct xucred: version, uid, groups
        user = struct.unpack_from("=2I", credentials)[1]
    else:
        user = os.getuid()
    return bool(user == os.getuid())
