"""Counters and timestamps, one writer each, and the immutable picture of them.

All times are seconds on the clock of ``time.monotonic()``.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace

from voicestream.notices import Notices
from voicestream.state import State, StateMachine


@dataclass(slots=True)
class Timeline:
    """When things first happened; None until they do."""

    process_start: float
    first_text: float | None = None
    """The first segment was known, where the text was still being written."""
    request_sent: float | None = None
    first_byte: float | None = None
    first_sample: float | None = None
    playback_start: float | None = None
    first_sound: float | None = None
    end: float | None = None

    def mark(self, name: str, at_s: float | None = None) -> None:
        """Note the first time of ``name``; later calls change nothing."""
        if getattr(self, name) is None:
            setattr(self, name, time.monotonic() if at_s is None else at_s)

    def since_start_ms(self, name: str) -> float | None:
        at_s = getattr(self, name)
        return None if at_s is None else 1000.0 * (at_s - self.process_start)


@dataclass(slots=True)
class SegmentFigures:
    """What became of one request. Written by its fetch thread, then by the feeder."""

    index: int
    text: str
    format: str = ""
    """What was asked for."""
    request_at_s: float | None = None
    first_byte_at_s: float | None = None
    ended_at_s: float | None = None
    """The last byte, or the failure."""
    bytes: int = 0
    backlog_bytes: int = 0
    """Of these, what had been waiting for its reader: no measure of the network."""
    backlog_read_at_s: float | None = None
    audio_s: float = 0.0
    reworded: tuple[tuple[str, str], ...] = ()
    """Places where other words were said, as far as the endpoint tells: wanted, said."""
    status: str = "queued"
    """``queued``, ``requested``, ``arriving``, ``playing``, ``done``, ``failed``, ``cancelled``."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Where in the sound a segment begins."""

    start_frame: int
    text: str


@dataclass(slots=True)
class FillFigures:
    """Mean and extremes of the sound waiting, seen at each callback while playing."""

    count: int = 0
    total_ms: float = 0.0
    total_squares: float = 0.0
    min_ms: float = 0.0
    max_ms: float = 0.0

    def see(self, fill_ms: float) -> None:
        self.min_ms = fill_ms if not self.count else min(self.min_ms, fill_ms)
        self.max_ms = max(self.max_ms, fill_ms)
        self.count += 1
        self.total_ms += fill_ms
        self.total_squares += fill_ms * fill_ms

    @property
    def mean_ms(self) -> float:
        return self.total_ms / self.count if self.count else 0.0

    @property
    def deviation_ms(self) -> float:
        if not self.count:
            return 0.0
        variance = self.total_squares / self.count - self.mean_ms**2
        return float(max(variance, 0.0) ** 0.5)


