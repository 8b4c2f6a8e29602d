"""The inline constructs of Markdown, each a function of the text from where it begins.

Each takes ``(text, at, stop, known)``: the construct begins at ``at``, nothing
from ``stop`` on may be looked at, and ``known`` says that no more will come
before ``stop``. Each returns a ``Found``, or ``NOTHING`` if the construct does
not begin here, or None if more text is needed to tell.
"""

from __future__ import annotations

import re

from voicestream.patterns import lazy_pattern
from voicestream.printable import strip_invisible
from voicestream.text.found import BLANK_LINE, GAP, GIVE_UP, NOTHING, Found

_TICKS = lazy_pattern("`+")
_BRACKET = lazy_pattern(
    r"\\.|[\[\]()]|\n[ \t]*\n"
    rf"|(?<=[^\W\d_]{{4}})[.!?…][\"'”’]*{GAP}|[。！？](?=[^\])])",
    re.DOTALL,
)
_DEPTH_MAX = 8
HOLD_MAX = 2000
"""Characters after which an unclosed construct is taken for text."""
_CODE_MAX = 300
_LINK_MAX = 500
_COMMENT_MAX = 300
_BLOCK_NAME = lazy_pattern(r"\^(?=\d*[A-Za-z])[A-Za-z0-9-]{3,40}[ \t]*(?=\n|\Z)")
_BLOCK_NAME_BEGUN = lazy_pattern(r"\^[A-Za-z0-9-]{0,40}[ \t]*\Z")
_NOTE_NUMBER = lazy_pattern(r"\[?\d{1,3}\]?")

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

_WIKI = lazy_pattern(r"\[\[([^\s\[\]|][^\[\]\n|]{0,200})(?:\|([^\[\]\n]{0,200}))?\]\]")
_WIKI_BEGUN = lazy_pattern(
    r"\[(?:\[(?:[^\s\[\]|][^\[\]\n|]{0,200}(?:\|[^\[\]\n]{0,200})?(?:\]\]?)?)?)?\Z"
)
_WIKI_PARTS = lazy_pattern(r"[#^]+")
_CALLOUT = lazy_pattern(r"\[!([A-Za-z-]{1,20})\][+-]?[ \t]*")
_CALLOUT_BEGUN = lazy_pattern(r"\[(?:![A-Za-z-]{0,20}(?:\][+-]?)?)?\Z")

