"""What a stream can show: whether a panel, which characters, which text."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Mapping
from typing import TextIO

from voicestream.printable import printable

CLEAR = "\r\x1b[K\x1b[C\x1b[J\r"
"""Erases the cursor's row and all below. What is erased from home, tmux keeps as history."""
AS_BEFORE = f"{CLEAR}\x1b[?25h\x1b[?7h".encode()
"""No picture, cursor visible, lines wrap."""
_TO_MARK = frozenset({"Cn", "Co"})


def wants_panel(mode: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether to show a panel on ``stream``: unless ``on`` or ``off``, where a person sees
    it move.

    A notebook's cells look like a terminal, and keep every picture that is drawn.
    """
    if mode in ("on", "off"):
        return mode == "on"
    moves = environ.get("TERM") != "dumb" and "JPY_PARENT_PID" not in environ
    return moves and stream.isatty()


def encoding_of(stream: TextIO) -> str:
    """Return the encoding of a stream, ``ascii`` where it names none that Python knows."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return "ascii"


def can_show(characters: str, encoding: str) -> bool:
    """Return whether every one of ``characters`` exists in ``encoding``."""
    try:
        characters.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def clean(text: str, encoding: str = "utf-8", limit: int = 2000) -> str:
    """Return one line of harmless text out of any, whose width all terminals agree upon.

    What ``printable`` leaves and has no shape of its own (joiners, variation selectors)
    goes; what nobody has assigned, and what ``encoding`` lacks, becomes a replacement
    mark. At most ``limit`` characters of ``text`` are looked at.
    """
    line = printable(text[:limit])
    if not line.isascii():
        mark = "\ufffd" if can_show("\ufffd", encoding) else "?"
        line = "".join(_shaped(character, mark) for character in line)
        line = line.encode(encoding, "replace").decode(encoding)
    return " ".join(line.split())


def _shaped(character: str, mark: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    return mark if category in _TO_MARK else character
