"""The figures of one reply, gathered from the threads that write them.

They are there to be looked at: what is done next is never decided by them.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from voicestream.counters import (
    Cue,
    FeederFigures,
    PlayFigures,
    RequestFigures,
    SegmentFigures,
    Snapshot,
    Timeline,
)
from voicestream.notices import Notices
from voicestream.records import fields, replace
from voicestream.state import StateMachine

_RECENT = 32
"""Segments that count for the throughput."""


class Metrics:
    """The figures of one reply. Each group of attributes has one writing thread."""

    def __init__(self, process_start_s: float | None = None) -> None:
        now = time.monotonic()
        self.machine = StateMachine()
        self.timeline = Timeline(now if process_start_s is None else process_start_s)
        # conductor, before anything runs; the name changes when another endpoint takes over
        self.endpoint = ""
        self.capacity_ms = 0.0
        # one writing thread each
        self.requests = RequestFigures()
        self.feeder = FeederFigures()
        self.play = PlayFigures()
        # any thread
        self.notices = Notices()

        # under the lock
        self._lock = threading.Lock()
        self._settled: list[SegmentFigures] = []
        self._settled_bytes = 0

    def _segments(self) -> tuple[tuple[SegmentFigures, ...], int]:
        """Copies of all segments' figures, and their bytes; only what may change is copied anew."""
        with self._lock:
            live = [replace(it) for it in self.requests.segments[len(self._settled) :]]
            while live and live[0].settled:
                self._settled.append(live.pop(0))
                self._settled_bytes += self._settled[-1].bytes
            return (*self._settled, *live), self._settled_bytes + sum(it.bytes for it in live)

    def _heard_frames(self) -> int:
        """At the end what was handed to the device has been heard, or is on its way."""
        waiting = 0 if self.machine.state.final else self.feeder.latency_frames
        return max(self.play.played_frames - waiting, 0)

    def _cue(self, frame: int) -> Cue | None:
        """Return what is spoken at ``frame``."""
        reversed_cues = reversed(self.feeder.cues)
        return next((cue for cue in reversed_cues if cue.start_frame <= frame), None)

    def _pauses(self, frame: int) -> tuple[tuple[int, int], ...]:
        """In the sound of the segment at ``frame``."""
        cue = self._cue(frame)
        if cue is None or cue.recorded:
            return ()
        end_frame = cue.end_frame or self.feeder.written_frames
        return self.feeder.pauses_between(cue.start_frame, end_frame)

    def throughput_kbps(self, now_s: float) -> float:
        """Kilobits a second of encoded speech while any was arriving, of late."""
        size_bytes, busy_s, until_s = 0, 0.0, 0.0
        for figures in self.requests.segments[-_RECENT:]:
            if figures.first_byte_at_s is None or figures.cached:
                continue
            ended_s = figures.ended_at_s or now_s
            busy_s += max(ended_s - max(figures.first_byte_at_s, until_s), 0.0)
            until_s = max(until_s, ended_s)
            size_bytes += figures.bytes
        return size_bytes * 8 / 1000.0 / max(busy_s, 1e-3)

    def snapshot(self) -> Snapshot:
        """Return the figures at this moment; any thread."""
        now = time.monotonic()
        line, rate_hz = self.timeline, self.feeder.rate_hz or 1
        segments, size_bytes = self._segments()
        figures = _seen(self.requests) | _seen(self.feeder) | _seen(self.play)
        written_s = figures["written_frames"] / rate_hz
        figures |= {
            "segments": segments,
            # what is heard in all, pauses included, as soon as that is known
            "audio_s": written_s or self.feeder.decoded_s,
            "played_s": figures["played_frames"] / rate_hz,
        }
        spent_s = self.machine.spent_s()
        heard_frames, cue = self._heard_frames(), self._cue(self.play.played_frames)
        return Snapshot(
            state=self.machine.state,
            at_ms=1000.0 * ((line.end or now) - line.process_start),
            timeline_ms={name: line.since_start_ms(name) for name in _MARKS},
            ttfa_ms=line.since_start_ms("first_sound"),
            capacity_ms=self.capacity_ms,
            bytes=size_bytes,
            throughput_kbps=self.throughput_kbps(now),
            endpoint=self.endpoint,
            speaking=cue.text if cue else "",
            heard_frames=heard_frames,
            pauses=self._pauses(heard_frames),
            warnings=tuple(self.notices.warnings),
            states_ms={state.value: 1000.0 * s for state, s in spent_s.items() if s},
            unspoken=tuple(self.notices.unspoken),
            hedges=self.notices.hedges,
            cached=sum(it.cached for it in segments),
            start_s=line.process_start,
            **figures,
        )


_MARKS = tuple(mark.name for mark in fields(Timeline) if mark.name != "process_start")
_SHOWN = frozenset(shown.name for shown in fields(Snapshot))


def _seen(figures: RequestFigures | FeederFigures | PlayFigures) -> dict[str, Any]:
    """Return what a snapshot shows of ``figures``: the fields of the same name, or in
    milliseconds."""
    seen: dict[str, Any] = {}
    for name in (figure.name for figure in fields(figures)):
        value = getattr(figures, name)
        in_ms = name.removesuffix("_s") + "_ms"
        if name in _SHOWN:
            seen[name] = tuple(value) if isinstance(value, list) else value
        elif in_ms in _SHOWN:
            seen[in_ms] = 1000.0 * value
    if isinstance(figures, PlayFigures):
        seen["fill"] = replace(figures.fill)
    return seen
