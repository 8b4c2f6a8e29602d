"""An endpoint, a text and a loudspeaker made of lists and events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from voicestream.testing import FakeEndpoint, FakeStream
from voicestream.testing import FakeSink as Keeper
from voicestream.text.pieces import Boundary, Segment

__all__ = ["FakeEndpoint", "FakeSegments", "FakeStream", "Keeper", "numbers_in", "tone_of"]

LONG_S = 10.0
"""Nobody waits so long unless something hangs."""


class FakeSegments:
    """A text that is known, or, with ``gate``, is written on when the gate opens."""

    def __init__(self, texts: Sequence[str], end: BaseException | None = None) -> None:
        self._texts = list(texts)
        self._end = end
        self._taken = 0
        self.waits = threading.Event()
        self._cancelled = threading.Event()
        self.hangs_at: int | None = None
        self.more = threading.Event()
        """Before the segment ``hangs_at`` the writer pauses until this is set."""

    late = False

    def start(self) -> None:
        return

    def take(self, waiting_s: Callable[[], float]) -> Segment | None:
        waiting_s()
        if self._taken == self.hangs_at:
            self.waits.set()
            while not self.more.wait(0.005) and not self._cancelled.is_set():
                continue
        if self._cancelled.is_set():
            return None
        if self._taken == len(self._texts):
            if self._end is not None:
                raise self._end
            return None
        self._taken += 1
        return Segment(self._taken - 1, self._texts[self._taken - 1], Boundary.SENTENCE)

    def stop(self) -> None:
        self.more.set()

    def length(self) -> tuple[int, bool]:
        return sum(map(len, self._texts)), self.hangs_at is None

    def cancel(self) -> None:
        self._cancelled.set()


def tone_of(number: int, frames: int = 2400) -> np.ndarray:
    """A constant level that names the segment: 1000, 2000, ..."""
    return np.full(frames, 1000 * (number % 20 + 1), np.int16)


def numbers_in(heard: np.ndarray, least_frames: int = 200) -> list[int]:
    """The segments that are heard, in order: each level that lasts."""
    edges = np.flatnonzero(np.diff(heard)) + 1
    runs = np.split(heard, edges)
    levels = [int(run[0]) for run in runs if len(run) >= least_frames and run[0]]
    numbers = [level // 1000 - 1 for level in levels if level % 1000 == 0]
    # on a busy machine a hole may part one: it is the same segment that goes on
    return [n for n, before in zip(numbers, [None, *numbers[:-1]], strict=True) if n != before]
