"""Where text without an end of its own may be cut."""

from __future__ import annotations

import unicodedata

from voicestream.patterns import lazy_pattern

NEAR = 80
"""An open backtick or bracket further back than this is a stray one."""

# A comma and a blank, a dash, a full-width comma: where a clause may end.
_CLAUSE = lazy_pattern(
    r"[,;:،؛][\"'”’»)]*\s+"
    r"|(?<=\s)[–—-]\s+|—"
    r"|[，、；：]"
)


def open_code(text: str, start: int, at: int) -> int:
    """Return where the inline code begins that is open at ``at``; -1 if none is.

    That is after an odd number of backticks of which the last is near, and opens.
    """
    near = text.rfind("`", max(start, at - NEAR), at)
    if near < 0 or text.count("`", start, at) % 2 == 0 or text[near + 1 : near + 2].isspace():
        return -1
    return near


def in_code(text: str, start: int, at: int) -> bool:
    """Inside of inline code."""
    return open_code(text, start, at) >= 0


def clause_end(text: str, start: int, stop: int, min_chars: int, last: bool) -> int:
    """Return the end of the first or last clause of at least so many characters; 0 if there is
    none."""
    best = 0
    for found in _CLAUSE.finditer(text, start, stop):
        end = found.end()
        if end - start < min_chars or in_code(text, start, end) or _in_call(text, start, end):
            continue
        # "1, 2" and "Jan. 5, 2024" stay whole; what follows must be known to tell.
        before, after = text[found.start() - 1 : found.start()], text[end : end + 1]
        if (before.isdigit() or found.group()[0] in "-–") and (not after or after.isdigit()):
            continue
        if not last:
            return end
        best = end
    return best


def _in_call(text: str, start: int, at: int) -> bool:
    """Between the brackets of ``join(a, b)``."""
    opened = text.rfind("(", max(start, at - NEAR), at)
    return opened > start and text[opened - 1].isalnum() and text.find(")", opened, at) < 0


def best_cut(text: str, start: int, size: int) -> int:
    """Return where to cut text that does not end by itself."""
    stop = start + size
    if cut := clause_end(text, start, stop, size // 2, last=True):
        return cut
    blank = max(text.rfind(" ", start + size // 4, stop), text.rfind("\t", start + size // 4, stop))
    if blank > 0:
        return blank + 1
    for cut in range(stop, stop - 32, -1):
        if not _joined(text, cut):
            return cut
    return stop


def _joined(text: str, at: int) -> bool:
    """Do the characters around this index make one character on the screen?"""
    char = text[at]
    return (
        unicodedata.category(char)[0] == "M"
        or char == "\u200d"
        or text[at - 1] == "\u200d"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
    )
