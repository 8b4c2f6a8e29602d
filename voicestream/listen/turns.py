"""A person's turns: what is said until a silence, with what came just before it was noticed."""

from __future__ import annotations

from collections import deque

import numpy as np

from voicestream.pcm import Frames16

_BEFORE_FRAMES = 80
"""Of 10 ms: what is kept of the time before somebody is sure to speak, the first syllable in it."""
_LATE_FRAMES = 7
"""Frames for which the detector still hears a person after their last sound."""
_LONGEST_FRAMES = 12_000
"""Two minutes: nobody speaks so long without a silence, but a radio does."""


class Turns:
    """Cuts what the microphone hears into turns. Used by one thread.

    Args:
        end_ms: so much silence ends one.
    """

    def __init__(self, end_ms: float) -> None:
        self._end_frames = max(round(end_ms / 10) - _LATE_FRAMES, 1)
        self._before: deque[Frames16] = deque(maxlen=_BEFORE_FRAMES)
        self._turn: list[Frames16] | None = None
        self._silent_frames = 0
        self._spoke = False

    @property
    def begun(self) -> bool:
        """Whether a turn has begun and not ended."""
        return self._turn is not None

    def begin(self) -> None:
        """Let a turn begin, with what was heard just before."""
        self._turn, self._silent_frames = list(self._before), 0
        self._before.clear()

    def hear(self, frame: Frames16, speaks: bool, voiced: bool) -> bool:
        """Take the next 10 ms; return whether the turn is over.

        Args:
            speaks: it is sure that somebody does.
            voiced: it sounds like speech now.
        """
        self._spoke |= speaks
        if self._turn is None:
            self._before.append(frame)
            return False
        self._turn.append(frame)
        self._silent_frames = 0 if voiced else self._silent_frames + 1
        return self._silent_frames >= self._end_frames or len(self._turn) >= _LONGEST_FRAMES

    def end(self) -> Frames16:
        """End the turn; return its sound, or nothing where nobody spoke."""
        turn, self._turn = self._turn, None
        spoke, self._spoke = self._spoke, False
        return np.concatenate(turn) if turn and spoke else np.zeros(0, np.int16)
