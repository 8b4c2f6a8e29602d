"""Snapshot -> picture: lines of coloured text, each measured in cells.

The lines are laid by hand and not by nested tables: a frame then costs a fraction
of a millisecond, and a narrow terminal drops the lesser words instead of folding.
"""

from __future__ import annotations

from rich.cells import cell_len

from voicestream.counters import SegmentFigures, Snapshot
from voicestream.state import State, Status
from voicestream.ui.canvas import Canvas
from voicestream.ui.figures import Figures
from voicestream.ui.lines import Line, Part, cells, clip, first_fitting, wrap
from voicestream.ui.progress import progress_of
from voicestream.ui.summary import clock, heard_s, seconds, waits_for_text
from voicestream.words import heard

_ROWS = 3
"""Of the text being spoken, so many lines are shown at once."""
_MOST_ROWS = 60
_NEXT = 2
"""Of the texts after that, so many are shown."""
_NARROWEST_BAR = 6
_SHORT_HINT = 12

_STATES: dict[State, Part] = {
    State.IDLE: ("starting", "cyan"),
    State.CONNECTING: ("asking for speech", "cyan"),
    State.PREBUFFERING: ("gathering sound", "cyan"),
    State.PLAYING: ("speaking", "green"),
    State.REBUFFERING: ("waiting for more sound", "yellow"),
    State.PAUSED: ("paused", "yellow"),
    State.DRAINING: ("speaking", "green"),
    State.DONE: ("done", "green"),
    State.FAILED: ("failed", "red"),
    State.CANCELLED: ("stopped", "yellow"),
}


def draw(
    snapshot: Snapshot,
    width: int,
    height: int | None = None,
    encoding: str = "utf-8",
    color: bool = True,
    hint: str = "",
    full: bool = False,
) -> list[Line]:
    """Return the lines of the picture, none wider than ``width`` cells, at most ``height`` of them.

    Args:
        encoding: what it will be written in; decides which characters may stand in it.
        color: whether colours will be seen; without, shapes tell things apart.
        hint: a short one at the end of the line of figures where there is room, a long one below.
        full: all figures instead of one line of them.
    """
    return _Picture(snapshot, Canvas(width, encoding, color), hint, full).lines(height)


