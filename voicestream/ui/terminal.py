"""What a stream can show: whether a panel, which characters, which text."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Mapping
from typing import TextIO

_TO_SPACE = frozenset({"Cc", "Zl", "Zp"})
_TO_NOTHING = frozenset({"Cf"})
_TO_MARK = frozenset({"Cs", "Cn", "Co"})


def wants_panel(mode: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether to show a panel on ``stream``; ``auto`` means: where a person sees it move."""
    if mode != "auto":
        return mode == "on"
    return stream.isatty() and environ.get("TERM") != "dumb"


def encoding_of(stream: TextIO) -> str:
    """The encoding of a stream, ``ascii`` where it names none that Python knows."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return "ascii"


def can_show(characters: str, encoding: str) -> bool:
    """Whether every one of ``characters`` exists in ``encoding``."""
    try:
        characters.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def clean(text: str, encoding: str = "utf-8", limit: int = 2000) -> str:
    """One line of harmless text out of any.

    Control characters become spaces and runs of spaces one; what has no shape of
    its own (direction marks, joiners, variation selectors) goes, because terminals
    disagree about its width; lone surrogates and what ``encoding`` lacks become
    a replacement mark. At most ``limit`` characters of ``text`` are looked at.
    """
    text = text[:limit]
    if not (text.isascii() and text.isprintable()):
        mark = "\ufffd" if can_show("\ufffd", encoding) else "?"
        text = "".join(_harmless(character, mark) for character in text)
        text = text.encode(encoding, "replace").decode(encoding)
    return " ".join(text.split())


def _harmless(character: str, mark: str) -> str:
    category = unicodedata.category(character)
    if category in _TO_SPACE:
        return " "
    if category in _TO_NOTHING or "\ufe00" <= character <= "\ufe0f":
        return ""
    return mark if category in _TO_MARK else character


def reflows(environ: Mapping[str, str]) -> bool:
    """Whether the terminal wraps old lines anew when it becomes narrower.

    No terminal says so. Nearly all of today's do; xterm, the Linux console and
    GNU screen cut instead.
    """
    if "TMUX" in environ:
        return True
    cuts = environ.get("TERM", "").startswith(("linux", "screen")) or "XTERM_VERSION" in environ
    return not cuts
