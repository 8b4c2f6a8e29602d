"""What a stream can show: whether a panel, which characters, which text."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Mapping
from typing import TextIO

from voicestream.printable import printable

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


def reflows(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal wraps old lines anew when it becomes narrower.

    No terminal says so. Nearly all of today's do; xterm, the Linux console and
    GNU screen cut instead.
    """
    if "TMUX" in environ:
        return True
    cuts = environ.get("TERM", "").startswith(("linux", "screen")) or "XTERM_VERSION" in environ
    return not cuts
