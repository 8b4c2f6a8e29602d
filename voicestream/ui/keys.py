"""The keyboard while the panel is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def unechoed(stream: TextIO | None) -> Iterator[None]:
    """Keys typed on this terminal are not shown: ``^C`` or a line feed would cut the picture.

    What is typed stays for whoever reads next. Does nothing where there is no such terminal.
    """
    try:
        import termios

        if stream is None or not stream.isatty():
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
        termios.tcsetattr(number, termios.TCSANOW, before)
