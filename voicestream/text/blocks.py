"""The marks with which a line of Markdown begins, each a function of the text from there.

Each takes ``(text, at, stop, known)`` as the inline constructs do and returns a
``Mark``, or ``NO_MARK`` if the line does not begin with it, or None if more
text is needed to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from voicestream.patterns import lazy_pattern
from voicestream.text.inline import HOLD_MAX


class Mark(NamedTuple):
    """A mark that ends before the index ``end``; 0 if there is none."""

    end: int
    kind: Literal["none", "rule", "item", "heading", "fence", "drop", "row"] = "none"
    text: str = ""  # row: the cells with their bars; fence: the marks that opened it


NO_MARK = Mark(0)
Reader: TypeAlias = Callable[[str, int, int, bool], Mark | None]

_RULE = lazy_pattern(r"([-*_=])(?:[ \t]*\1)*[ \t]*")
_BULLET = lazy_pattern(r"[-*+•◦▪‣·●○][ \t]+(?:\[[ xX]\][ \t]+)?")
_BULLET_BEGUN = lazy_pattern(r"[-*+•◦▪‣·●○](?:[ \t]+(?:\[(?:[ xX](?:\][ \t]*)?)?)?)?\Z")
_EMPTY_BULLET = lazy_pattern(r"[-*+•◦▪‣·●○](?=\n)")
_HEADING = lazy_pattern(r"#{1,6}(?:[ \t]+|(?=\n))")
_HEADING_BEGUN = lazy_pattern(r"#{1,6}[ \t]*\Z")
_NUMBER = lazy_pattern(r"\d{1,9}[.)][ \t]")
_NUMBER_BEGUN = lazy_pattern(r"\d{1,9}[.)]?\Z")
_FENCE = lazy_pattern(r"(`{3,})[^`\n]*(?:\n|\Z)|(~{3,})[^\n]*(?:\n|\Z)")
_FENCE_BEGUN = lazy_pattern(r"`{1,2}\Z|`{3,}[^`\n]*\Z|~{1,2}\Z|~{3,}[^\n]*\Z")
_DEFINITION = lazy_pattern(
    r"\[[^\]\n]{1,60}\]:[ \t]*(?:<[^>\n]*>|(?:https?:|mailto:|www\.|[/#.])[^\s]*)[^\n]*(?:\n|\Z)"
    r"|\[\^[^\]\s]{1,40}\]:[ \t]*"
)
_DEFINITION_BEGUN = lazy_pattern(r"\[[^\]\n]{0,60}(?:\](?::[^\n]*)?)?\Z")
_SEPARATOR = lazy_pattern(r"[\s:|-]*-[\s:|-]*\Z")


def _rule(text: str, at: int, stop: int, known: bool) -> Mark | None:
    """``---``, ``* * *``, ``___``, and the ``===`` under a heading."""
    found = _RULE.match(text, at, stop)
    if found is None:
        return NO_MARK
    end = found.end()
    if end == stop:
        if not known:
            return None
        if end - at >= HOLD_MAX:
            return NO_MARK
    elif text[end] != "\n":
        return NO_MARK
    if found.group().count(found[1]) < 3:
        return NO_MARK
    return Mark(min(end + 1, stop), "rule")


def _bullet(text: str, at: int, stop: int, known: bool) -> Mark | None:
    if not known and _BULLET_BEGUN.match(text, at, stop):
        return None
    found = _BULLET.match(text, at, stop) or _EMPTY_BULLET.match(text, at, stop)
    return Mark(found.end(), "item") if found else NO_MARK


def _heading(text: str, at: int, stop: int, known: bool) -> Mark | None:
    if not known and _HEADING_BEGUN.match(text, at, stop):
        return None
    found = _HEADING.match(text, at, stop)
    return Mark(found.end(), "heading") if found else NO_MARK


def _number(text: str, at: int, stop: int, known: bool) -> Mark | None:
    """The number of a list item stays, it is read out: the mark is empty."""
    if not known and _NUMBER_BEGUN.match(text, at, stop):
        return None
    return Mark(at, "item") if _NUMBER.match(text, at, stop) else NO_MARK


def _fence(text: str, at: int, stop: int, known: bool) -> Mark | None:
    if not known and _FENCE_BEGUN.match(text, at, stop):
        return None
    found = _FENCE.match(text, at, stop)
    return Mark(found.end(), "fence", found[1] or found[2]) if found else NO_MARK


def _definition(text: str, at: int, stop: int, known: bool) -> Mark | None:
    """``[name]: address`` is dropped, of a footnote only its mark."""
    if not known and _DEFINITION_BEGUN.match(text, at, stop):
        return None
    found = _DEFINITION.match(text, at, stop)
    return Mark(found.end(), "drop") if found else NO_MARK


def _row(text: str, at: int, stop: int, known: bool) -> Mark | None:
    """A row of a table, with its line end."""
    end = text.find("\n", at, stop) + 1
    if not end:
        if not known:
            return None
        if stop - at >= HOLD_MAX:
            return NO_MARK
        end = stop
    row = text[at:end]
    return Mark(end, "drop") if _SEPARATOR.match(row) else Mark(end, "row", row)


LINE_MARKS: dict[str, tuple[Reader, ...]] = {
    "-": (_rule, _bullet),
    "*": (_rule, _bullet),
    "_": (_rule,),
    "=": (_rule,),
    "#": (_heading,),
    "`": (_fence,),
    "~": (_fence,),
    "[": (_definition,),
    "|": (_row,),
    **dict.fromkeys("+•◦▪‣·●○", (_bullet,)),
    **dict.fromkeys("0123456789", (_number,)),
}
"""Who looks at a line that begins with this character."""
