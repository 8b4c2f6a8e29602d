"""A player on a stage: what it is given and asked, and what it has said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from voicestream.counters import PlayFigures, Timeline
from voicestream.pcm import PcmFormat
from voicestream.playout.controls import Controls
from voicestream.playout.player import Player
from voicestream.playout.ring import Ring
from voicestream.policy.plan import Plan
from voicestream.state import State, StateMachine

PCM = PcmFormat(24_000)


FADE = 96


PERIOD = 240


LEVEL = 10_000


class Stage:
    """A player with everything around it; sound of one level unless said."""

    def __init__(self, capacity: int = 100_000, resume: int = 1000) -> None:
        self.ring = Ring(capacity, 1, 12_000)
        self.machine = StateMachine()
        self.machine.advance(State.CONNECTING)
        self.machine.advance(State.PREBUFFERING)
        self.timeline = Timeline(0.0)
        self.figures = PlayFigures()
        self.wakes = 0
        self.controls = Controls()
        self.now_s = 1.0
        self.player = Player(
            *(self.ring, PCM, self.machine, self.timeline, self.figures, self._wake),
            self.controls,
            clock=lambda: self.now_s,
        )
        self.player.gate.plan = Plan(resume, resume)

    def _wake(self) -> None:
        self.wakes += 1

    def write(self, frames: int, level: int = LEVEL) -> None:
        assert self.ring.write(np.full((frames, 1), level, np.int16)) == frames

    def fill(self, frames: int = PERIOD, at_s: float = 5.0) -> np.ndarray:
        data = self.player.fill(frames, at_s)
        assert len(data) == 2 * frames
        return np.frombuffer(data, np.int16)

    def until_drained(self) -> Iterator[np.ndarray]:
        while not self.player.drained:
            yield self.fill()
