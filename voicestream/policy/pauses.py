"""Where a speaker would breathe: stretches of low energy, found as the sound arrives."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

import numpy as np

from voicestream.pcm import Samples, no_samples
from voicestream.records import dataclass

WINDOW_S = 0.01
SHORTEST_S = 0.06
"""Less is a stop consonant more often than a pause."""
_BELOW_SPEECH_DB = 38.0
_QUIETEST_DB = -70.0
_FIRST_LEVEL_DB = -26.0
"""How loud speech is taken to be until some has been heard."""
_FORGET_DB = 1.0 * WINDOW_S
"""The level of the speech is its loudest window, forgotten at 1 dB a second."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Frames ``start`` to ``end`` of the reply are a pause; it may still go on at its end."""

    start: int
    end: int


class PauseFinder:
    """Finds pauses in a stream of samples, however it is cut.

    A pause is 60 ms or more of windows of 10 ms whose energy is 38 dB below the
    speech. Its frames count from the first sample fed. Used by one thread.
    """

    def __init__(self, rate_hz: int) -> None:
        self._window = max(round(rate_hz * WINDOW_S), 1)
        self._least = round(SHORTEST_S / WINDOW_S)
        self._level_db = _FIRST_LEVEL_DB
        self._rest = no_samples()[:, 0]
        self._windows = 0
        self._run_start: int | None = None
        self._starts: list[int] = []
        self._ends: list[int] = []

    @property
    def frames(self) -> int:
        """Frames fed so far."""
        return self._windows * self._window + len(self._rest)

    def feed(self, samples: Samples) -> None:
        """Look for pauses in the next samples; the first channel stands for all."""
        sound = np.concatenate((self._rest, samples[:, 0]))
        count = len(sound) // self._window
        self._rest = sound[count * self._window :]
        if count:
            windows = sound[: count * self._window].reshape(count, self._window)
            self._look(self._is_low(windows))

    def _is_low(self, windows: Samples) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        power = np.einsum("ij,ij->i", windows, windows) / self._window
        db = 10.0 * np.log10(power + 1e-12)
        slope = _FORGET_DB * np.arange(1, len(db) + 1)
        level = np.maximum.accumulate(np.maximum(db + slope, self._level_db)) - slope
        self._level_db = float(level[-1])
        low: np.ndarray[tuple[int], np.dtype[np.bool_]] = db < np.maximum(
            level - _BELOW_SPEECH_DB, _QUIETEST_DB
        )
        return low

    def _look(self, low: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        edges = np.flatnonzero(np.diff(low.astype(np.int8), prepend=self._run_start is not None))
        for edge in edges.tolist():
            at = self._windows + edge
            if low[edge]:
                self._run_start = at
            elif self._run_start is not None:
                self._note(self._run_start, at)
                self._run_start = None
        self._windows += len(low)
        if self._run_start is not None:
            self._note(self._run_start, self._windows)

    def _note(self, start: int, end: int) -> None:
        if end - start < self._least:
            return
        # the same pause grown longer, or the silence around a join
        if self._starts and start * self._window <= self._starts[-1]:
            self._ends[-1] = max(end * self._window, self._ends[-1])
        else:
            self._starts.append(start * self._window)
            self._ends.append(end * self._window)

    def join(self) -> None:
        """End a segment with the last sample fed, which makes a pause there, however short."""
        at = self.frames
        if not self._ends or self._ends[-1] < at - self._window:
            self._starts.append(at)
            self._ends.append(at)

    @property
    def count(self) -> int:
        """Pauses found so far."""
        return len(self._starts)

    @property
    def last(self) -> Pause | None:
        """The latest pause known."""
        return Pause(self._starts[-1], self._ends[-1]) if self._starts else None

    def pauses(self) -> list[Pause]:
        """Return all of them, in order."""
        return [Pause(*ends) for ends in zip(self._starts, self._ends, strict=True)]

    def between(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """Return the pauses that lie between two frames. Any thread."""
        first = bisect.bisect_right(self._starts, start)
        after = bisect.bisect_left(self._ends, end)
        return tuple(zip(self._starts[first:after], self._ends[first:after], strict=False))

    def after(self, frame: int) -> Pause | None:
        """Return the first pause that ends after ``frame``: the one it lies in, or the next."""
        index = bisect.bisect_right(self._ends, frame)
        return Pause(self._starts[index], self._ends[index]) if index < len(self._ends) else None


class KnownPauses:
    """Pauses noted before, revealed as a :class:`PauseFinder` would find them.

    Args:
        pauses: frames ``(start, end)`` of each, in order.
    """

    def __init__(self, pauses: Sequence[tuple[int, int]], rate_hz: int) -> None:
        self._window = max(round(rate_hz * WINDOW_S), 1)
        self._least = round(SHORTEST_S / WINDOW_S) * self._window
        self._starts = [start for start, _ in pauses]
        self._ends = [end for _, end in pauses]
        self._arrived = 0
        self._known = 0

    def arrived(self, frames: int) -> None:
        """Reveal the pauses of ``frames`` more."""
        self._arrived += frames
        reach = self._arrived - self._least
        while self._known < len(self._starts) and self._starts[self._known] <= reach:
            self._known += 1

    def _pause(self, index: int) -> Pause:
        whole_windows = self._arrived - self._arrived % self._window
        return Pause(self._starts[index], min(self._ends[index], whole_windows))

    @property
    def count(self) -> int:
        """Pauses known so far."""
        return self._known

    @property
    def last(self) -> Pause | None:
        """The latest pause known."""
        return self._pause(self._known - 1) if self._known else None

    def after(self, frame: int) -> Pause | None:
        """Return the first pause known that ends after ``frame``."""
        index = bisect.bisect_right(self._ends, frame)
        return self._pause(index) if index < self._known else None
