"""What the inline constructs return, and where they stop looking for their end."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from voicestream.patterns import lazy_pattern

FoundKind: TypeAlias = Literal["text", "markup", "break", "gone", "skip", "hide"]


class Found(NamedTuple):
    """A construct that ends before the index ``end``; 0 if there is none.

    Attributes:
        text: what it says.
        kind: ``text`` as it is, ``markup`` to be rendered, ``break`` ends the line, ``gone``
            leaves no trace, ``skip`` drops all up to ``until``, ``hide`` does so but is
            text if ``until`` never comes.
        until: the pattern that ends what is dropped.
    """

    end: int
    text: str = ""
    kind: FoundKind = "text"
    until: str = ""


NOTHING = Found(0)

BLANK_LINE = lazy_pattern(r"\n[ \t]*\n")

GAP = r"(?:[^\S\n]+\n?|\n)[^\S\n]*(?=\S)"
"""Blanks between two sentences of a paragraph. A pattern's source."""
SENTENCE_END = rf"(?<=[^\W_])[.!?…][\"'”’)\]]*{GAP}|[。！？](?=[^\]）」』”])"
"""Here text goes on as a new sentence: what is still open was no mark. A pattern's source."""
GIVE_UP = lazy_pattern(rf"\n[ \t]*\n|{SENTENCE_END}")
