"""The keyboard while the panel is shown."""

from __future__ import annotations

import codecs
import os
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self, TextIO

KEYS = {
    " ": ("toggle", ""),
    "left": ("back", ""),
    "right": ("next", ""),
    "+": ("tempo", "+0.1"),
    "-": ("tempo", "-0.1"),
    "up": ("tempo", "+0.1"),
    "down": ("tempo", "-0.1"),
    "v": ("volume", "-0.1"),
    "V": ("volume", "+0.1"),
    "m": ("mute", ""),
    "q": ("stop", ""),
}
"""What is typed -> the verb it stands for, and its value."""
FIGURES = "f"
"""Shows all figures, or one line of them."""
HINT = "space pause, ←→ sentence, +- tempo, vV volume, m mute, f more, q stop"
_ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}


foreground_told: list[Callable[[], bool]] = []
"""Says whether the terminal is ours, where that cannot be asked: it is another process's, which
handed it to us."""


def in_foreground(stream: TextIO | None) -> bool:
    """Return whether the terminal is ours to draw on and to set: who sets it from the background
    (``&``, ``bg``) is stopped. True where there is no terminal of ours."""
    if foreground_told:
        return foreground_told[0]()
    if sys.platform != "win32" and stream is not None:  # which has no process groups
        try:
            return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
        except (OSError, ValueError):  # no terminal; closed
            pass
    return True


def terminal_modes(stream: TextIO | None) -> Callable[[], None]:
    """Note the terminal's modes; return a function that sets them again, from any thread."""
    if sys.platform != "win32" and (number := _terminal(stream)) >= 0:
        import termios

        try:
            before = termios.tcgetattr(number)
        except termios.error:  # it was hung up just now
            return lambda: None

        def restore() -> None:
            if in_foreground(stream):
                with suppress(termios.error):  # it was hung up: there is nothing to set
                    termios.tcsetattr(number, termios.TCSANOW, before)

        return restore
    return lambda: None


def _terminal(stream: TextIO | None) -> int:
    """Return the descriptor of a stream that is a terminal; -1: it is none."""
    try:
        return stream.fileno() if stream is not None and stream.isatty() else -1
    except (OSError, ValueError):  # closed, or it never had one
        return -1


class Keys:
    """Hands each key typed on a terminal to a handler, while a ``with`` block runs.

    Nothing typed is shown, which would cut the picture; Ctrl-C and Ctrl-Z go on meaning what
    they do. Does nothing where there is no such terminal. Afterwards the terminal is as it was,
    and what is typed is for whoever reads next.

    Args:
        stream: the terminal, usually stdin.
        handler: called in a thread of its own with a character, or ``left``, ``right``,
            ``up``, ``down``; must return quickly.
    """

    def __init__(self, stream: TextIO | None, handler: Callable[[str], None]) -> None:
        self._stream = stream
        self._handler = handler
        self._number = self._end_in = self._end_out = -1
        self._restore: Callable[[], None] = lambda: None
        self._reader: threading.Thread | None = None

    @property
    def read(self) -> bool:
        """Whether keys are read at all."""
        return self._reader is not None

    def __enter__(self) -> Self:
        # a Windows console is read and set in other ways: there are no keys
        if sys.platform != "win32" and (number := _terminal(self._stream)) >= 0:
            import termios

            if in_foreground(self._stream):
                self._restore = terminal_modes(self._stream)
                try:
                    silent = termios.tcgetattr(number)
                    silent[3] &= ~(termios.ECHO | termios.ICANON)
                    silent[6][termios.VMIN], silent[6][termios.VTIME] = 1, 0
                    termios.tcsetattr(number, termios.TCSANOW, silent)
                except termios.error:  # it was hung up just now
                    return self
                self._number = number
                self._end_in, self._end_out = os.pipe()
                self._reader = threading.Thread(target=self._read, name="keys", daemon=True)
                self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._reader is None:
            return
        os.close(self._end_out)
        self._reader.join(1.0)
        os.close(self._end_in)
        self._restore()

    def _read(self) -> None:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        while True:
            ready, _, _ = select.select([self._number, self._end_in], [], [])
            if self._end_in in ready:
                return
            try:
                data = os.read(self._number, 64)
            except OSError:  # the terminal went away
                return
            if not data:
                return
            for key in keys_of(decode(data)):
                self._handler(key)


def keys_of(text: str) -> list[str]:
    """Return the keys in what a terminal sent at once; escape sequences but arrows are left out."""
    found = []
    rest = iter(text)
    for character in rest:
        if character != "\x1b":
            found.append(character)
            continue
        if next(rest, "") in ("[", "O"):
            # CSI: parameters, then one final character (ECMA-48, 5.4)
            final = next((c for c in rest if "@" <= c <= "~"), "")
            found += [_ARROWS[final]] if final in _ARROWS else []
    return found
