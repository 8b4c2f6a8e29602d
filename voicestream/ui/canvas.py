"""What a picture is drawn on: how wide it is, and with which characters."""

from __future__ import annotations

from rich.cells import cell_len

from voicestream.records import dataclass
from voicestream.ui.lines import Line, cells
from voicestream.ui.summary import duration
from voicestream.ui.terminal import can_show, clean

WIDEST = 88
_NARROWEST_FRAMED = 44


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters a picture is drawn with."""

    frame: str  # corners from top left clockwise, then across and down
    full: str
    empty: str
    mark: str
    parts: str  # one for each part of the way to the first sound
    bullet: str
    arriving: str
    waiting: str
    dot: str
    more: str


_FINE = Glyphs("╭╮╯╰─│", "━", "─", "┃", "━━━━━━", "●", "↓", "·", " · ", "…")
_PLAIN = Glyphs("++++-|", "#", "-", "|", "#=+:-~", "*", ">", ".", ", ", "~")
# Without colours the parts of the bar have to differ in shape.
_SHADES = "█▓▒░▪▫"


class Canvas:
    """The room for one picture.

    Args:
        width: of the terminal, in cells.
        encoding: what it will be written in.
        color: whether colours will be seen; without, shapes tell things apart.
    """

    def __init__(self, width: int, encoding: str, color: bool) -> None:
        self.encoding = encoding
        fine = can_show("".join((_FINE.frame, "━┃●↓·…", _SHADES)), encoding)
        self.glyphs = _FINE if fine else _PLAIN
        shades = _SHADES if fine else _PLAIN.parts
        plain = not (fine and color)
        self.part_glyphs = shades if plain else _FINE.parts
        self.legend = [f"{glyph} " if plain else "" for glyph in shades]
        self.width = max(1, min(width, WIDEST))
        self.framed = self.width >= _NARROWEST_FRAMED
        # Two cells on either side: the frame and air.
        self.inner = self.width - 6 if self.framed else self.width

    def shown(self, text: str, rows: int = 4) -> str:
        """Return as much of a text as fills that many rows, without control characters."""
        return clean(text, self.encoding, limit=rows * self.inner)

    def figure(self, label: str, value_ms: float) -> Line:
        """Return a label and its figure, in columns where there is room."""
        return self.labelled(label, duration(value_ms))

    def labelled(self, label: str, value: str) -> Line:
        """Return a label and what is said of it, in columns where there is room."""
        if not self.framed:
            return [(f"{label} ", "dim"), (value, "bold"), (" ", "")]
        return [(f"{label:<13}", "dim"), (f"{value:>8}", "bold"), ("  ", "")]

    def spread(self, left: Line, right: str) -> Line:
        """Return a line with ``left`` and ``right`` at its ends."""
        if not right:
            return left
        gap = max(2, self.inner - cells(left) - cell_len(right))
        return [*left, (" " * gap, ""), (right, "dim")]