@dataclass(slots=True)
class PlayFigures:
    """Written by the audio callback alone."""

    underruns: int = 0
    rebuffers: int = 0
    stall_s: float = 0.0
    holds: int = 0
    """Waits at a pause of the speech, on purpose; neither underruns nor stalls."""
    hold_s: float = 0.0
    device_underflows: int = 0
    """How often the card had run dry before we were asked: the machine was late, not the sound."""
    played_frames: int = 0
    fill_ms: float = 0.0
    fill: FillFigures = field(default_factory=FillFigures)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What can be seen of a reply at one moment. Milliseconds count from process start."""

    state: State
    at_ms: float
    timeline_ms: dict[str, float | None]
    ttfa_ms: float | None
    fill_ms: float
    prebuffer_ms: float
    capacity_ms: float
    underruns: int
    rebuffers: int
    stall_ms: float
    played_s: float
    """Sound handed to the device."""
    audio_s: float
    """Sound decoded so far."""
    bytes: int
    throughput_kbps: float
    decode_ms: float
    endpoint: str
    format: str
    speaking: str
    """Text of the segment being played."""
    segments: tuple[SegmentFigures, ...]
    warnings: tuple[str, ...]
    cues: tuple[Cue, ...] = ()
    """What is spoken from which frame of the sound on."""
    written_frames: int = 0
    """Frames joined so far, pauses included."""
    played_frames: int = 0
    """Of these, handed to the device."""
    format_steps: tuple[str, ...] = ()
    """Each change of format under ``--format auto``."""
    holds: int = 0
    """Waits at a pause of the speech, on purpose."""
    hold_ms: float = 0.0
    device_underflows: int = 0
    """How often the sound card had run dry before it asked: the machine was late."""
    overruns: int = 0
    """How often more had arrived than the buffer had room for."""
    stretched_s: float = 0.0
    """Sound made slower than the tempo asked for, since more would have been late."""
    jitter_ms: float = 0.0
    """Of the arrivals, as in RFC 3550."""
    recommended_buffer_ms: float = 0.0
    """The prebuffer with which nothing of what has arrived would have been late."""
    states_ms: dict[str, float] = field(default_factory=dict)
    """Time spent in each state."""
    hedges: int = 0
    """Requests that were asked at a second endpoint, too, since the first was slow."""
    fill: FillFigures = field(default_factory=FillFigures)
    """The sound that waited, seen at each callback while playing."""
    rate_hz: int = 0
    """Of the frames."""
    waits_for: str = ""
    """Who speaks before us, ``PID-N``; empty: nobody."""
    start_s: float = 0.0
    """Process start on the clock of ``time.monotonic()``."""


_RECENT = 32
"""Segments that count for the throughput."""


class Metrics:
    """The figures of one reply. Each group of attributes has one writing thread."""

    def __init__(self, process_start_s: float | None = None) -> None:
        now = time.monotonic()
        self.machine = StateMachine()
        self.timeline = Timeline(now if process_start_s is None else process_start_s)
        # conductor, before anything runs
        self.endpoint = ""
        self.format = ""
        self.rate_hz = 0
        self.tempo = 1.0
        """Seconds of speech as it arrives that are heard in a second."""
        self.prebuffer_ms = 0.0
        self.capacity_ms = 0.0
        # the thread that plans segments appends; entries have their own writers
        self.segments: list[SegmentFigures] = []
        self.format_steps: list[str] = []
        # feeder
        self.audio_s = 0.0
        self.decode_s = 0.0
        self.overruns = 0
        self.stretched_s = 0.0
        self.jitter_s = 0.0
        self.recommended_s = 0.0
        # audio callback
        self.play = PlayFigures()
        self.cues: list[Cue] = []
        self.written_frames = 0
        # any thread
        self.notices = Notices()

    @property
    def bytes(self) -> int:
        return sum(segment.bytes for segment in tuple(self.segments))

    @property
    def played_s(self) -> float:
        """Sound handed to the device."""
        return self.play.played_frames / (self.rate_hz or 1)

    @property
    def written_s(self) -> float:
        """Sound joined so far, pauses included."""
        return self.written_frames / (self.rate_hz or 1)

    def _speaking(self) -> str:
        played = self.play.played_frames
        for cue in reversed(tuple(self.cues)):
            if cue.start_frame <= played:
                return cue.text
        return ""

    def throughput_kbps(self, now_s: float) -> float:
        """Kilobits a second of encoded speech while any was arriving, of late."""
        size_bytes, busy_s, until_s = 0, 0.0, 0.0
        for figures in self.segments[-_RECENT:]:
            if figures.first_byte_at_s is None:
                continue
            ended_s = figures.ended_at_s or now_s
            busy_s += max(ended_s - max(figures.first_byte_at_s, until_s), 0.0)
            until_s = max(until_s, ended_s)
            size_bytes += figures.bytes
        return size_bytes * 8 / 1000.0 / max(busy_s, 1e-3)

    def snapshot(self) -> Snapshot:
        now = time.monotonic()
        line = self.timeline
        names = (
            "first_text",
            "request_sent",
            "first_byte",
            "first_sample",
            "playback_start",
            "first_sound",
            "end",
        )
        return Snapshot(
            state=self.machine.state,
            at_ms=1000.0 * ((line.end or now) - line.process_start),
            timeline_ms={name: line.since_start_ms(name) for name in names},
            ttfa_ms=line.since_start_ms("first_sound"),
            fill_ms=self.play.fill_ms,
            prebuffer_ms=self.prebuffer_ms,
            capacity_ms=self.capacity_ms,
            underruns=self.play.underruns,
            rebuffers=self.play.rebuffers,
            stall_ms=1000.0 * self.play.stall_s,
            played_s=self.played_s,
            # what is heard in all, pauses included, as soon as that is known
            audio_s=self.written_s or self.audio_s,
            bytes=self.bytes,
            throughput_kbps=self.throughput_kbps(now),
            decode_ms=1000.0 * self.decode_s,
            endpoint=self.endpoint,
            format=self.format,
            speaking=self._speaking(),
            segments=tuple(replace(segment) for segment in tuple(self.segments)),
            warnings=tuple(self.notices.warnings),
            cues=tuple(self.cues),
            written_frames=self.written_frames,
            played_frames=self.play.played_frames,
            format_steps=tuple(self.format_steps),
            holds=self.play.holds,
            hold_ms=1000.0 * self.play.hold_s,
            device_underflows=self.play.device_underflows,
            overruns=self.overruns,
            stretched_s=self.stretched_s,
            jitter_ms=1000.0 * self.jitter_s,
            recommended_buffer_ms=1000.0 * self.recommended_s,
            states_ms={
                state.value: 1000.0 * spent_s
                for state, spent_s in self.machine.spent_s().items()
                if spent_s
            },
            hedges=self.notices.hedges,
            fill=replace(self.play.fill),
            rate_hz=self.rate_hz,
            start_s=line.process_start,
        )


def buffer_health(seen: Snapshot) -> str:
    """In words: whether playback was even, and what to change if not."""
    if not seen.played_frames:
        return "nothing was played"
    wanted_ms = 10 * math.ceil(seen.recommended_buffer_ms / 10)
    if not seen.underruns:
        done = [f"waited {seen.hold_ms:.0f} ms at pauses"] if seen.holds else []
        done += [f"played {seen.stretched_s:.1f} s slower"] if seen.stretched_s else []
        return f"healthy: {' and '.join(done)} for a server that lags" if done else "healthy"
    if wanted_ms > seen.capacity_ms:
        return (
            f"too slow a server: {wanted_ms} ms would have been needed; "
            f"raise --max-buffer-s to {math.ceil(wanted_ms / 1000)}"
        )
    if wanted_ms > seen.prebuffer_ms:
        return f"too small: --prebuffer-ms {wanted_ms} would have kept it even"
    return "ran dry for a moment though large enough: the machine was busy"
