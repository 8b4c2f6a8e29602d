"""Which construct a character may begin, and what that says."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from voicestream.text import inline, notes
from voicestream.text.formula import formula
from voicestream.text.found import NOTHING, Found
from voicestream.text.model_marks import bracketed, framed
from voicestream.text.tags import Position, tag

Construct: TypeAlias = Callable[[str, int, int, bool], Found | None]
_ANYWHERE: dict[str, Construct] = {
    "`": inline.code_span,
    "&": inline.entity,
    "!": inline.image,
    **dict.fromkeys(notes.SOURCE_MARKS, notes.source_mark),
}
"""What begins wherever it stands."""


class Stretch(NamedTuple):
    """The part of a text in which a construct is looked for.

    Attributes:
        at: where it begins.
        stop: nothing from here on may be looked at.
        known: no more will come before ``stop``.
        final: no more will come at all.
    """

    text: str
    at: int
    stop: int
    known: bool
    final: bool


class Constructs:
    """Finds the inline constructs of one text, in order."""

    def __init__(self) -> None:
        self._cited = False  # there was the mark of a source

    def find(self, where: Stretch, place: Position, quote: bool) -> Found | None:
        """Return the construct that begins here, ``NOTHING`` if none does, or None if more text
        is needed to tell.

        Args:
            quote: the line is part of a quotation.
        """
        text, at, stop, known, final = where
        char = text[at]
        if char in "hHwW":
            inside = at == 0 and place.before.isascii() and place.before.isalnum()
            return NOTHING if inside else inline.url(text, at, stop, known, known and not final)
        if char == "<":
            return tag(text, at, stop, known, place)
        if char == "◁":
            return framed(text, at, stop, known, place.hides)
        if char == "%":
            return inline.comment(text, at, stop, known, *place[:2])
        if char == "^":
            return inline.block_name(text, at, stop, known, place.before)
        if char == "[":
            return self._bracket(where, place, quote)
        if char in "$\\":
            found = formula(text, at, stop, known, place.before)
            if found is NOTHING and char == "\\":
                return inline.escape(text, at, stop, known)
            return found
        return _ANYWHERE[char](text, at, stop, known)

    def _bracket(self, where: Stretch, place: Position, quote: bool) -> Found | None:
        text, at, stop, known, _ = where
        mark = bracketed(text, at, stop, place.line_start and place.hides)
        if mark is not NOTHING:
            return mark
        if quote and place.line_start:
            title = inline.callout(text, at, stop, known)
            if title is not NOTHING:
                return title
        found, cited = notes.note(text, at, stop, known, place.before, self._cited)
        self._cited = self._cited or cited
        return inline.link(text, at, stop, known) if found is NOTHING else found
