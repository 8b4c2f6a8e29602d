"""What becomes of a picture on a terminal that changes its size under it."""

from __future__ import annotations

import math
from collections.abc import Sequence


class LastPicture:
    """Where the rows of the last picture are by now.

    A terminal that becomes narrower folds lines; what does not fit any more goes off at the top,
    and comes back when the terminal grows.

    Args:
        folds: whether the terminal folds lines; else it cuts them.
        pushes: whether folding sends as many rows off at the top as it makes, though there be
            room below (tmux).
    """

    def __init__(self, folds: bool, pushes: bool = False) -> None:
        self._folds = folds
        self._pushes = pushes
        self._widths: Sequence[int] = ()
        self._columns = self._rows = 0
        self._below = 0  # empty rows under the last picture, as far as they are known
        self._began_above = False  # its first row went off at the top
        self._lost: list[int] = []  # widths of what went off at the top, the lowest last

    @property
    def rows(self) -> int:
        """How many lines the last picture had."""
        return len(self._widths)

    def drawn(self, widths: Sequence[int], columns: int, rows: int) -> None:
        """A picture of lines so wide, in cells, was drawn on a terminal of that size."""
        if self._pushes and self._began_above:  # it was drawn from the first row on
            self._below = rows - len(widths)
        self._widths, self._columns, self._rows = widths, columns, rows

    def printed(self) -> None:
        """Something else was written above: what is above that is not ours to erase."""
        self._lost.clear()

    def rows_more(self, columns: int, rows: int) -> int:
        """Rows to erase above the cursor beyond one for each line that was drawn."""
        if not self._columns:
            return 0
        widths, shown = list(self._widths), len(self._widths)
        narrower = columns < self._columns
        if self._pushes and narrower and rows > self._rows:
            widths[:0] = self._back(self._columns, rows - self._rows)  # it grows, then it folds
        elif self._pushes:
            self._below = max(self._below - max(self._rows - rows, 0), 0)
        heights = [self._height(width, columns) if narrower else 1 for width in widths]
        off = sum(heights) + self._below - rows
        self._began_above = off > 0
        for width, height in zip(widths, heights, strict=True):
            if off > 0:
                self._lost.append(min(min(off, height) * columns, width))
                off -= height
        more = sum(heights) - shown
        if (rows > self._rows and not (narrower and self._pushes)) or columns > self._columns:
            back = self._back(columns, rows - sum(heights))
            more += sum(self._height(width, columns) for width in back)
        return more

    def _back(self, columns: int, room: int) -> list[int]:
        """Take what comes back into so many rows; return the widths, in their order."""
        back: list[int] = []
        while self._lost and (height := self._height(self._lost[-1], columns)) <= room:
            back.insert(0, self._lost.pop())
            room -= height
        return back

    def _height(self, width: int, columns: int) -> int:
        return max(1, math.ceil(width / columns)) if self._folds else 1