class _Picture:
    def __init__(self, snapshot: Snapshot, canvas: Canvas, hint: str, full: bool) -> None:
        self.snapshot = snapshot
        self.hint = hint
        self.full = full
        self.canvas = canvas
        self.glyphs = canvas.glyphs
        self.inner = canvas.inner
        self.progress = progress_of(snapshot)

    def lines(self, height: int | None) -> list[Line]:
        """Return the parts that fit: a low terminal gets less air, then fewer details, no frame,
        fewer lines."""
        figures = Figures(self.snapshot, self.canvas)
        main = figures.main() if self.full else self.quiet(figures)
        above, below = [[self.head()], self.texts(), main], self.notices()
        details, frame = figures.details() if self.full else [], 2 if self.canvas.framed else 0
        if height is not None:
            room = height - frame - sum(map(len, above)) - len(below)
            details = details[: max(room, 0)]
            if not self.full:  # the text goes before the figures do
                above[1] = above[1][: max(room + len(above[1]) + frame, 1)]
        groups = [group for group in (*above, details, below) if group]
        plain = [line for group in groups for line in group]
        if not frame or (height is not None and len(plain) + frame > height):
            return plain if height is None else plain[: max(1, height)]
        if height is not None and len(plain) + len(groups) - 1 + frame > height:
            return self.in_frame(plain)
        spaced = [line for group in groups for line in ([], *group)][1:]
        return self.in_frame(spaced)

    def head(self) -> Line:
        """Return the state, and how far the speech is."""
        snapshot, dot = self.snapshot, self.glyphs.dot
        word, style = _STATES[snapshot.state]
        if waits_for_text(snapshot):
            word, style = "waiting for text", "cyan"
        if snapshot.waits_for:
            word, style = "waiting for its turn", "cyan"
        state = [(f"{self.glyphs.bullet} ", style), (word, f"bold {style}")]
        if not self.full:
            return first_fitting(self.inner, self.canvas.spread(state, self.time()), state)
        heard = f"{seconds(heard_s(snapshot))} of {seconds(snapshot.audio_s)}"
        elapsed = f"{seconds(snapshot.at_ms / 1000.0)} elapsed"
        if not snapshot.audio_s:
            return first_fitting(self.inner, self.canvas.spread(state, elapsed), state)
        return first_fitting(
            self.inner,
            self.canvas.spread(state, heard + dot + elapsed),
            self.canvas.spread(state, heard),
            state,
        )

    def time(self) -> str:
        """Return what was heard, of how much as far as that can be told."""
        progress = self.progress
        if progress.total_s is None:
            return clock(progress.heard_s)
        about = "" if progress.exact else "about "
        return f"{clock(progress.heard_s)} of {about}{clock(progress.total_s)}"

    def quiet(self, figures: Figures) -> list[Line]:
        """Return a bar for the whole text, and one line of figures."""
        found: list[Line] = []
        percent = f" {100 * self.progress.share:3.0f} %" + " so far" * self.progress.open
        width = self.inner - len(percent)
        if self.snapshot.text_chars and width >= _NARROWEST_BAR:
            full = round(width * self.progress.share)
            heard = (self.glyphs.full * full, "green")
            rest = (self.glyphs.empty * (width - full), "dim")
            found = [[heard, rest, (percent, "dim")]]
        line = figures.in_a_line()
        if line and len(self.hint) <= _SHORT_HINT:
            line = first_fitting(self.inner, self.canvas.spread(line, self.hint), line)
            self.hint = ""
        return [*found, line] if line else found

    def texts(self) -> list[Line]:
        """Return the text being spoken, and what comes after it."""
        more, segments = self.glyphs.more, self.snapshot.segments
        playing = [segment.index for segment in segments if segment.status is Status.PLAYING]
        after = playing[-1] if playing else -1
        coming = [s for s in segments if not s.status.ended and s.index > after]
        speaking = (
            ""
            if self.snapshot.state.final
            else self.canvas.shown(self.snapshot.speaking, _MOST_ROWS)
        )
        lines: list[Line] = []
        if speaking:
            lines = self.rows_now(speaking)
            # The conductor may name a text a moment before its segment is marked.
            coming = [s for s in coming if s.text != self.snapshot.speaking]
        if not self.full:
            next_ones = [self.canvas.shown(text) for text in self.after(coming)]
        else:
            marks = {True: self.glyphs.arriving, False: self.glyphs.waiting}
            next_ones = [
                f"{marks[s.status.in_flight]} {self.canvas.shown(s.text)}" for s in coming[:_NEXT]
            ]
        return [*lines, *([(clip(shown, self.inner, more), "dim")] for shown in next_ones)]

    def after(self, coming: list[SegmentFigures]) -> list[str]:
        """Return the next texts: those whose sound waits in the buffer, then those on their way."""
        played = self.snapshot.played_frames
        waiting = [cue.text for cue in self.snapshot.cues if cue.start_frame > played]
        waiting += [segment.text for segment in coming if segment.text not in waiting]
        return waiting[:_NEXT]

    def rows_now(self, speaking: str) -> list[Line]:
        """Return the rows of a text among which the voice is now, its word marked."""
        if self.full:
            return [[(row, "bold")] for row in wrap(speaking, self.inner, 2, self.glyphs.more)]
        rows = wrap(speaking, self.inner, _MOST_ROWS, self.glyphs.more)
        marked = self.word_now()
        at, passed = 0, len(rows[0].split())
        while at < len(rows) - 1 and passed <= marked:
            at += 1
            passed += len(rows[at].split())
        first = max(min(at, len(rows) - _ROWS), 0)
        lines: list[Line] = [[(row, "bold")] for row in rows[first : first + _ROWS]]
        words = rows[at].split(" ")
        word = marked - passed + len(words)
        if 0 <= word < len(words):
            before, after = (" ".join(part) for part in (words[:word], words[word + 1 :]))
            lines[at - first] = [
                (before + " " * bool(before), "bold"),
                (words[word], "bold underline"),
                (" " * bool(after) + after, "bold"),
            ]
        return lines

    def word_now(self) -> int:
        """Return which word of the text being spoken is heard, as words are told apart by
        spaces."""
        known = heard(self.snapshot)
        if known.segments >= len(self.snapshot.cues):
            return -1
        text = self.snapshot.cues[known.segments].text
        return len(text[: known.word[1] if known.word else known.chars].split()) - 1

    def notices(self) -> list[Line]:
        """Return the latest warning, and the hint."""
        told = [(f"! {text}", "yellow") for text in self.snapshot.warnings[-1:]]
        told += [(self.hint, "dim")] if self.hint else []
        more = self.glyphs.more
        return [[(clip(self.canvas.shown(text), self.inner, more), style)] for text, style in told]

    def in_frame(self, lines: list[Line]) -> list[Line]:
        top_left, top_right, bottom_right, bottom_left, across, down = tuple(self.glyphs.frame)
        source = self.glyphs.dot.join(
            word
            for word in (
                self.canvas.shown(self.snapshot.endpoint),
                self.canvas.shown(self.snapshot.format),
            )
            if word
        )
        framed = [self.edge(top_left, top_right, across, "voicestream", "bold")]
        for line in lines:
            padding = " " * (self.inner - cells(line) + 2)
            framed.append([(f"{down}  ", "dim"), *line, (padding, ""), (down, "dim")])
        return [*framed, self.edge(bottom_left, bottom_right, across, source, "dim")]

    def edge(self, left: str, right: str, across: str, words: str, style: str) -> Line:
        words = clip(words, self.canvas.width - 6, self.glyphs.more)
        words = f" {words} " if words else ""
        rest = across * (self.canvas.width - 3 - cell_len(words))
        return [(left + across, "dim"), (words, style), (rest + right, "dim")]
