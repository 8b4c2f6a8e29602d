"""Which short windows of a stream hold sound, and which only silence or room tone."""

from __future__ import annotations

from collections import deque

import numpy as np

from voicestream.pcm import NDArray, Samples
from voicestream.records import dataclass

WINDOW_MS = 5.0

_FLOOR_WINDOWS = 10
_FLOOR_MARGIN = 10**0.6  # 6 dB: short windows of steady noise stray by 2 to 3
_HIGHEST = 10**-4.0  # -40 dB: above it nothing is taken for room tone,
_BELOW_SPEECH = 10**-2.5  # nor within 25 dB of the loudest speech: a quiet voice is a voice


@dataclass(frozen=True, slots=True)
class Windows:
    """Holds a value for each whole window of one block (the last may be shorter)."""

    power: list[float]
    peak: list[float]
    active: list[bool]
    first: int | None
    """The first audible frame of the block; None where all is quiet."""
    last: int | None
    """The last audible frame of the block."""


class Activity:
    """Judges windows by their power, against a threshold that rises with the room tone.

    The room tone is the least power that any 50 ms so far had. Blocks must be
    cut at multiples of ``window_frames`` from the start of a segment, so that
    the judgement does not depend on how the stream arrives.
    """

    def __init__(self, window_frames: int, silence_db: float) -> None:
        self._window_frames = window_frames
        self._least = 10 ** (silence_db / 10)
        self._floor = np.inf
        self._loudest = 0.0
        self._recent: deque[float] = deque(maxlen=_FLOOR_WINDOWS)

    def look(self, block: Samples) -> Windows:
        """Judge a block of shape ``(frames, channels)``, at least one frame."""
        whole = len(block) // self._window_frames * self._window_frames
        powers, peaks = _measure(block[:whole], self._window_frames)
        if whole < len(block):
            rest = _measure(block[whole:], len(block) - whole)
            powers, peaks = powers + rest[0], peaks + rest[1]
        thresholds = [self._threshold(power) for power in powers]
        active = [power >= level for power, level in zip(powers, thresholds, strict=True)]
        first = last = None
        if True in active:
            index = active.index(True)
            first = int(self._audible(block, index, thresholds[index])[0])
            index = len(active) - 1 - active[::-1].index(True)
            last = int(self._audible(block, index, thresholds[index])[-1])
        return Windows(powers, peaks, active, first, last)

    def _threshold(self, power: float) -> float:
        """Return the threshold for a window of this power, which is then part of the past."""
        recent = self._recent
        recent.append(power)
        if len(recent) == _FLOOR_WINDOWS:
            mean = sum(recent) / _FLOOR_WINDOWS
            self._floor = min(self._floor, mean)
            self._loudest = max(self._loudest, mean)
        highest = min(_HIGHEST, self._loudest * _BELOW_SPEECH)
        return max(self._least, min(self._floor * _FLOOR_MARGIN, highest))

    def _audible(self, block: Samples, index: int, threshold: float) -> NDArray[np.intp]:
        """Return frames of an active window at or above the threshold: there is at least one."""
        start = index * self._window_frames
        level = np.abs(block[start : start + self._window_frames]).max(axis=1)
        # The margin is for rounding: a window as loud as its threshold has such a frame.
        return start + np.flatnonzero(level >= 0.999 * threshold**0.5)


def _measure(block: Samples, window_frames: int) -> tuple[list[float], list[float]]:
    """Mean power (of the loudest channel) and peak of each window."""
    shape = (-1, window_frames, block.shape[1])
    # One contiguous row a window: its sum is then rounded alike in a block of any length.
    rows = np.ascontiguousarray(block.reshape(shape).transpose(0, 2, 1), dtype=np.float64)
    power = (rows * rows).sum(axis=2).max(axis=1) / window_frames
    return power.tolist(), np.abs(rows).max(axis=(1, 2)).tolist()
