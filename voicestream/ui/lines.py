"""Lines of coloured text that know their width in cells, and how to make them fit."""

from __future__ import annotations

from typing import TypeAlias

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style

Part: TypeAlias = tuple[str, str]
"""Text and the style it has."""
Line: TypeAlias = list[Part]


def segments(line: Line) -> list[Segment]:
    """Return a line as rich shows it, without its end."""
    return [Segment(text, Style.parse(style)) for text, style in line if text]


def cells(line: Line) -> int:
    """Width of a line."""
    # much of it is plain words, and this is asked often
    return sum(len(text) if text.isascii() else cell_len(text) for text, _ in line)


def clip(text: str, width: int, more: str = "…") -> str:
    """``text`` if it fits into ``width`` cells, else its beginning and ``more``."""
    if cell_len(text) <= width:
        return text
    room = width - cell_len(more)
    return "" if room < 0 else _head(text, room).rstrip() + more


def wrap(text: str, width: int, rows: int, more: str = "…") -> list[str]:
    """``text`` on at most ``rows`` lines of ``width`` cells, broken at spaces where there are any.

    Writing without spaces breaks anywhere.
    """
    lines: list[str] = []
    while len(lines) < rows - 1 and cell_len(text) > width:
        head = _head(text, width)
        space = head.rfind(" ") if text[len(head)] != " " else -1
        if space > len(head) // 2:
            head = head[:space]
        lines.append(head.rstrip())
        text = text[len(head) :].lstrip()
    return [*lines, clip(text, width, more)]


def _head(text: str, width: int) -> str:
    """Return the longest beginning of ``text`` within ``width`` cells."""
    if width < 2:
        return text[:width] if cell_len(text[:width]) <= width else ""
    return chop_cells(text, width)[0] if text else ""


def first_fitting(width: int, *candidates: Line) -> Line:
    """Return the first candidate that fits; the last one cut if none does."""
    for line in candidates:
        if cells(line) <= width:
            return line
    return cut_off(candidates[-1], width)


def cut_off(line: Line, width: int) -> Line:
    cut: Line = []
    for text, style in line:
        head = _head(text, width)
        cut.append((head, style))
        width -= cell_len(head)
        if len(head) < len(text):
            break
    return cut
