"""The segments of one reply become one continuous stream.

The silence an engine leaves at the ends of a segment is replaced by the pause
that is wanted there, and the level does not jump. Speech is never held back:
only quiet sound is, since it may turn out to be the silence at the end.
"""

from __future__ import annotations

import numpy as np

from voicestream.dsp import edges
from voicestream.dsp.level import Leveler
from voicestream.dsp.silence import WINDOW_MS, Activity
from voicestream.pcm import PcmFormat, Samples, no_samples
from voicestream.records import dataclass

_LONGEST_LEAD_S = 2.0


@dataclass(frozen=True, slots=True)
class JoinSettings:
    """How segments are joined.

    Without ``trim`` they follow each other as they are, and no pause is added;
    without ``normalize`` each keeps its own level.
    """

    trim: bool = True
    normalize: bool = True
    silence_db: float = -55.0
    """Quieter than this (mean power, full scale is 0) is silence; room tone raises it to -40."""
    keep_ms: float = 25.0
    """How much of the quiet before the first sound of a segment stays: soft onsets are in it."""
    hold_ms: float = 400.0
    """Quiet sound held back at most, until it shows whether a segment ends."""
    least_pause_ms: float = 0.0
    """Quiet sound up to here is never held back: say the shortest pause that will be asked for."""


class Joiner:
    """Takes segments one after the other; each method returns what may be played now.

    The order is ``begin``, ``feed`` any number of times, ``end``; again for each
    segment; then ``flush``. Samples have the shape ``(frames, channels)`` of
    ``pcm``. However they are cut, the joined result is the same. Up to 5 ms
    wait in ``feed`` for their window to be whole.

    A single segment comes out bit for bit, but for the silence before its first
    sound. Used by one thread.
    """

    def __init__(self, pcm: PcmFormat, settings: JoinSettings | None = None) -> None:
        self._settings = settings or JoinSettings()
        self._channels = pcm.channels
        self._window = max(1, pcm.ms_to_frames(WINDOW_MS))
        self._keep = max(self._window, pcm.ms_to_frames(self._settings.keep_ms))
        self._hold = pcm.ms_to_frames(self._settings.hold_ms)
        self._least = pcm.ms_to_frames(self._settings.least_pause_ms)
        self._longest_lead = pcm.s_to_frames(_LONGEST_LEAD_S)
        self._pcm = pcm
        self._activity = Activity(self._window, self._settings.silence_db)
        self._leveler = Leveler(self._window, pcm.rate_hz)

        nothing = no_samples(pcm.channels)
        self._open = False
        self._partial = nothing  # of the window that is not whole yet
        self._heard = False  # any segment had sound
        self._sounding = False  # this segment had sound
        self._lead = nothing  # quiet before the first sound of this segment
        self._pause = nothing  # the last of the pause before this segment, not returned yet
        self._past = nothing  # the end of what was returned
        self._tail = nothing  # quiet after the last sound, not returned yet
        self._quiet = 0  # frames returned since the last sound
        self.cut_frames = 0
        """Where frame 0 of this segment would be in what was returned since ``begin``, so many
        frames before its begin; known once its first sound is returned."""

    def begin(self, pause_s: float | None) -> Samples:
        """Begin a segment ``pause_s`` after the last sound of the one before; return what may be
        played.

        The pause is counted from the last audible frame to the first one. It is
        at least 5 ms, in which the two segments are cross-faded, and longer than
        asked for where more quiet has been returned already. None for the first.
        """
        closing = self.end()
        self._open, self._sounding = True, False
        self.cut_frames = 0
        self._lead = no_samples(self._channels)
        if self._settings.normalize:
            self._leveler.begin()
        if not self._heard:
            self._tail = no_samples(self._channels)  # of a segment that was silent throughout
            return closing
        wanted = self._pcm.s_to_frames(pause_s or 0.0)
        frames = max(wanted - self._quiet, self._window)
        # The quiet before the coming sound takes the end of the pause; the rest can go.
        ready = max(0, frames - self._keep)
        fading = self._tail[: ready + self._window]
        pause = edges.after_sound(self._past, fading, frames, self._window)
        self._quiet += ready
        self._pause = pause[ready:]
        self._tail = no_samples(self._channels)
        return _chain(closing, pause[:ready])

    def feed(self, samples: Samples) -> Samples:
        """Take the next samples of the segment, shape ``(frames, channels)``; return what may be
        played."""
        if not (self._settings.trim or self._settings.normalize):
            return samples
        samples = _chain(self._partial, samples)
        whole = len(samples) // self._window * self._window
        self._partial = samples[whole:]
        return self._take(samples[:whole])

    def end(self) -> Samples:
        """End the segment; return what may be played. Safe to call again."""
        if not self._open:
            return no_samples(self._channels)
        self._open = False
        rest, self._partial = self._partial, no_samples(self._channels)
        ready = self._take(rest)
        if not self._sounding:
            # Silent throughout: it only counts if nothing follows.
            self._tail = _chain(self._pause, self._lead)
            self._pause = self._lead = no_samples(self._channels)
        return ready

    def flush(self) -> Samples:
        """Return what is held, untouched. Called once, last."""
        ready = self.end()
        return _chain(ready, self._release(len(self._tail)))

    def _take(self, block: Samples) -> Samples:
        """Take whole windows, or the last of a segment; return what may be played."""
        if not len(block):
            return block
        windows = self._activity.look(block)
        if self._settings.normalize:
            block = self._leveler.apply(block, windows)
        if not self._settings.trim:
            return block
        if self._sounding:
            return self._go_on(block, windows.last)
        if windows.first is None or windows.last is None:
            limit = self._keep if self._heard else self._longest_lead
            self._lead = _chain(self._lead, block)[-limit:]
            self.cut_frames += len(block)
            return no_samples(self._channels)
        lead = _chain(self._lead, block[: windows.first])
        block = block[windows.first :]
        opening = self._opening(lead, block)
        self.cut_frames += windows.first - len(opening)
        self._heard = self._sounding = True
        self._lead = self._pause = no_samples(self._channels)
        self._past = opening[-self._window :]
        return _chain(opening, self._go_on(block, windows.last - windows.first))

    def _opening(self, lead: Samples, sound: Samples) -> Samples:
        """Return what is played between the last sound (if any) and the first of this segment."""
        if self._heard:
            kept = lead[-self._keep :]
            before = edges.before_sound(kept, sound, len(self._pause), self._window)
            return self._pause + before
        if len(lead) <= self._keep:
            return lead
        return edges.fade_in(lead[-self._keep :], self._window)

    def _go_on(self, block: Samples, last: int | None) -> Samples:
        """Take a block after the first sound of the segment; ``last`` is its last audible frame."""
        held = _chain(self._tail, block)
        sounding = 0 if last is None else len(self._tail) + last + 1
        self._tail = held
        ready = self._release(sounding)
        if sounding:
            self._quiet = 0
        return _chain(ready, self._release(self._surplus()))

    def _surplus(self) -> int:
        """Return how many frames of the tail need not be held."""
        free = min(len(self._tail), self._least - self._quiet)
        return max(0, free, len(self._tail) - self._hold)

    def _release(self, frames: int) -> Samples:
        ready, self._tail = self._tail[:frames], self._tail[frames:]
        self._past = _chain(self._past, ready)[-self._window :]
        self._quiet += len(ready)
        return ready


def _chain(first: Samples, second: Samples) -> Samples:
    """Join two arrays, without a copy where one is empty."""
    if not len(first):
        return second
    if not len(second):
        return first
    return np.concatenate((first, second))
