"""What became of one reply: the object of ``--json``, and what the library returns."""

from __future__ import annotations

from typing import Any

from voicestream.counters import SegmentFigures, Snapshot, buffer_health
from voicestream.errors import UnspokenError, VoicestreamError
from voicestream.metrics import Metrics
from voicestream.records import dataclass, field, fields
from voicestream.state import State
from voicestream.words import heard, spoken_text


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    ``kind`` is one of ``segment_queued``, ``first_byte``, ``playing``, ``segment_done`` (all
    of its sound is here), ``word`` (it begins to be heard), ``heard`` (the last of a segment
    has left the loudspeaker), ``segment_failed``, ``warning``, ``end``.
    """

    kind: str
    at_ms: float
    """Since process start (library: since the call)."""
    segment: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one reply."""

    completed: bool
    """Every segment was played (or saved) to its last sample."""
    snapshot: Snapshot
    errors: tuple[VoicestreamError, ...] = ()
    buffer: dict[str, float] = field(default_factory=dict)
    spoken: str = ""
    """The text heard, up to the last word that was heard whole."""
    stopped_in: str = ""
    """The word in which it stopped; empty where it stopped between two, or said all."""

    def to_dict(self) -> dict[str, Any]:
        """Return the object of ``--json``: times in milliseconds since process start, None if
        never."""
        seen = self.snapshot
        shown = {
            f.name: _plain(getattr(seen, f.name), f.name)
            for f in fields(seen)
            if f.name not in _LIVE
        }
        return {
            "completed": self.completed,
            **shown,
            "buffer_health": buffer_health(seen),
            "buffer_ms": _plain(self.buffer),
            "segments": [_segment(figures, seen.start_s) for figures in seen.segments],
            "reworded": [
                {"segment": figures.index, "wanted": wanted, "said": said}
                for figures in seen.segments
                for wanted, said in figures.reworded
            ],
            "spoken": self.spoken,
            "heard_chars": len(self.spoken),
            "stopped_in": self.stopped_in,
            "errors": [str(error) for error in self.errors],
        }


_LIVE = frozenset(
    "at_ms fill_ms prebuffer_ms capacity_ms speaking segments cues written_frames played_frames "
    "heard_frames pauses fill rate_hz start_s waits_for text_chars text_complete".split()
)
"""Of a snapshot, what is of no use once the reply has ended, or shown in another way."""


def _plain(value: Any, name: str = "") -> Any:
    """Return the figure ``name`` as JSON has it: seconds to 0.1 ms, everything else to a tenth."""
    if isinstance(value, State):
        return value.value
    if isinstance(value, dict):
        return {inner: _plain(figure, name) for inner, figure in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return _round(value, 4 if name.endswith("_s") else 1) if isinstance(value, float) else value


def failures(metrics: Metrics, errors: list[VoicestreamError]) -> list[VoicestreamError]:
    """Return ``errors`` with one for all words that were left out, in place of one for each segment
    without any sound."""
    words = metrics.notices.unspoken
    if not words:
        return errors
    text = "".join(figures.text for figures in metrics.requests.segments)
    words.sort(key=text.find)  # several requests have noted theirs at the same time
    errors = [error for error in errors if not isinstance(error, UnspokenError)]
    return [*errors, UnspokenError(words)]


def make_result(metrics: Metrics, errors: list[VoicestreamError]) -> Result:
    """Return the result of a reply that has ended."""
    snapshot = metrics.snapshot()
    fill = snapshot.fill
    return Result(
        completed=snapshot.state is State.DONE,
        snapshot=snapshot,
        errors=tuple(errors),
        buffer={
            "mean": fill.mean_ms,
            "min": fill.min_ms,
            "max": fill.max_ms,
            "deviation": fill.deviation_ms,
        },
        spoken=spoken_text(snapshot),
        stopped_in=_stopped_in(snapshot),
    )


def _stopped_in(snapshot: Snapshot) -> str:
    known = heard(snapshot)
    return snapshot.cues[known.segments].text[slice(*known.word)] if known.word else ""


def _segment(figures: SegmentFigures, start_s: float) -> dict[str, Any]:
    def since_start(at_s: float | None) -> float | None:
        return None if at_s is None else _round(1000 * (at_s - start_s))

    return {
        "text": figures.text,
        "format": figures.format,
        "request_ms": since_start(figures.request_at_s),
        "first_byte_ms": since_start(figures.first_byte_at_s),
        "audio_s": _round(figures.audio_s, 4),
        "cached": figures.cached,
        "status": figures.status.value,
    }


def _round(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)
