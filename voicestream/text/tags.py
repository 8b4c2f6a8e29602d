"""HTML in Markdown: tags, comments, hidden blocks and addresses in angle brackets."""

from __future__ import annotations

from typing import NamedTuple

from voicestream.patterns import lazy_pattern
from voicestream.text.found import BLANK_LINE, GIVE_UP, NOTHING, Found
from voicestream.text.inline import host
from voicestream.text.model_marks import HIDDEN, TOKENS, role, special_token

_NAME = "[A-Za-z][A-Za-z0-9:_-]{0,40}"
_ATTRIBUTE = "[A-Za-z_:@][A-Za-z0-9_:.@-]*"
_SWITCH = (
    "allowfullscreen|async|autoplay|checked|controls|defer|disabled|download|hidden|itemscope|"
    "loop|multiple|muted|nowrap|open|playsinline|readonly|required|reversed|selected"
)
_ATTRIBUTES = (
    rf"(?:\s+(?:{_ATTRIBUTE}\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>=`]+)|(?:{_SWITCH})(?=[\s/>])))*"
)
_TAG = lazy_pattern(rf"<(/?)({_NAME})({_ATTRIBUTES})\s*/?>")
_TAG_BEGUN = lazy_pattern(
    rf"<(?:/?{_NAME}{_ATTRIBUTES}(?:\s+(?:{_ATTRIBUTE}(?:\s*|\s*=\s*"
    r"(?:\"[^\"]*|'[^']*|[^\s\"'<>=`]*)?))?)?\s*/?|/|!-?|https?:[^\s<>]*|[^\s<>@]+@[^\s<>@]*)?\Z"
)
_ADDRESS = lazy_pattern(r"<(?:(https?://[^\s<>]*)|(?:mailto:)?([^\s<>@]+@[^\s<>@]+))>")
_ADDRESS_BEGUN = lazy_pattern(r"<[^\s<>@]{1,80}\Z")
_FUNCTION = lazy_pattern(r"<function=[^<>\s]{1,80}>")
_HIDDEN_MAX = 300

_BREAKS = (
    "article aside blockquote br caption dd details div dt fieldset figcaption footer form "
    "h1 h2 h3 h4 h5 h6 header hr legend li main ol option p section summary table tr ul"
)
_OTHER_TAGS = (
    "a abbr b big body button center cite code del dfn dl em emphasis figure font head "
    "html i img input ins kbd label mark nav picture pre prosody q s samp select small source "
    "span speak strike strong sub sup tbody td tfoot th thead title tt u var video wbr"
)
_BREAKING = frozenset(_BREAKS.split())
_KNOWN_TAGS = _BREAKING | frozenset(_OTHER_TAGS.split()) | TOKENS
_CELLS = frozenset(("td", "th"))
_EMPTY = frozenset("br hr img input wbr source".split())
_WRAPPINGS = frozenset("answer response final output".split())
"""What models put round their answers, at the start of a line."""


class Position(NamedTuple):
    """Where a construct stands.

    Attributes:
        before: the character before it.
        line_start: nothing was said in this line yet.
        may_hide: hidden blocks may begin in this text.
    """

    before: str
    line_start: bool
    may_hide: bool

    @property
    def hides(self) -> bool:
        """A block that begins here is hidden."""
        return self.may_hide and (self.line_start or self.before in ".!?…")


def tag(text: str, at: int, stop: int, known: bool, place: Position) -> Found | None:
    """Judge what begins with ``<``.

    A hidden block begins where a line does; in a sentence its tag is merely named,
    and so is any other opening tag that stands between blanks.
    """
    if text.startswith("<!--", at, stop):
        return _comment(text, at, stop, known, place)
    if text[at + 1 : at + 2] in ("|", "｜"):
        return special_token(text, at, stop, known)
    if address := _ADDRESS.match(text, at, stop):
        return Found(address.end(), host(address[1]) if address[1] else address[2])
    if place.hides and (call := _FUNCTION.match(text, at, stop)):
        return Found(call.end(), "", "hide", "</function>")
    found = _TAG.match(text, at, stop)
    if found is None or BLANK_LINE.search(found.group()):
        if known or BLANK_LINE.search(text, at, stop):
            return NOTHING
        begun = _TAG_BEGUN.match(text, at, stop) or _ADDRESS_BEGUN.match(text, at, stop)
        return None if begun else NOTHING
    name, end = found[2].lower(), found.end()
    if name in HIDDEN and found[0].endswith("/>"):
        return Found(end, "", "gone")
    if name in HIDDEN and place.hides:
        if not found[1]:
            return Found(end, "", "hide", f"(?i:</{name}>)")
        # what it closes came before the text, as reasoning may
        return Found(end) if place.line_start else Found(end, "", "break")
    if name == "start_of_turn":
        return role(text, end, stop, known)
    blank = place.before.isspace() and not place.line_start
    if name in HIDDEN:
        if not found[1]:
            after = text[end : min(end + 2, stop)]
            if not known and (after == "" or after == "\n"):
                return None
            if after[1:] in ("{", "<") and after[0] == "\n" and place.may_hide:
                return Found(end, "", "hide", f"(?i:</{name}>)")
            if end < stop and not text[end].isspace():
                inner = _within(text, end, stop, known, f"</{found[2]}>")
                if inner is not NOTHING:
                    return inner
        if found[1] and not blank:
            return Found(end, "", "gone")
        return Found(end, f"{found[1]}{name}")
    if blank and name in _KNOWN_TAGS and not found[1] and not found[3] and name not in _EMPTY:
        if end == stop and not known:
            return None
        if end == stop or text[end].isspace() or text[end] in ".,;:!?)":
            return Found(end, name)
    if name == "sup" and not found[1] and place.before.isdigit():
        if end == stop and not known:
            return None
        power = text[end:stop][:1]
        # 5<sup>2</sup> is not 52
        return Found(end, "^" if power.isdigit() or power in ("+", "-", "\u2212") else "")
    return _plain_tag(name, bool(found[1]), bool(found[3]), blank, end, place.line_start)


def _plain_tag(
    name: str, closing: bool, attributes: bool, blank: bool, end: int, line_start: bool
) -> Found:
    if name in _BREAKING and (closing or name in ("br", "hr") or not line_start):
        return Found(end, "", "break")
    if name in _CELLS and not closing and not line_start:
        return Found(end, ", ")
    if name in _KNOWN_TAGS or attributes or (name in _WRAPPINGS and line_start):
        return Found(end)
    return Found(end) if closing and not blank else NOTHING


def _comment(text: str, at: int, stop: int, known: bool, place: Position) -> Found | None:
    """Return a comment; one that begins in a sentence must end in it."""
    if place.line_start:
        return Found(at + 4, "", "hide", "-->")
    return _within(text, at + 4, stop, known, "-->")


def _within(text: str, at: int, stop: int, known: bool, closing: str) -> Found | None:
    """Return a hidden block in a sentence: up to ``closing``, if that comes before its end."""
    known = known or stop - at >= _HIDDEN_MAX
    stop = min(stop, at + _HIDDEN_MAX)
    end = text.find(closing, at, stop)
    for sentence in GIVE_UP.finditer(text, at, stop if end < 0 else end + len(closing)):
        after = sentence.end()
        if not closing.startswith(text[after : min(after + len(closing), stop)]):
            return NOTHING
    if end >= 0:
        return Found(end + len(closing), "", "gone")
    return NOTHING if known else None
