"""How far the speech is in the whole text."""

from __future__ import annotations

from voicestream.counters import Snapshot
from voicestream.records import dataclass
from voicestream.ui.summary import heard_s


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the text was heard.

    Attributes:
        share: of the text as far as it is known, 0 to 1.
        heard_s: seconds heard.
        total_s: how long the whole will be; None while that cannot be told.
        exact: all of the sound is there, so ``total_s`` is no estimate.
        open: the text goes on: nobody knows how far.
    """

    share: float
    heard_s: float
    total_s: float | None
    exact: bool
    open: bool


def progress_of(seen: Snapshot) -> Progress:
    """Return how far the reply is that ``seen`` shows."""
    cues = seen.cues
    ends = [cue.start_frame for cue in cues[1:]] + [seen.written_frames] * bool(cues)
    heard_chars = 0.0
    for cue, end in zip(cues, ends, strict=True):
        share = (seen.played_frames - cue.start_frame) / max(end - cue.start_frame, 1)
        if share < 0.0:
            break
        heard_chars += min(share, 1.0) * len(cue.text)
    written_chars = sum(len(cue.text) for cue in cues)
    whole = max(seen.text_chars, written_chars)
    exact = seen.text_complete and written_chars >= seen.text_chars and _all_there(seen)
    total_s = (
        seen.audio_s
        if exact
        else _estimate_s(seen, whole)
        if seen.text_chars and seen.text_complete
        else None
    )
    return Progress(
        share=min(heard_chars / whole, 1.0) if whole else 0.0,
        heard_s=heard_s(seen),
        total_s=total_s,
        exact=exact,
        open=not seen.text_complete,
    )


def _all_there(seen: Snapshot) -> bool:
    return bool(seen.segments) and all(segment.settled for segment in seen.segments)


def _estimate_s(seen: Snapshot, chars: int) -> float | None:
    """Return the whole as long as its finished parts let expect; None while none is finished."""
    if len(seen.cues) < 2 or not seen.rate_hz:
        return None
    frames = seen.cues[-1].start_frame - seen.cues[0].start_frame
    spoken_chars = sum(len(cue.text) for cue in seen.cues[:-1])
    if not frames or not spoken_chars:
        return None
    return max(frames / seen.rate_hz * chars / spoken_chars, seen.audio_s)
