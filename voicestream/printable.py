"""What may be shown or spoken of a stranger's text: no control reaches a terminal or a log.

Text comes from models, servers and files. Escape sequences could retitle or
wreck a terminal, bidirectional controls could make a line read as something
else. Both are taken out whole, here and nowhere else.
"""

from __future__ import annotations

from voicestream.patterns import lazy_pattern

_ESC_LIMIT = 4096
"""Characters after which an unfinished escape sequence is text after all."""

# Letters and marks of scripts in which ZWJ and ZWNJ are part of the spelling: Arabic (with
# Persian and Urdu), Syriac, N'Ko; the Indic scripts up to Sinhala; Tibetan and Myanmar; Khmer and
# Mongolian.
_JOINING = "\u0600-\u085f\u08a0-\u0dff\u0f00-\u109f\u1780-\u18aa\ufb50-\ufdcf\ufe70-\ufefc"
_VIRAMA = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca"

_INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 without \t \n and the line ends, DEL, C1
    "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f"  # soft hyphen, joiners, zero width, marks
    "\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidirectional, invisible operators, BOM
    "\ufdd0-\ufdef\ufffe\uffff"  # never characters
    "\ud800-\udfff"  # halves of characters
    "\U000e0000-\U000e0fff"  # tags and variation selectors that can carry hidden text
)
_LINE_ENDS = "\x0b\x0c\x85\u2028\u2029"

DIRTY = lazy_pattern(f"[{_INVISIBLE}{_LINE_ENDS}\r\u200c\u200d]")
"""Finds anything that cleaning would change."""

# An escape sequence (ECMA-48): CSI, the strings (OSC, DCS, SOS, PM, APC), and the short ones.
# Their one-character forms of C1 are also what a wrongly decoded quotation mark looks like
# (U+009D, U+009C), so these must look like a sequence for certain.
_BODY = f"[^\\x07\\x18\\x1a\\x1b\\x9c\n\r]{{0,{_ESC_LIMIT}}}"
_SEQUENCE = lazy_pattern(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"
    rf"|\x1b[\]PX^_]{_BODY}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{1,8}[0-~]"
    r"|\x1b[0-OQ-WYZ`-~\\]"
    r"|\x9b[0-?]{1,64}[ -/]{0,8}[@-~]"
    rf"|\x9d[0-9]{{1,4}};{_BODY}(?:\x07|\x1b\\|\x9c)"
)
_UNFINISHED = lazy_pattern(
    r"(?:\x1b\[[0-?]{0,64}[ -/]{0,8}"
    rf"|\x1b[\]PX^_]{_BODY}\x1b?"
    r"|\x1b[ -/]{0,8}"
    r"|\x9b[0-?]{0,64}[ -/]{0,8}"
    rf"|\x9d[0-9]{{0,4}}|\x9d[0-9]{{1,4}};{_BODY}\x1b?)\Z"
)
_OPENERS = frozenset("[]PX^_")
_INTRODUCER = lazy_pattern("[\x1b\x9b\x9d]")
_STRIP = lazy_pattern(f"[{_INVISIBLE}]+")
_BREAK = lazy_pattern(f"[{_LINE_ENDS}]")
_STRAY_JOINER = lazy_pattern(
    f"(?<![{_JOINING}])[\u200c\u200d]"
    f"|(?<![{_VIRAMA}])[\u200c\u200d](?![{_JOINING}])"
    f"|[\u200c\u200d](?=[\u200c\u200d])"
)
_BLANKS = lazy_pattern(r"\s+")


def strip_escapes(text: str, final: bool = True) -> tuple[str, str]:
    """Take whole escape sequences out.

    Returns:
        The text without them, and what must wait for more text (empty if ``final``).
    """
    parts: list[str] = []
    start = 0
    while (found := _INTRODUCER.search(text, start)) is not None:
        at = found.start()
        parts.append(text[start:at])
        if (sequence := _SEQUENCE.match(text, at)) is not None:
            start = sequence.end()
        elif not final and _UNFINISHED.match(text, at):
            return "".join(parts), text[at:]
        else:  # only its beginning: the rest is text
            start = at + (2 if text[at + 1 : at + 2] in _OPENERS else 1)
    parts.append(text[start:])
    return "".join(parts), ""


def strip_invisible(text: str) -> str:
    """Drop single controls; form feeds, vertical tabs and the like become line feeds."""
    return _BREAK.sub("\n", _STRIP.sub("", text))


def strip_joiners(text: str) -> str:
    """Drop ZWJ and ZWNJ except where they are part of a word's spelling."""
    return _STRAY_JOINER.sub("", text)


def escaped(literal: str) -> str:
    r"""JSON that is safe to show and means the same: what JSON leaves raw as ``\u....``."""
    import json

    return DIRTY.sub(lambda found: json.dumps(found[0])[1:-1], literal)


def printable(text: str, limit: int | None = None) -> str:
    """Return one line that is safe to show: no controls, blanks and line ends as one space.

    Args:
        text: anything.
        limit: at most so many characters; what is cut off shows as an ellipsis.
    """
    if not (text.isascii() and text.isprintable()):
        text = strip_joiners(strip_invisible(strip_escapes(text.replace("\r", "\n"))[0]))
    line = _BLANKS.sub(" ", text).strip()
    if limit is not None and len(line) > limit:
        return line[: max(0, limit - 1)] + "…"
    return line
