"""Marks of emphasis in Markdown, told from the same signs meant as text.

A run is judged by its neighbours. One that may open waits for what closes it, but
not longer than to the end of its sentence.
"""

from __future__ import annotations

from voicestream.patterns import lazy_pattern
from voicestream.text.found import SENTENCE_END
from voicestream.text.writer import is_wide

_SCAN = lazy_pattern(r"\\.|\*+|_+|~+|=+|\n[ \t]*(?=\n|[-*+#>|] |\d+[.)] )" rf"|(?:{SENTENCE_END})")
_WAIT_CHARS = 200
_WAIT_AT_START_CHARS = 60
_PARAMETER = lazy_pattern(r"(?:kw\w*|args|params|options|opts|\w+_\w+)\b(?![*_])")


class Emphasis:
    """Counts the marks of each kind that are open in the paragraph."""

    def __init__(self) -> None:
        self._open = {"*": 0, "_": 0, "~": 0, "=": 0}

    def end_paragraph(self) -> None:
        """Forget all marks that are still open: they were text."""
        self._open = dict.fromkeys(self._open, 0)

    def read(
        self, text: str, at: int, end: int, stop: int, known: bool, before: str, line_start: bool
    ) -> int | None:
        """Return how many signs of the run from ``at`` to ``end`` are marks; the rest is text.

        Args:
            known: no more text will come before ``stop``.
            before: the character before the run.
            line_start: the run begins a line.

        Returns:
            None if more text is needed to tell.
        """
        mark, size = text[at], end - at
        after = text[end] if end < stop else " "
        if used := _closed(mark, size, before, after, self._open[mark]):
            self._open[mark] -= used
            return used
        if not may_open(mark, size, before, after):
            return 0
        closed = is_closed(text, end, stop, known, size, line_start)
        if closed:
            self._open[mark] += size
        return None if closed is None else size * closed


def may_open(mark: str, size: int, before: str, after: str) -> bool:
    """Return whether a run with these neighbours can be an opening mark."""
    if mark in "~=" and size != 2:
        return False
    if _is_inside(mark, before, after) or after.isspace() or _in_word(before):
        return False
    return after not in ".,;:!?)…" if mark != "=" else not before.isalnum()


def is_closed(
    text: str, start: int, stop: int, known: bool, size: int, line_start: bool
) -> bool | None:
    """Return whether something closes the run that ends at ``start``.

    Args:
        size: how many signs the run has.
        known: no more text will come before ``stop``.
        line_start: the run begins a line: there, whole sentences are often marked.

    Returns:
        None if more text is needed to tell.
    """
    mark = text[start - 1]
    wait = _WAIT_AT_START_CHARS if line_start else _WAIT_CHARS
    limit = min(stop, start + wait)
    open_marks = size
    for found in _SCAN.finditer(text, start, limit):
        run = found.group()
        if run[0] == "\n":
            return False
        if run[0] not in "*_~=":
            if run[0] == "\\":
                continue
            return line_start or (size > 1 and _PARAMETER.match(text, start) is None)
        if run[0] != mark:
            continue
        if found.end() == limit and not (known and limit == stop):
            break
        before, after = text[found.start() - 1], text[found.end() : found.end() + 1] or " "
        used = _closed(mark, len(run), before, after, open_marks)
        open_marks -= used
        if open_marks <= 0:
            return True
        if not used and may_open(mark, len(run), before, after):
            open_marks += len(run)
    if limit < stop or (stop - start >= wait):
        return line_start or size > 1
    return False if known else None


def _closed(mark: str, size: int, before: str, after: str, opened: int) -> int:
    if _is_inside(mark, before, after) or (mark in "~=" and size != 2):
        return 0
    if opened and (not before.isspace() or (opened >= size > 1)):
        return min(size, opened)
    return 0


def _is_inside(mark: str, before: str, after: str) -> bool:
    """Within a word or a number, where these signs are no marks."""
    inside = _in_word(before) and _in_word(after)
    return inside and (mark in "_=" or (before.isdigit() and after.isdigit()))


def _in_word(char: str) -> bool:
    """Return whether this is a letter or digit of a script that puts blanks between its words."""
    return char.isalnum() and not is_wide(char)
