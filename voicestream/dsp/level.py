"""A slow gain that brings later segments to the level of what came before."""

from __future__ import annotations

import math

import numpy as np

from voicestream.dsp.loudness import amplify
from voicestream.dsp.silence import Windows
from voicestream.pcm import Samples

_MOST_DB = 6.0
_TOLERANCE_DB = 1.0
_RATE_DB_PER_S = 3.0
_LISTEN_S = 0.4  # of speech, before the level of a segment is judged
_GATE = 0.1  # windows 10 dB below the mean are pauses (the relative gate of ITU-R BS.1770)
_HIGHEST_PEAK = 0.98


class _Loudness:
    """Measures the mean power of the windows that hold speech."""

    def __init__(self) -> None:
        self.windows = 0
        self.total = 0.0

    def add(self, power: float) -> None:
        if power * self.windows >= _GATE * self.total:
            self.windows += 1
            self.total += power

    def mean(self) -> float:
        return self.total / self.windows


class Leveler:
    """Brings segments to the level of the first, which is left alone.

    The gain is continuous, at most 6 dB up or down, moves 3 dB a second at
    most and only in speech. A segment within 1 dB of what came before is left
    alone, bit for bit; any other is brought to within 1 dB.
    """

    def __init__(self, window_frames: int, rate_hz: int) -> None:
        self._window_frames = window_frames
        self._listen_windows = round(_LISTEN_S * rate_hz / window_frames)
        self._step_db = _RATE_DB_PER_S * window_frames / rate_hz
        self._before = _Loudness()
        self._spoken = _Loudness()
        self._segment = _Loudness()
        self._peak = 0.0
        self._gain_db = 0.0

    def begin(self) -> None:
        """Begin a segment, which is measured by what has been spoken until now."""
        self._before.windows, self._before.total = self._spoken.windows, self._spoken.total
        self._segment = _Loudness()
        self._peak = 0.0

    def apply(self, block: Samples, windows: Windows) -> Samples:
        """Return the block at its level; the very same array where nothing is to be changed."""
        gains = [_linear(self._gain_db)]
        values = zip(windows.power, windows.peak, windows.active, strict=True)
        for power, peak, active in values:
            self._peak = max(self._peak, peak)
            if active:
                self._segment.add(power)
                self._move()
                self._spoken.add(power * _linear(self._gain_db) ** 2)
            gains.append(_linear(self._gain_db))
        if all(gain == 1.0 for gain in gains):
            return block
        return _amplify(block, gains, self._window_frames)

    def _move(self) -> None:
        wanted_db = self._wanted_db()
        change_db = max(-self._step_db, min(self._step_db, wanted_db - self._gain_db))
        arrived = abs(wanted_db - self._gain_db) <= self._step_db
        self._gain_db = wanted_db if arrived else self._gain_db + change_db

    def _wanted_db(self) -> float:
        if not self._before.windows:
            return 0.0
        if self._segment.windows < self._listen_windows:
            return self._gain_db
        off_db = 10 * math.log10(self._before.mean() / self._segment.mean())
        size_db = min(_MOST_DB, max(0.0, abs(off_db) - _TOLERANCE_DB))
        room_db = max(0.0, 20 * math.log10(_HIGHEST_PEAK / self._peak))
        return min(math.copysign(size_db, off_db), room_db)


def _linear(gain_db: float) -> float:
    return 1.0 if gain_db == 0.0 else float(10 ** (gain_db / 20))


def _amplify(block: Samples, gains: list[float], window_frames: int) -> Samples:
    """Amplify a block by ``gains`` at each window's edges, and by what lies between them in a
    line."""
    edges = np.array(gains)
    way = np.arange(1, window_frames + 1) / window_frames
    ramp = edges[:-1, None] + np.diff(edges)[:, None] * way
    gain = ramp.reshape(-1, 1)[: len(block)]
    return amplify(block, gain)
