"""Where a TeX formula begins and ends in a text; what stands for money or a path is none."""

from __future__ import annotations

from voicestream.patterns import lazy_pattern
from voicestream.text.found import BLANK_LINE, GIVE_UP, NOTHING, Found

_MAX = 300
_DISPLAY_MAX = 1000
_COMMAND = lazy_pattern(r"\\([A-Za-z]+)\*?")
_BEGIN = lazy_pattern(
    r"\\begin\{((?:equation|align|aligned|gather|multline|eqnarray|cases|[bpv]?matrix)\*?)\}"
)
_BEGIN_BEGUN = lazy_pattern(r"\\begin(?:\{[a-z]{0,9}\*?\}?)?\Z")
_GROUP = lazy_pattern(r"\{[^{}]*\}?|\\[A-Za-z]+")
_PROSE = lazy_pattern(r"[^\W\d_]{2,}[,;:]?\s+[^\W\d_]{2,}")
_CLOSING_DOLLAR = lazy_pattern(r"(?<![\s\\])\$(?![\w$])")
_MATH = lazy_pattern(r"[\\^_=+<>{}*/|]|\A\S{1,12}\Z")
_CERTAIN = lazy_pattern(r"[\\^_=+<>{}*/|\d]|\A\w\Z")
_BRACE = lazy_pattern(r"\\.|[{}]")


def formula(text: str, at: int, stop: int, known: bool, before: str) -> Found | None:
    """Judge what begins with ``$`` or a backslash.

    Args:
        before: the character before it.
    """
    head = text[at : min(at + 2, stop)]
    if len(head) < 2:
        return NOTHING if known else None
    if head == "$$":
        return _display(text, at, at + 2, stop, known, "$$")
    if head[0] == "$":
        return NOTHING if before.isalnum() else _dollars(text, at, stop, known)
    if head in ("\\(", "\\["):
        found = _display(text, at, at + 2, stop, known, "\\)" if head[1] == "(" else "\\]")
        return _apart(text, at, found, before) if found and before.isalnum() else found
    if not (head[1].isascii() and head[1].isalpha()) or before.isalnum() or before in ":\\":
        return NOTHING
    return _command(text, at, stop, known)


def _said(source: str, end: int) -> Found:
    from voicestream.text.tex import spoken  # rarely needed

    return Found(end, spoken(source) or " ")


def _apart(text: str, at: int, found: Found, before: str) -> Found:
    """``20\\(3\\)`` is an issue of a volume, with escapes; no word runs into a formula."""
    if before.isdigit() and text[at + 2 : found.end - 2].isdigit():
        return NOTHING
    return found._replace(text=f" {found.text}") if found.text[:1].isalnum() else found


def _is_prose(source: str) -> bool:
    return _PROSE.search(_GROUP.sub(" ", source)) is not None


def _dollars(text: str, at: int, stop: int, known: bool) -> Found | None:
    """``$x$``; a price is no formula, and a formula holds no two words in a row."""
    if text[at + 1].isspace():
        return NOTHING
    known = known or stop - at >= _MAX
    stop = min(stop, at + _MAX)
    dollar = text.find("$", at + 1, stop)
    while dollar > 0 and text[dollar - 1] == "\\":
        dollar = text.find("$", dollar + 1, stop)
    inside = text[at + 1 : stop if dollar < 0 else dollar]
    if _is_prose(inside) or GIVE_UP.search(inside):
        return NOTHING
    if dollar < 0 or (dollar + 1 == stop and not known):
        return NOTHING if known else None
    if not _CLOSING_DOLLAR.match(text, dollar, stop) or not _MATH.search(inside):
        return NOTHING
    return _said(inside, dollar + 1)


def _display(text: str, at: int, start: int, stop: int, known: bool, closing: str) -> Found | None:
    known = known or stop - at >= _DISPLAY_MAX
    stop = min(stop, at + _DISPLAY_MAX)
    end = text.find(closing, start, stop)
    inside = text[start : stop if end < 0 else end]
    if _is_prose(inside) or BLANK_LINE.search(inside):
        return NOTHING
    if end < 0:
        return NOTHING if known else None
    if closing != "$$" and not _CERTAIN.search(inside.strip()):
        return NOTHING
    return _said(inside, end + len(closing))


def _command(text: str, at: int, stop: int, known: bool) -> Found | None:
    r"""``\boxed{42}`` outside of a formula."""
    from voicestream.text.tex import ARGUMENTS, is_command

    if begun := _BEGIN.match(text, at, stop):
        closing = f"\\end{{{begun[1]}}}"
        return _display(text, at, begun.end(), stop, known, closing)
    name = _COMMAND.match(text, at, stop)
    assert name is not None  # called at a backslash before a letter
    if not known and (name.end() == stop or _BEGIN_BEGUN.match(text, at, stop)):
        return None
    if not is_command(name[1]):
        return NOTHING
    end = name.end()
    known = known or stop - at >= _MAX
    stop = min(stop, at + _MAX)
    for _ in range(ARGUMENTS.get(name[1], 0)):
        if end < stop and text[end] != "{":
            return NOTHING
        group = _group_end(text, end, stop)
        if group is None:
            return NOTHING if known or BLANK_LINE.search(text, end, stop) else None
        end = group
    return _said(text[at:end], end)


def _group_end(text: str, at: int, stop: int) -> int | None:
    """Return the end of the group in braces that begins here; None if it is not there (yet)."""
    depth = 0
    for found in _BRACE.finditer(text, at, stop):
        depth += (found[0] == "{") - (found[0] == "}")
        if depth == 0 and found[0] == "}":
            return found.end()
    return None
