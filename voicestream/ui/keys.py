"""The keyboard while the panel is shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


def in_foreground(stream: TextIO | None) -> bool:
    """Whether the terminal is ours to draw on and to set: who sets it from the background
    (``&``, ``bg``) is stopped. True where there is no terminal of ours."""
    if stream is None:
        return True
    try:
        return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except (AttributeError, OSError, ValueError):  # Windows; no terminal; closed
        return True


def terminal_modes(stream: TextIO | None) -> Callable[[], None]:
    """Note the terminal's modes; return a function that sets them again, from any thread."""
    try:
        import termios

        if stream is None or not stream.isatty():
            raise OSError("no terminal")
        number = stream.fileno()
        before = termios.tcgetattr(number)
    except (ImportError, OSError, ValueError):
        return lambda: None

    def restore() -> None:
        if in_foreground(stream):
            termios.tcsetattr(number, termios.TCSANOW, before)

    return restore


@contextmanager
def unechoed(stream: TextIO | None) -> Iterator[None]:
    """Keys typed on this terminal are not shown: ``^C`` or a line feed would cut the picture.

    What is typed stays for whoever reads next. Does nothing where there is no such terminal.
    """
    try:
        import termios

        if stream is None or not stream.isatty() or not in_foreground(stream):
            raise OSError("no terminal")
        number = stream.fileno()
        before = termios.tcgetattr(number)
    except (ImportError, OSError, ValueError):
        yield
        return
    silent = list(before)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(number, termios.TCSANOW, silent)
    try:
        yield
    finally:
        if in_foreground(stream):
            termios.tcsetattr(number, termios.TCSANOW, before)
