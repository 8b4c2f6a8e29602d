"""The inline constructs of Markdown, each a function of the text from where it begins.

Each takes ``(text, at, stop, known)``: the construct begins at ``at``, nothing
from ``stop`` on may be looked at, and ``known`` says that no more will come
before ``stop``. Each returns a ``Found``, or ``NOTHING`` if the construct does
not begin here, or None if more text is needed to tell.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from voicestream.patterns import lazy_pattern
from voicestream.printable import strip_invisible


class Found(NamedTuple):
    """A construct that ends before the index ``end``; 0 if there is none."""

    end: int
    text: str = ""
    kind: str = "text"  # text (as it is), markup (to be rendered), break, skip, drop
    until: str = ""  # kind skip: the pattern that ends what is dropped


NOTHING = Found(0)

_BLANK_LINE = lazy_pattern(r"\n[ \t]*\n")
_TICKS = lazy_pattern("`+")
_BRACKET = lazy_pattern(r"\\.|[\[\]]|\n[ \t]*\n", re.DOTALL)
_DEPTH_MAX = 8

_TARGET = lazy_pattern(
    r"\(\s*(?:<[^<>\n]*>|[^\s()<]*(?:\([^\s()]*\)[^\s()]*)*)"
    r"(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)"
)
_TARGET_BEGUN = lazy_pattern(
    r"\(\s*(?:<[^<>\n]*|(?:<[^<>\n]*>|[^\s()<]*(?:\([^\s()]*\)[^\s()]*)*)"
    r"(?:\([^\s()]*|\s+(?:\"[^\"]*\"?|'[^']*'?|\([^()]*\)?)?\s*)?)\Z"
)
_REFERENCE = lazy_pattern(r"\[[^\[\]\n]{0,200}\]")
_REFERENCE_BEGUN = lazy_pattern(r"\[[^\[\]\n]{0,200}\Z")
_FOOTNOTE = lazy_pattern(r"\[\^[^\]\s]{1,40}\]")

_ENTITY = lazy_pattern(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ENTITY_BEGUN = lazy_pattern(r"&#?[A-Za-z0-9]{0,32}\Z")
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")

_TAG = lazy_pattern(r"<(/?)([A-Za-z][A-Za-z0-9:_-]{0,40})(\s[^<>]*)?/?>")
_TAG_BEGUN = lazy_pattern(r"<(?:/?[A-Za-z][^<>]*|/|![-]?|[^\s<>@]+(?:@[^\s<>@]*)?)?\Z")
_ADDRESS = lazy_pattern(r"<(?:(https?://[^\s<>]*)|(?:mailto:)?([^\s<>@]+@[^\s<>@]+))>")
_HIDDEN = frozenset(("think", "thinking", "reasoning", "script", "style"))
_BREAKS = "br p div li tr h1 h2 h3 h4 h5 h6 hr ul ol table blockquote"
_OTHER_TAGS = (
    "a abbr b big body center cite code dd del details dfn dl dt em figcaption figure font head "
    "html i img input ins kbd mark nav p picture pre q s samp section small source span strike "
    "strong sub summary sup tbody td tfoot th thead title tt u var video wbr"
)
_BREAKING = frozenset(_BREAKS.split())
_KNOWN_TAGS = _BREAKING | frozenset(_OTHER_TAGS.split())

URL = lazy_pattern(
    r"(?:https?://|www\.)[^\s<>\"`|“”‘’«»\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]*", re.IGNORECASE
)
_URL_BEGUN = lazy_pattern(r"https?:/?\Z", re.IGNORECASE)
_URL_END = r"(?=[\s<>\"`|“”‘’«»\u3000-\u30ff\u3400-\u9fff\uff00-\uffef])"
_HOST = lazy_pattern(
    r"(?:https?://)?(?:[^\s/?#@]*@)?([^\s/?#:@]+|\[[0-9a-fA-F:.]+\])", re.IGNORECASE
)


def code_span(text: str, at: int, stop: int, known: bool) -> Found | None:
    """````code```` -> what is between the backticks, untouched."""
    run = _TICKS.match(text, at, stop)
    assert run is not None  # called at a backtick
    if run.end() == stop:
        return NOTHING if known else None
    for closing in _TICKS.finditer(text, run.end(), stop):
        if closing.end() == stop and not known:
            return None
        if len(closing.group()) != len(run.group()):
            continue
        inside = text[run.end() : closing.start()]
        if _BLANK_LINE.search(inside):
            break
        inside = inside.replace("\n", " ")
        if inside[0] == inside[-1] == " " and inside.strip():
            inside = inside[1:-1]
        return Found(closing.end(), inside)
    if known or _BLANK_LINE.search(text, run.end(), stop):
        return Found(run.end(), run.group())
    return None


def link(text: str, at: int, stop: int, known: bool) -> Found | None:
    """``[text](target)``, ``[text][name]`` -> text; ``[^1]`` -> nothing.

    ``![alt](source)`` likewise, called at the bracket.
    """
    close = _closing_bracket(text, at, stop)
    if close is None:
        return NOTHING if known else None
    if close < 0:
        return NOTHING
    if note := _FOOTNOTE.match(text, at, close + 1):
        return Found(note.end())
    after = close + 1
    if after == stop:
        return NOTHING if known else None
    for opening, whole, begun in (
        ("(", _TARGET, _TARGET_BEGUN),
        ("[", _REFERENCE, _REFERENCE_BEGUN),
    ):
        if text[after] != opening:
            continue
        if target := whole.match(text, after, stop):
            return Found(target.end(), text[at + 1 : close], "markup")
        if not known and begun.match(text, after, stop):
            return None
    return NOTHING


def _closing_bracket(text: str, at: int, stop: int) -> int | None:
    """The bracket that closes the one at ``at``; -1 if there is none, None if not yet."""
    depth = 0
    for found in _BRACKET.finditer(text, at, stop):
        mark = found.group()
        if mark == "[":
            depth += 1
            if depth > _DEPTH_MAX:
                return -1
        elif mark == "]":
            depth -= 1
            if depth == 0:
                return found.start()
        elif mark[0] == "\n":
            return -1
    return None


def entity(text: str, at: int, stop: int, known: bool) -> Found | None:
    """``&amp;`` -> ``&``. A control character smuggled in this way is dropped."""
    if found := _ENTITY.match(text, at, stop):
        import html  # 2 ms, rarely needed

        plain = html.unescape(found.group())
        return Found(found.end(), strip_invisible(plain).replace("\n", " ").replace("\r", " "))
    if not known and _ENTITY_BEGUN.match(text, at, stop):
        return None
    return NOTHING


def escape(text: str, at: int, stop: int, known: bool) -> Found | None:
    r"""``\*`` -> ``*``; a backslash before a line end breaks the line."""
    if at + 1 == stop:
        return NOTHING if known else None
    if text[at + 1] == "\n":
        return Found(at + 2, "", "break")
    return Found(at + 2, text[at + 1]) if text[at + 1] in _PUNCTUATION else NOTHING


def tag(text: str, at: int, stop: int, known: bool, line_start: bool) -> Found | None:
    """An HTML tag, a comment, a hidden block (``<think>``) or an address in angle brackets."""
    if text.startswith("<!--", at, stop):
        return Found(at + 4, "", "skip", "-->")
    if address := _ADDRESS.match(text, at, stop):
        return Found(address.end(), host(address[1]) if address[1] else address[2])
    found = _TAG.match(text, at, stop)
    if found and not _BLANK_LINE.search(found.group()):
        name = found[2].lower()
        if name in _HIDDEN and not found[1]:
            return Found(found.end(), "", "skip", f"(?i:</{name}>)")
        if name in _KNOWN_TAGS or name in _HIDDEN or found[1] or line_start:
            breaks = name in _BREAKING and (found[1] or name in ("br", "hr"))
            return Found(found.end(), "", "break" if breaks else "drop")
        return NOTHING
    if known or _BLANK_LINE.search(text, at, stop):
        return NOTHING
    return None if _TAG_BEGUN.match(text, at, stop) else NOTHING


def url(text: str, at: int, stop: int, known: bool, full: bool) -> Found | None:
    """A bare address -> its host. ``full``: it is longer than may be held back."""
    found = URL.match(text, at, stop)
    if found is None:
        return None if not known and _URL_BEGUN.match(text, at, stop) else NOTHING
    if found.end() == stop and not known:
        return None
    address = found.group()
    if found.end() == stop and full:
        return Found(stop, host(address), "skip", _URL_END)
    address = address.rstrip(".,;:!?'*_~)]}\\")
    if address.count("(") > address.count(")") and text.startswith(")", at + len(address)):
        address += ")"
    spoken = host(address)
    return Found(at + len(address), spoken) if spoken else NOTHING


def host(address: str) -> str:
    """``https://user@example.com:80/a?b`` -> ``example.com``; empty if there is none."""
    found = _HOST.match(address)
    if found is None or ("." not in found[1] and "://" not in address):
        return ""
    return found[1]
