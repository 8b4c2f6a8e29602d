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
        self._lost: list[int] = []  # widths of what went off at the top, the lowest last

    @property
    def rows(self) -> int:
        """How many lines the last picture had."""
        return len(self._widths)

    def drawn(self, widths: Sequence[int], columns: int, rows: int) -> None:
        """A picture of lines so wide, in cells, was drawn on a terminal of that size."""
        self._widths, self._columns, self._rows = widths, columns, rows

    def printed(self) -> None:
        """Something else was written above: what is above that is not ours to erase."""
        self._lost.clear()

    def rows_more(self, columns: int, rows: int) -> int:
        """Rows to erase above the cursor beyond one for each line that was drawn."""
        if not self._columns:
            return 0
        narrower = columns < self._columns
        heights = [self._height(width, columns) if narrower else 1 for width in self._widths]
        more = sum(heights) - len(heights)
        off = sum(heights) - rows
        if self._pushes:  # first what stood above, of which there may be as much as fits
            off = max(off, more - (self._rows - len(heights)))
        for width, height in zip(self._widths, heights, strict=True):
            if off > 0:
                self._lost.append(min(min(off, height) * columns, width))
                off -= height
        grown = rows > self._rows and not (narrower and self._pushes)
        if grown or columns > self._columns:
            room = rows - sum(heights)
            while self._lost and (height := self._height(self._lost[-1], columns)) <= room:
                self._lost.pop()
                more, room = more + height, room - height
        return more

    def _height(self, width: int, columns: int) -> int:
        return max(1, math.ceil(width / columns)) if self._folds else 1
