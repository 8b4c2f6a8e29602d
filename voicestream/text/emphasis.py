"""Marks of emphasis in Markdown, told from the same signs meant as text.

Judged by the neighbours of a run of them alone, so nothing waits for a closing mark.
"""

from __future__ import annotations

from voicestream.text.writer import is_wide


class Emphasis:
    """How many marks of each kind the paragraph has open."""

    def __init__(self) -> None:
        self._open = {"*": 0, "_": 0, "~": 0}

    def end_paragraph(self) -> None:
        """What is open by now was no mark."""
        self._open = dict.fromkeys(self._open, 0)

    def marks(self, mark: str, size: int, before: str, after: str) -> int:
        """How many of a run of ``size`` times ``mark`` are marks; the rest is text.

        ``before`` and ``after`` are the run's neighbours.
        """
        opened = self._open[mark]
        if mark == "~" and size != 2:
            return 0
        inside = _in_word(before) and _in_word(after)
        if inside and (mark == "_" or (before.isdigit() and after.isdigit())):
            return 0
        if opened and (not before.isspace() or (opened >= size > 1)):
            used = min(size, opened)
            self._open[mark] = opened - used
            return used
        if after.isspace() or _in_word(before):
            return 0
        self._open[mark] = opened + size
        return size


def _in_word(char: str) -> bool:
    """A letter or digit of a script that puts blanks between its words."""
    return char.isalnum() and not is_wide(char)