_ENTITY = lazy_pattern(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ENTITY_BEGUN = lazy_pattern(r"&#?[A-Za-z0-9]{0,32}\Z")
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")

URL = lazy_pattern(
    r"(?:https?://|www\.)[^\s<>\"`|“”‘’«»\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]*", re.IGNORECASE
)
_URL_BEGUN = lazy_pattern(r"https?:/?\Z", re.IGNORECASE)
_URL_END = r"(?=[\s<>\"`|“”‘’«»\u3000-\u30ff\u3400-\u9fff\uff00-\uffef])"
_HOST = lazy_pattern(
    r"(?:https?://)?(?:[^\s/?#@]*@)?(\[[0-9a-fA-F:.]+\]|[^\s/?#:@]+)", re.IGNORECASE
)


def code_span(text: str, at: int, stop: int, known: bool) -> Found | None:
    """````code```` -> what is between the backticks, untouched."""
    run = _TICKS.match(text, at, stop)
    assert run is not None  # called at a backtick
    begin = run.end()
    if begin == stop:
        return NOTHING if known else None
    if begin == at + 1 and text[begin].isspace():
        return Found(begin, "`")
    known = known or stop - at >= _CODE_MAX
    stop = min(stop, at + _CODE_MAX)
    given_up = GIVE_UP.search(text, begin, stop)
    end = given_up.start() + 1 if given_up else stop
    for closing in _TICKS.finditer(text, begin, end):
        if closing.end() == stop and not known:
            return None
        if len(closing.group()) != begin - at:
            continue
        inside = text[begin : closing.start()].replace("\n", " ")
        if inside[0] == inside[-1] == " " and inside.strip():
            inside = inside[1:-1]
        return Found(closing.end(), inside)
    return Found(begin, run.group()) if known or given_up else None


def link(text: str, at: int, stop: int, known: bool, image: bool = False) -> Found | None:
    """``[text](target)``, ``[text][name]`` -> text; ``[^1]`` -> nothing.

    ``![alt](source)`` likewise, called at the bracket.
    """
    if at + 1 < stop and text[at + 1].isspace():
        return NOTHING
    if (wiki := _wiki_link(text, at, stop, known, image)) is not NOTHING:
        return wiki
    close = _closing_bracket(text, at, min(stop, at + _LINK_MAX), image)
    if close is None:
        return NOTHING if known or stop - at >= _LINK_MAX else None
    if close < 0:
        return NOTHING
    if note := _FOOTNOTE.match(text, at, close + 1):
        return Found(note.end(), "", "gone")
    after = close + 1
    if after == stop:
        return NOTHING if known else None
    for opening, whole, begun in (
        ("(", _TARGET, _TARGET_BEGUN),
        ("[", _REFERENCE, _REFERENCE_BEGUN),
    ):
        if text[after] != opening:
            continue
        said = text[at + 1 : close]
        if _NOTE_NUMBER.fullmatch(said):
            said = ""  # a source's number
        if target := whole.match(text, after, stop):
            return Found(target.end(), said, "markup" if said else "gone")
        if begun.match(text, after, stop):
            if not known:
                return None
            if stop - at >= HOLD_MAX - 1:  # a picture may stand in its own address
                return Found(stop, said, "skip", r"[)\s]")
    return NOTHING


def image(text: str, at: int, stop: int, known: bool) -> Found | None:
    """``![alt](source)`` -> the words that stand for the picture."""
    if at + 1 == stop:
        return NOTHING if known else None
    return link(text, at + 1, stop, known, image=True) if text[at + 1] == "[" else NOTHING


def _wiki_link(text: str, at: int, stop: int, known: bool, image: bool) -> Found | None:
    """``[[Page#Part|words]]`` -> words, or page and part; ``![[file]]`` -> nothing."""
    found = _WIKI.match(text, at, stop)
    if found is None:
        return None if not known and _WIKI_BEGUN.match(text, at, stop) else NOTHING
    page, words = found[1], found[2]
    if not any(map(str.isalpha, page)):
        return NOTHING
    if image:
        return Found(found.end(), "", "gone")
    return Found(found.end(), words or ", ".join(filter(None, _WIKI_PARTS.split(page))), "markup")


def callout(text: str, at: int, stop: int, known: bool) -> Found | None:
    """``> [!note] Title`` -> the title, or the kind if there is none; called at the bracket."""
    found = _CALLOUT.match(text, at, stop)
    if not known and (_CALLOUT_BEGUN.match(text, at, stop) or (found and found.end() == stop)):
        return None
    if found is None:
        return NOTHING
    if found.end() < stop and text[found.end()] != "\n":
        return Found(found.end())
    return Found(found.end(), found[1].capitalize() + ":")


def comment(
    text: str, at: int, stop: int, known: bool, before: str, line_start: bool
) -> Found | None:
    """``%%not shown%%`` -> nothing, within its paragraph; called at the first sign.

    ``50 %% of %% it`` is text: a comment with blanks at its ends has the line to itself.
    """
    if text[at + 1 : at + 2] not in ("%", "") or before.isalnum():
        return NOTHING
    if at + 2 >= stop:
        return NOTHING if known else None
    loose = text[at + 2].isspace()
    if loose and not line_start:
        return NOTHING
    known = known or stop - at >= _COMMENT_MAX
    end = text.find("%%", at + 2, min(stop, at + _COMMENT_MAX))
    blank = BLANK_LINE.search(text, at, stop if end < 0 else end)
    if end < 0 or blank:
        return NOTHING if known or blank else None
    return NOTHING if text[end - 1].isspace() != loose else Found(end + 2, "", "gone")


def block_name(text: str, at: int, stop: int, known: bool, before: str) -> Found | None:
    """``... ends here. ^quote-1`` -> nothing: what other notes call this paragraph by."""
    if not before.isspace():
        return NOTHING
    if not known and _BLOCK_NAME_BEGUN.match(text, at, stop):
        return None
    found = _BLOCK_NAME.match(text, at, stop)
    return Found(found.end(), "", "gone") if found else NOTHING


def half_link(text: str) -> bool:
    """Does this text end within a link's target?"""
    found = text.rfind("](")
    return found >= 0 and _TARGET_BEGUN.match(text, found + 1) is not None


def _closing_bracket(text: str, at: int, stop: int, image: bool) -> int | None:
    """Return the bracket that closes the one at ``at``; -1 if there is none, None if not yet.

    Unless it is a picture's text, neither a new sentence nor a half-open interval
    like ``[0, 1)`` is looked through.
    """
    depth = parens = 0
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
        elif mark == "(":
            parens += 1
        elif mark == ")":
            parens -= 1
            if parens < 0 and not image:
                return -1
        elif mark[0] == "\n" or (not image and mark[0] != "\\" and _begins(text, found.end())):
            return -1
    return None


def _begins(text: str, at: int) -> bool:
    """Is there a letter that may begin a sentence?"""
    return at < len(text) and text[at].isalpha() and not text[at].islower()


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


def url(text: str, at: int, stop: int, known: bool, full: bool) -> Found | None:
    """Return the host of a bare address. ``full``: it is longer than may be held back."""
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
