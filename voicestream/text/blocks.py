"""The marks with which a line of Markdown begins, each a function of the text from there.

Each takes ``(text, at, stop, known)`` as the inline constructs do and returns a
``Mark``, or ``NO_MARK`` if the line does not begin with it, or None if more
text is needed to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from voicestream.patterns import lazy_pattern
from voicestream.text.found import NOTHING, Found
from voicestream.text.inline import HOLD_MAX
from voicestream.text.writer import Writer

CodeMode: TypeAlias = Literal["announce", "skip", "read"]
CODE_ANNOUNCEMENT = "(code block)"


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

_BARS = "│┃║"
_BOX = "\u2500-\u259f"
_DRAWN = lazy_pattern(
    rf"(?:[{_BOX}][{_BOX} \t|+-]*|\+[-=][-=+:| \t]*|~{{6,}}[ \t]*|\#{{7,}}[ \t]*|\.{{4,}}[ \t]*"
    r"|[·•][·•]{2,}[ \t]*|[—–][—–]{2,}[ \t]*)(?:\n|\Z)"
)
_DRAWN_BEGUN = lazy_pattern(
    rf"(?:[{_BOX}][{_BOX} \t|+-]*|\+(?:[-=][-=+:| \t]*)?|~{{1,60}}[ \t]*|\#{{1,60}}[ \t]*"
    r"|\.{1,60}[ \t]*|[·•]{1,60}[ \t]*|[—–]{1,60}[ \t]*)\Z"
)
_BRANCH = lazy_pattern(rf"(?:[{_BOX}]+[ \t]*)+")
_BRANCH_BEGUN = lazy_pattern(rf"[{_BOX} \t]+\Z")
_HEAD_MAX = 200
"""Characters of a table's head."""
_SEPARATOR_LINE = lazy_pattern(r"[ \t:|-]+(?:\n|\Z)")
_SEPARATOR_BEGUN = lazy_pattern(r"[ \t:|-]*\Z")


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
    """Return an empty mark: the number of a list item stays, it is read out."""
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


def row(text: str, at: int, stop: int, known: bool) -> Mark | None:
    """Return a row of a table, with its line end."""
    end = text.find("\n", at, stop) + 1
    if not end:
        if not known:
            return None
        if stop - at >= HOLD_MAX:
            return NO_MARK
        end = stop
    line = text[at:end]
    return Mark(end, "drop") if _SEPARATOR.match(line) else Mark(end, "row", line)


def _drawn(text: str, at: int, stop: int, known: bool) -> Mark | None:
    """Return a line, box or tree drawn with characters; a box's row is one of a table."""
    if not known and _DRAWN_BEGUN.match(text, at, stop):
        return None
    if found := _DRAWN.match(text, at, stop):
        return Mark(found.end(), "rule")
    if text[at] in _BARS:
        cells = row(text, at, stop, known)
        if cells is None or sum(map(cells.text.count, _BARS)) > 1:
            return cells
    if not known and _BRANCH_BEGUN.match(text, at, stop):
        return None
    branch = _BRANCH.match(text, at, stop)
    return Mark(branch.end(), "item") if branch else NO_MARK


def table_head(text: str, at: int, stop: int, known: bool) -> Found | None:
    """Return a bar between the names on top of a table: the names from there on, and the rule
    below."""
    known = known or stop - at >= _HEAD_MAX
    stop = min(stop, at + _HEAD_MAX)
    end = text.find("\n", at, stop) + 1
    if not end:
        return NOTHING if known else None
    if not known and _SEPARATOR_BEGUN.match(text, end, stop):
        return None
    rule = _SEPARATOR_LINE.match(text, end, stop)
    if rule and "|" in rule[0] and "-" in rule[0]:
        return Found(rule.end(), text[at + 1 : end], "break")
    return NOTHING


class FencedCode:
    """Fenced code, line by line: announced in two words, skipped, or read out.

    Args:
        writer: what is said goes there.
    """

    def __init__(self, mode: CodeMode, writer: Writer) -> None:
        self._mode = mode
        self._writer = writer
        self._in_line = False
        self.marks = ""
        """Those that opened the block we are in; empty outside."""

    def begin(self, marks: str) -> None:
        """Open a block, on a line of its own."""
        self.marks, self._in_line = marks, False
        if self._mode == "announce":
            self._writer.say(CODE_ANNOUNCEMENT)
            self._writer.line_feeds(1)

    def line(self, text: str, at: int, final: bool) -> int | None:
        """Take a line, or what there is of it; return its end, None if more of it is needed."""
        end = text.find("\n", at) + 1
        line = text[at:end] if end else text[at:]
        bare = line.strip(" \t\n>")
        if not self._in_line and not bare.strip(self.marks[0]):
            if not end and not final and len(line) < HOLD_MAX:
                return None  # may become the closing line
            if len(bare) >= len(self.marks) and len(line) < HOLD_MAX:
                self.marks = ""
                return end or len(text)
        self._in_line = not end
        if self._mode == "read":
            self._writer.say(line.rstrip("\n"))
            self._writer.line_feeds(1 if end else 0)
        return end or len(text)


LINE_MARKS: dict[str, tuple[Reader, ...]] = {
    "-": (_rule, _bullet),
    "*": (_rule, _bullet),
    "_": (_rule,),
    "=": (_rule,),
    "#": (_drawn, _heading),
    "`": (_fence,),
    "~": (_drawn, _fence),
    "[": (_definition,),
    "|": (row,),
    **dict.fromkeys("+•◦▪‣·●○", (_drawn, _bullet)),
    **dict.fromkeys(map(chr, range(0x2500, 0x25A0)), (_drawn,)),
    **dict.fromkeys(".—–", (_drawn,)),
    **dict.fromkeys("0123456789", (_number,)),
}
"""Who looks at a line that begins with this character."""
