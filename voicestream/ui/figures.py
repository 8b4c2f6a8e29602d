"""The figures of a picture: the way to the first sound, the buffer, and how even it all is."""

from __future__ import annotations

from rich.cells import cell_len

from voicestream.counters import Snapshot, buffer_health
from voicestream.state import Status
from voicestream.ui.canvas import Canvas
from voicestream.ui.lines import Line, cells, first_fitting
from voicestream.ui.summary import bit_rate, count, duration, seconds, ttfa_parts, waits_for_text

_PART_STYLES = ("blue", "cyan", "magenta", "yellow", "green", "white")
_SPENT = (
    ("starting", ("idle",)),
    ("asking", ("connecting",)),
    ("gathering", ("prebuffering",)),
    ("speaking", ("playing", "draining")),
    ("waiting", ("rebuffering",)),
    ("paused", ("paused",)),
)
"""What is said of the time in each state."""
_SEEN_MS = 50.0
"""Less is no tenth of a second."""


def _share(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0) if whole > 0.0 else 0.0


class Figures:
    """The figures of one snapshot, each a line or none."""

    def __init__(self, snapshot: Snapshot, canvas: Canvas) -> None:
        self.snapshot = snapshot
        self.canvas = canvas
        self.glyphs = canvas.glyphs
        self.inner = canvas.inner

    def main(self) -> list[Line]:
        """Return the most important lines."""
        lines = (*self.first_sound(), self.buffer(), self.counters(), *self.packets(), self.queue())
        return [line for line in lines if line]

    def details(self) -> list[Line]:
        """Return lines that say how evenly it plays and why, the most useful first."""
        if not self.snapshot.played_frames:
            return []
        lines = (self.health(), self.jitter(), self.fill(), self.spent())
        return [line for line in lines if line]

    def in_a_line(self) -> Line:
        """Return one line: time to the first sound, sound in the buffer, holes."""
        snapshot, dot = self.snapshot, (self.glyphs.dot, "dim")
        if waits_for_text(snapshot) and not snapshot.audio_s:
            return []
        so_far_ms = snapshot.ttfa_ms
        if so_far_ms is None and snapshot.state.final:
            return []
        known = duration(snapshot.at_ms if so_far_ms is None else so_far_ms)
        sound: Line = [(f"first sound {known}" + " so far" * (so_far_ms is None), "dim")]
        buffer: Line = [(f"buffer {snapshot.fill_ms / 1000.0:.1f} s", "dim")]
        style = "yellow" if snapshot.underruns else "dim"
        holes = count(snapshot.underruns, "hole") if snapshot.underruns else "no holes"
        dry: Line = [(holes, style)]
        return first_fitting(
            self.inner, [*sound, dot, *buffer, dot, *dry], [*buffer, dot, *dry], dry
        )

    def first_sound(self) -> list[Line]:
        """Return how the time to the first sound was spent: a bar, and words below it."""
        snapshot = self.snapshot
        parts = ttfa_parts(snapshot)
        so_far_ms = snapshot.ttfa_ms
        if so_far_ms is None:
            if waits_for_text(snapshot) or snapshot.state.final:
                return []
            so_far_ms = snapshot.at_ms
        figure = self.canvas.figure("first sound", so_far_ms)
        room = max(4, self.inner - cells(figure))
        bar = first_fitting(
            self.inner, [*figure, *self.proportions(parts, so_far_ms, room)], figure
        )
        legend: Line = []
        for (name, part_ms), style, glyph in zip(
            parts, _PART_STYLES, self.canvas.legend, strict=False
        ):
            text = f"{glyph}{name} {part_ms:.0f}"
            legend += [("  " if legend else "", ""), (text, style)]
        indented = [(" " * cells(figure), ""), *legend]
        fits = [line for line in (indented, legend) if legend and cells(line) <= self.inner]
        return [bar, *fits[:1]]

    def proportions(self, parts: list[tuple[str, float]], whole_ms: float, width: int) -> Line:
        """Return the bar's stretches, one a part. Their edges are rounded, so that they add up to
        its width."""
        bar: Line = []
        edge_ms, drawn = 0.0, 0
        for (_, part_ms), style, glyph in zip(
            parts, _PART_STYLES, self.canvas.part_glyphs, strict=False
        ):
            edge_ms += part_ms
            until = round(width * _share(edge_ms, whole_ms))
            bar.append((glyph * (until - drawn), style))
            drawn = until
        return [*bar, (self.glyphs.empty * (width - drawn), "dim")]

    def buffer(self) -> Line:
        """Return how full the buffer is, with a mark for the prebuffer."""
        snapshot = self.snapshot
        if snapshot.state.final or not snapshot.capacity_ms or waits_for_text(snapshot):
            return []
        figure = self.canvas.figure("buffer", snapshot.fill_ms)
        words = f"  starts at {snapshot.prebuffer_ms:.0f}, holds {duration(snapshot.capacity_ms)}"
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
        """Return underruns, rebuffers, the silence they caused, and throughput."""
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
        speed: Line = [dot, (bit_rate(snapshot.throughput_kbps), "")]
        if snapshot.endpoint.startswith("embedded"):  # nothing comes over a network
            speed = []
        return first_fitting(
            self.inner, [*underruns, *stalls, *speed], [*underruns, *speed], underruns
        )

    def packets(self) -> list[Line]:
        """Return how long packets wait, how many were lost or late, and how much was made up; no
        lines where the sound does not come as packets."""
        seen = self.snapshot.packets
        if "delay_ms" not in seen:
            return []
        style = "yellow" if seen["lost"] or seen["late"] else "green"
        known = seen["received"] + seen["lost"]
        share = 100.0 * (seen["lost"] + seen["late"]) / known if known else 0.0
        delay = self.canvas.figure("delay", seen["delay_ms"])
        lost: Line = [(f"{share:.1f} % lost or late", style)]
        order: Line = [(f"{self.glyphs.dot}{seen['reordered']:.0f} reordered", "dim")]
        made = self.canvas.figure("made up", seen["concealed_ms"])
        drift = f"{self.glyphs.dot}its clock runs {seen['drift_ppm']:+.0f} ppm slower"
        stretched = f"stretched {duration(seen['stretched_ms'])}"
        return [
            first_fitting(self.inner, [*delay, *lost, *order], [*delay, *lost], delay),
            first_fitting(
                self.inner,
                [*made, (stretched + drift, "dim")],
                [*made, (stretched, "dim")],
                made,
            ),
        ]

    def queue(self) -> Line:
        """Return how many segments wait, are in flight, are done."""
        segments = self.snapshot.segments
        if len(segments) < 2:
            return []
        statuses = [segment.status for segment in segments]
        failed = statuses.count(Status.FAILED)
        words = [
            f"{statuses.count(Status.DONE)} of {len(segments)} segments done",
            f"{sum(status.in_flight for status in statuses)} in flight",
            f"{statuses.count(Status.QUEUED)} waiting",
        ]
        full: Line = [(self.glyphs.dot.join(words), "dim")]
        failures: Line = [(f"{self.glyphs.dot}{failed} failed", "red")] if failed else []
        return first_fitting(
            self.inner, [*full, *failures], full, [(f"{words[0]}", "dim"), *failures]
        )

    def health(self) -> Line:
        """Return whether playback is even, and what to change if not."""
        words = buffer_health(self.snapshot)
        style = "green" if words.startswith("healthy") else "yellow"
        label: Line = [(f"{'health':<13}" if self.canvas.framed else "buffer ", "dim")]
        short = words.partition(":")[0]
        return first_fitting(
            self.inner,
            [*label, (words, style)],
            [(words, style)],
            [*label, (short, style)],
            [(short, style)],
        )

    def jitter(self) -> Line:
        """Return the jitter of the arrivals, and the buffer that it needs."""
        snapshot = self.snapshot
        figure = self.canvas.figure("jitter", snapshot.jitter_ms)
        enough = duration(snapshot.recommended_buffer_ms)
        needed = f"between arrivals; {enough} of buffer takes it"
        overruns = f"{self.glyphs.dot}full {count(snapshot.overruns, 'time')}"
        return first_fitting(
            self.inner,
            [*figure, (needed + overruns, "dim")],
            [*figure, (needed, "dim")],
            [*figure, (f"{enough} takes it", "dim")],
            figure,
        )

    def fill(self) -> Line:
        """Return how full the buffer was while playing."""
        seen = self.snapshot.fill
        if not (seen.count and self.canvas.framed):
            return []
        figure = self.canvas.figure("buffer held", seen.mean_ms)
        spread = f"on average, {seen.min_ms:.0f} to {duration(seen.max_ms)}"
        deviation = f"{self.glyphs.dot}mostly within {duration(seen.deviation_ms)}"
        return first_fitting(
            self.inner, [*figure, (spread + deviation, "dim")], [*figure, (spread, "dim")], figure
        )

    def spent(self) -> Line:
        """Return how long each state lasted."""
        if not self.canvas.framed:
            return []
        spent_ms = self.snapshot.states_ms
        by_word = [(word, sum(spent_ms.get(it, 0.0) for it in states)) for word, states in _SPENT]
        words = [f"{word} {seconds(ms / 1000.0)}" for word, ms in by_word if ms >= _SEEN_MS]
        lines: list[Line] = [
            [(f"{'time':<13}", "dim"), (self.glyphs.dot.join(words[first:]), "dim")]
            for first in range(len(words))
        ]
        return first_fitting(self.inner, *lines) if lines else []
