"""Counters and timestamps, one dataclass per writing thread, and the immutable picture of them.

They are there to be looked at: what is done next is never decided by them.

All times are seconds on the clock of ``time.monotonic()``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from voicestream.records import dataclass, field
from voicestream.state import State, Status


@dataclass(slots=True)
class Timeline:
    """When things first happened; None until they do."""

    process_start: float
    first_text: float | None = None
    """The first segment was known, where the text was still being written."""
    request_sent: float | None = None
    reader_ready: float | None = None
    """The program was loaded, and began to wait for the reply."""
    first_byte: float | None = None
    first_sample: float | None = None
    playback_start: float | None = None
    first_sound: float | None = None
    barge_in: float | None = None
    """A person was heard, and the speech ended."""
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
    """What became of one request: the record that its job keeps. Written by the job's fetch
    thread, then by the feeder."""

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
    cached: bool = False
    """It was kept here, and nobody was asked."""
    status: Status = Status.QUEUED

    @property
    def settled(self) -> bool:
        """Nothing in it changes any more."""
        return self.status.ended and self.ended_at_s is not None


@dataclass(frozen=True, slots=True)
class Cue:
    """Where in the sound a segment begins, and ends."""

    start_frame: int
    text: str
    end_frame: int = 0
    """Where its last sample has been written; 0: not yet."""
    segment: int = 0
    """Its index."""
    goes_on: bool = False
    """Whether its sentence goes on in the next segment."""
    recorded: bool = False
    """It is no reading of the text, which has no places in it."""
    word_ends: tuple[tuple[int, float], ...] = ()
    """Words of the text by their number, each with the frame where it ends, as far as the endpoint
    tells; in order."""
    said: str = ""
    """What was asked for, where that is another text: words were replaced."""


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
class RequestFigures:
    """Written by the fetch thread that takes the next segment, one at a time."""

    format: str = ""
    """What is asked for."""
    format_steps: list[str] = field(default_factory=list)
    """Each change of it."""
    packets: dict[str, float] = field(default_factory=dict)
    """Of a source that comes as packets: what became of them."""
    segments: list[SegmentFigures] = field(default_factory=list)
    """The records of all jobs, each with its own writers."""


@dataclass(slots=True)
class FeederFigures:
    """Figures of the sound, written by the feeder alone once it runs."""

    rate_hz: int = 0
    prebuffer_ms: float = 0.0
    decoded_s: float = 0.0
    """Sound decoded so far."""
    decode_s: float = 0.0
    """Time that took."""
    overruns: int = 0
    stretched_s: float = 0.0
    jitter_s: float = 0.0
    recommended_buffer_s: float = 0.0
    written_frames: int = 0
    cues: list[Cue] = field(default_factory=list)
    latency_frames: int = 0
    """Of what was handed to the device, so much is not heard yet."""
    pauses_between: Callable[[int, int], tuple[tuple[int, int], ...]] = lambda _start, _end: ()
    """The pauses of the sound between two frames: the first frame of each, the first after it."""


@dataclass(slots=True)
class PlayFigures:
    """Figures of the playback, written by the audio callback alone."""

    underruns: int = 0
    rebuffers: int = 0
    stall_s: float = 0.0
    holds: int = 0
    """Waits at a pause of the speech, on purpose; neither underruns nor stalls."""
    hold_s: float = 0.0
    device_underflows: int = 0
    """Holes that the card left in speech: it had run dry before it asked."""
    device_hole_s: float = 0.0
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
    unspoken: tuple[str, ...] = ()
    """Words left out, as the voice has no sounds for them."""
    cues: tuple[Cue, ...] = ()
    """What is spoken from which frame of the sound on."""
    written_frames: int = 0
    """Frames joined so far, pauses included."""
    played_frames: int = 0
    """Of these, handed to the device."""
    heard_frames: int = 0
    """Of these, heard."""
    pauses: tuple[tuple[int, int], ...] = ()
    """In the segment that is being heard: the first frame of each, and the first after it."""
    format_steps: tuple[str, ...] = ()
    """Each change of format under ``--format auto``."""
    holds: int = 0
    """Waits at a pause of the speech, on purpose."""
    hold_ms: float = 0.0
    device_underflows: int = 0
    """Holes that the sound card left in speech: it had run dry before it asked."""
    device_hole_ms: float = 0.0
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
    cached: int = 0
    """Segments that were kept here, and asked of nobody."""
    fill: FillFigures = field(default_factory=FillFigures)
    """The sound that waited, seen at each callback while playing."""
    packets: dict[str, float] = field(default_factory=dict)
    """Of a source that comes as packets: what became of them, and of their time."""
    rate_hz: int = 0
    """Of the frames."""
    waits_for: str = ""
    """Who speaks before us, ``PID-N``; empty: nobody."""
    text_chars: int = 0
    """The length of the text, as far as it is known."""
    text_complete: bool = False
    """No more of it will come."""
    start_s: float = 0.0
    """Process start on the clock of ``time.monotonic()``."""


def buffer_health(seen: Snapshot) -> str:
    """In words: whether playback was even, and what to change if not."""
    if not seen.played_frames:
        return "nothing was played"
    wanted_ms = 10 * math.ceil(seen.recommended_buffer_ms / 10)
    if not seen.underruns and seen.device_underflows:
        hole_ms = f"{seen.device_hole_ms:.0f} ms"
        return f"the sound card left holes of {hole_ms}: the machine was busy or stood still"
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
