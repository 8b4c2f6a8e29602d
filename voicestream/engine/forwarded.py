"""The engine's end of a connection that may come from elsewhere: by ssh, or out of a container.

Such a caller is a stranger with a text. What it sends is that text, a few settings of how it is
spoken, or one of two questions; this side's key, endpoint and files are what they are. It is told
how much was heard of its own words and how that ended, and nothing else.

Both sides send JSON lines. The first is the request: ``verb`` and ``protocol``; the answer has
``ok``, and ``error`` where it is refused. After ``say`` come lines with ``text``, the last with
``end``; what comes back is ``taken`` (so many characters more may be sent), ``text`` and ``heard``,
and ``exit`` in the end. Whoever closes the connection ends the speech.
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import contextlib
import os
import queue
import signal
import socket
import threading
import time
from typing import Any

from voicestream.clock import set_process_start
from voicestream.control.lines import Lines, Message, encoded
from voicestream.engine.caller import Caller
from voicestream.settings.table import TABLE

PROTOCOL = 1
SETTINGS = ("voice", "tempo", "language", "turn", "expires_s")
"""What a caller may choose."""
PIECE_CHARS = 4096
"""Of text in a line."""
WINDOW_CHARS = 65_536
"""Most text that may be on its way; the connection of a caller that sends more is closed."""
_REQUEST_S = 2.0
_MOST_FLAG_CHARS = 200


class RefusedError(Exception):
    """A caller asks for something that it may not have."""


def read_request(connection: socket.socket) -> tuple[Message, Lines]:
    """Return the request: the first line that a caller sends.

    Raises:
        OSError: it is gone, or too slow.
        ValueError: what came is no request.
    """
    lines = Lines()
    until_s = time.monotonic() + _REQUEST_S
    while True:
        connection.settimeout(max(until_s - time.monotonic(), 0.001))
        data = connection.recv(4096)
        if not data:
            raise ValueError("no request came")
        found = lines.feed(data)
        if len(found) == 1:
            return found[0], lines
        if found:
            raise ValueError("text came before the answer")


class ForwardedCaller(Caller):
    """A caller that has made its request, which is to speak.

    Args:
        connection: to it.
        engine: to the engine.
        request: what it asked for.
        lines: what was read behind that.

    Raises:
        RefusedError: it wants what it may not have.
    """

    elsewhere = True

    def __init__(
        self, connection: socket.socket, engine: socket.socket, request: Message, lines: Lines
    ) -> None:
        super().__init__(connection, engine)
        self._lines = lines
        self._text: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._open_chars = 0
        self._counting = threading.Lock()
        self.arguments = ["say", "-", "--engine", "off", "--panel", "off", "--quiet"]
        self.arguments += _flags(request.get("flags"))

    def receive(self) -> None:
        """Say yes, and read from now on what is to be said instead of what stdin holds."""
        set_process_start(time.monotonic())
        reader, self._writer = os.pipe()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number, given in enumerate((reader, nowhere, nowhere)):
            os.dup2(given, number)
        os.close(reader)
        os.close(nowhere)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  lives as long as this
        self.tell({"ok": True})
        threading.Thread(target=self._write, name="text of the caller", daemon=True).start()
        threading.Thread(target=self._obey, name="engine", daemon=True).start()

    def _hear(self, message: Message) -> None:
        """Take a piece of text; raise ValueError where that is too much."""
        text = message.get("text", "")
        if not isinstance(text, str):
            raise ValueError("this is no text")
        with self._counting:
            self._open_chars += len(text)
            if self._open_chars > WINDOW_CHARS:
                raise ValueError("more text than was asked for")
        if text:
            self._text.put(text)
        if message.get("end"):
            self._text.put(None)

    def _write(self) -> None:
        """Pass the text on as it is wanted; a thread of its own."""
        while (text := self._text.get()) is not None:
            left = text.encode("utf-8", "replace")
            while left:
                left = left[os.write(self._writer, left) :]
            with self._counting:
                self._open_chars -= len(text)
            self.tell({"taken": len(text)})
        os.close(self._writer)

    def _obey(self) -> None:
        """End when the engine says so, as at Ctrl-C; a thread of its own."""
        told = Lines()
        with contextlib.suppress(OSError):
            while data := self._engine.recv(4096):
                if any("stop" in message for message in told.feed(data)):  # and no late "place"
                    os.kill(os.getpid(), signal.SIGINT)

    def stop(self, _number: int = 0, _frame: object = None) -> None:
        """Ignore Ctrl-Z: nobody here can press it."""


def _flags(given: Any) -> list[str]:
    """Return the settings of a request as flags, which ``say`` checks like any others."""
    if not isinstance(given, dict):
        given = {}
    flags = {row.name: row.flag for row in TABLE}
    found = []
    for name, value in given.items():
        if name not in SETTINGS:
            raise RefusedError(f"a caller from elsewhere cannot set {str(name)[:40]!r}")
        if not isinstance(value, str) or len(value) > _MOST_FLAG_CHARS:
            raise RefusedError(f"{name} is no short text")
        found.append(f"{flags[name]}={value}")
    return found


def refuse(connection: socket.socket, why: str) -> None:
    """Answer a request that is refused, with the reason."""
    connection.sendall(encoded({"ok": False, "error": why, "protocol": PROTOCOL}))
