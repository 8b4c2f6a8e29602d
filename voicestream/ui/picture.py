"""Snapshot -> picture: lines of coloured text, each measured in cells.

The lines are laid by hand and not by nested tables: a frame then costs a fraction
of a millisecond, and a narrow terminal drops the lesser words instead of folding.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import RenderableType

from voicestream.metrics import Snapshot
from voicestream.state import State
from voicestream.ui.lines import Line, Part, cells, clip, first_fitting, renderable, wrap
from voicestream.ui.summary import count, duration, heard_s, seconds, ttfa_parts
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


_FINE = Glyphs("╭╮╯╰─│", "━", "─", "┃", "━━━━", "●", "↓", "·", " · ", "…")
_PLAIN = Glyphs("++++-|", "#", "-", "|", "#=+:", "*", ">", ".", ", ", "~")
# Without colours the parts of the bar have to differ in shape.
_SHADES = "█▓▒░"

_STATES: dict[State, Part] = {
    State.IDLE: ("starting", "cyan"),
    State.CONNECTING: ("asking for speech", "cyan"),
    State.PREBUFFERING: ("gathering sound", "cyan"),
    State.PLAYING: ("speaking", "green"),
    State.REBUFFERING: ("waiting for more sound", "yellow"),
    State.DRAINING: ("speaking the rest", "green"),
    State.DONE: ("done", "green"),
    State.FAILED: ("failed", "red"),
    State.CANCELLED: ("stopped", "yellow"),
}
_PART_STYLES = ("blue", "cyan", "magenta", "yellow")
_ENDED = frozenset({"done", "failed", "cancelled"})
_IN_FLIGHT = frozenset({"requested", "arriving"})


def render(
    snapshot: Snapshot,
    width: int,
    height: int | None = None,
    encoding: str = "utf-8",
    color: bool = True,
) -> RenderableType:
    """The picture of a snapshot: what ``draw`` lays, for rich to show."""
    return renderable(draw(snapshot, width, height, encoding, color))


def draw(
    snapshot: Snapshot,
    width: int,
    height: int | None = None,
    encoding: str = "utf-8",
    color: bool = True,
) -> list[Line]:
    """The lines of the picture, none wider than ``width`` cells, at most ``height`` of them.

    Args:
        encoding: what it will be written in; decides which characters may stand in it.
        color: whether colours will be seen; without, shapes tell things apart.
    """
    return _Picture(snapshot, width, encoding, color).lines(height)


def _share(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0) if whole > 0.0 else 0.0


class _Picture:
    def __init__(self, snapshot: Snapshot, width: int, encoding: str, color: bool) -> None:
        self.snapshot = snapshot
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

    def lines(self, height: int | None) -> list[Line]:
        groups = [[self.head()], self.texts(), self.figures(), self.notices()]
        groups = [group for group in groups if group]
        plain = [line for group in groups for line in group]
        if not self.framed or (height is not None and len(plain) + 2 > height):
            return plain if height is None else plain[: max(1, height)]
        if height is not None and len(plain) + len(groups) + 1 > height:
            return self.in_frame(plain)
        spaced = [line for group in groups for line in ([], *group)][1:]
        return self.in_frame(spaced)

    def head(self) -> Line:
        """The state, and how far the speech is."""
        snapshot, dot = self.snapshot, self.glyphs.dot
        word, style = _STATES[snapshot.state]
        if self.waits_for_text:
            word, style = "waiting for text", "cyan"
        state = [(f"{self.glyphs.bullet} ", style), (word, f"bold {style}")]
        heard = f"{seconds(heard_s(snapshot))} of {seconds(snapshot.audio_s)}"
        elapsed = f"{seconds(snapshot.at_ms / 1000.0)} elapsed"
        if not snapshot.audio_s:
            return first_fitting(self.inner, self.spread(state, elapsed), state)
        return first_fitting(
            self.inner, self.spread(state, heard + dot + elapsed), self.spread(state, heard), state
        )

    @property
    def waits_for_text(self) -> bool:
        if self.snapshot.state in (State.IDLE, State.CONNECTING):
            return not self.snapshot.segments
        unfinished = any(segment.status not in _ENDED for segment in self.snapshot.segments)
        return self.snapshot.state is State.REBUFFERING and not unfinished

    def spread(self, left: Line, right: str) -> Line:
        """``left`` and ``right`` at the two ends."""
        gap = max(2, self.inner - cells(left) - cell_len(right))
        return [*left, (" " * gap, ""), (right, "dim")]

    def texts(self) -> list[Line]:
        """The text being spoken, and what comes after it."""
        more, segments = self.glyphs.more, self.snapshot.segments
        playing = [segment.index for segment in segments if segment.status == "playing"]
        after = playing[-1] if playing else -1
        coming = [s for s in segments if s.status not in _ENDED and s.index > after]
        speaking = "" if self.snapshot.state.final else self.shown(self.snapshot.speaking)
        lines: list[Line] = []
        if speaking:
            lines = [[(row, "bold")] for row in wrap(speaking, self.inner, 2, more)]
            # The conductor may name a text a moment before its segment is marked.
            coming = [s for s in coming if s.text != self.snapshot.speaking]
        for segment in coming[:2]:
            glyph = self.glyphs.arriving if segment.status in _IN_FLIGHT else self.glyphs.waiting
            text = clip(f"{glyph} {self.shown(segment.text)}", self.inner, more)
            lines.append([(text, "dim")])
        return lines

    def shown(self, text: str) -> str:
        return clean(text, self.encoding, limit=4 * self.inner)

    def figures(self) -> list[Line]:
        lines = (*self.first_sound(), self.buffer(), self.counters(), self.queue())
        return [line for line in lines if line]

    def first_sound(self) -> list[Line]:
        """Where the time to the first sound went, or goes: a bar, and below it in words."""
        snapshot = self.snapshot
        parts = ttfa_parts(snapshot)
        so_far_ms = snapshot.ttfa_ms
        if so_far_ms is None:
            if self.waits_for_text or snapshot.state.final:
                return []
            so_far_ms = snapshot.at_ms
        figure = self.figure("first sound", so_far_ms)
        room = max(4, self.inner - cells(figure))
        bar = first_fitting(
            self.inner, [*figure, *self.proportions(parts, so_far_ms, room)], figure
        )
        legend: Line = []
        for (name, part_ms), style, glyph in zip(parts, _PART_STYLES, self.legend, strict=False):
            text = f"{glyph}{name} {part_ms:.0f}"
            legend += [("  " if legend else "", ""), (text, style)]
        indented = [(" " * cells(figure), ""), *legend]
        fits = [line for line in (indented, legend) if legend and cells(line) <= self.inner]
        return [bar, *fits[:1]]

    def proportions(self, parts: list[tuple[str, float]], whole_ms: float, width: int) -> Line:
        """One stretch a part; the edges are rounded, not the stretches, so none is lost."""
        bar: Line = []
        edge_ms, drawn = 0.0, 0
        for (_, part_ms), style, glyph in zip(parts, _PART_STYLES, self.part_glyphs, strict=False):
            edge_ms += part_ms
            until = round(width * _share(edge_ms, whole_ms))
            bar.append((glyph * (until - drawn), style))
            drawn = until
        return [*bar, (self.glyphs.empty * (width - drawn), "dim")]

    def buffer(self) -> Line:
        """The sound waiting, against the prebuffer's mark and the capacity."""
        snapshot = self.snapshot
        if snapshot.state.final or not snapshot.capacity_ms or self.waits_for_text:
            return []
        figure = self.figure("buffer", snapshot.fill_ms)
        words = f"  prebuffer {snapshot.prebuffer_ms:.0f} of {duration(snapshot.capacity_ms)}"
        room = self.inner - cells(figure)
        return first_fitting(
            self.inner,
            [*figure, *self.gauge(max(12, room - cell_len(words))), (words, "dim")],
            [*figure, *self.gauge(max(4, room))],
            figure,
        )

    def gauge(self, width: int) -> Line:
        snapshot = self.snapshot
        full = round(width * _share(snapshot.fill_ms, snapshot.capacity_ms))
        mark = min(round(width * _share(snapshot.prebuffer_ms, snapshot.capacity_ms)), width - 1)
        enough = snapshot.fill_ms >= snapshot.prebuffer_ms
        style = "green" if enough else "yellow" if snapshot.fill_ms else "red"
        bar = self.glyphs.full * full + self.glyphs.empty * (width - full)
        before, after = bar[:mark], bar[mark + 1 :]
        return [
            (before[:full], style),
            (before[full:], "dim"),
            (self.glyphs.mark, style if full > mark else "default"),
            (after[: max(0, full - mark - 1)], style),
            (after[max(0, full - mark - 1) :], "dim"),
        ]

    def counters(self) -> Line:
        """Underruns, rebuffers and the stall they made, throughput."""
        snapshot, dot = self.snapshot, (self.glyphs.dot, "dim")
        if not (snapshot.bytes or snapshot.audio_s):
            return []
        style = "green" if not snapshot.underruns else "yellow"
        if snapshot.stall_ms >= 500.0:
            style = "red"
        underruns: Line = [(count(snapshot.underruns, "underrun"), style)]
        stalls: Line = []
        if snapshot.rebuffers:
            stalls += [dot, (count(snapshot.rebuffers, "rebuffer"), style)]
        if snapshot.stall_ms:
            stalls += [dot, (f"{duration(snapshot.stall_ms)} of silence", style)]
        speed: Line = [dot, (f"{snapshot.throughput_kbps:.0f} kbit/s", "")]
        if snapshot.endpoint.startswith("embedded"):  # nothing comes over a network
            speed = []
        return first_fitting(
            self.inner, [*underruns, *stalls, *speed], [*underruns, *speed], underruns
        )

    def queue(self) -> Line:
        """How many segments wait, are in flight, are done."""
        segments = self.snapshot.segments
        if len(segments) < 2:
            return []
        statuses = [segment.status for segment in segments]
        failed = statuses.count("failed")
        words = [
            f"{statuses.count('done')} of {len(segments)} segments done",
            f"{sum(status in _IN_FLIGHT for status in statuses)} in flight",
            f"{statuses.count('queued')} waiting",
        ]
        full: Line = [(self.glyphs.dot.join(words), "dim")]
        failures: Line = [(f"{self.glyphs.dot}{failed} failed", "red")] if failed else []
        return first_fitting(
            self.inner, [*full, *failures], full, [(f"{words[0]}", "dim"), *failures]
        )

    def notices(self) -> list[Line]:
        if not self.snapshot.warnings:
            return []
        text = self.shown(self.snapshot.warnings[-1])
        return [[(clip(f"! {text}", self.inner, self.glyphs.more), "yellow")]]

    def figure(self, label: str, value_ms: float) -> Line:
        """A label and its figure, in columns where there is room."""
        value = duration(value_ms)
        if not self.framed:
            return [(f"{label} ", "dim"), (value, "bold"), (" ", "")]
        return [(f"{label:<13}", "dim"), (f"{value:>8}", "bold"), ("  ", "")]

    def in_frame(self, lines: list[Line]) -> list[Line]:
        top_left, top_right, bottom_right, bottom_left, across, down = tuple(self.glyphs.frame)
        source = self.glyphs.dot.join(
            word
            for word in (self.shown(self.snapshot.endpoint), self.shown(self.snapshot.format))
            if word
        )
        framed = [self.edge(top_left, top_right, across, "voicestream", "bold")]
        for line in lines:
            padding = " " * (self.inner - cells(line) + 2)
            framed.append([(f"{down}  ", "dim"), *line, (padding, ""), (down, "dim")])
        return [*framed, self.edge(bottom_left, bottom_right, across, source, "dim")]

    def edge(self, left: str, right: str, across: str, words: str, style: str) -> Line:
        words = clip(words, self.width - 6, self.glyphs.more)
        words = f" {words} " if words else ""
        rest = across * (self.width - 3 - cell_len(words))
        return [(left + across, "dim"), (words, style), (rest + right, "dim")]
