"""The edges of holes: wherever the sound stops, and goes on again, nothing clicks.

What fills a hole begins where the sound that was handed out ends, so it does not
matter where in a period of the sink a hole begins, nor what was played just before:
nothing needs to be held back for a fade.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from voicestream.pcm import Frames16, PcmFormat, from_int16, to_int16
from voicestream.playout.holes import FADE_S, mirror, repeat

_PAST_S = 0.03
"""Of the sound before a hole: two periods of a low voice."""


class Concealer:
    """Fills holes and smooths their edges, in place. Belongs to the audio callback.

    The order in each call of the sink: any of the others on parts of its frames,
    then ``remember`` with all of them.
    """

    def __init__(self, pcm: PcmFormat) -> None:
        self._rate_hz = pcm.rate_hz
        self._fade_frames = max(pcm.s_to_frames(FADE_S), 1)
        self._past_frames = max(pcm.s_to_frames(_PAST_S), self._fade_frames)
        self._nothing: Frames16 = np.zeros((0, pcm.channels), np.int16)
        self._past: deque[Frames16] = deque()  # the last that was handed out, 30 ms or more
        self._past_sum_frames = 0
        self._filling = self._nothing  # of the hole, not handed out yet
        self._risen_frames = self._fade_frames  # all of them: no hole was before this sound

    @property
    def filling(self) -> bool:
        """Whether a hole's filling has not been handed out to its end."""
        return len(self._filling) > 0

    def restart(self) -> None:
        """Forget the past: whatever comes next comes out of silence, and rises."""
        self._past.clear()
        self._past_sum_frames = 0
        self._filling = self._nothing
        self._risen_frames = 0

    def stop(self, played: Frames16, *, repeating: bool = False) -> None:
        """Begin a hole after ``played``, the frames that this call of the sink has had so far.

        With less than 30 ms before it there is no pitch to be repeated.
        """
        past = from_int16(np.concatenate((*self._past, played))[-self._past_frames :])
        going_on = repeat if repeating and len(past) == self._past_frames else mirror
        self._filling = to_int16(going_on(past, self._rate_hz))
        self._risen_frames = 0

    def stop_here(self) -> None:
        """Let what was handed out last fade under what comes next, which does not go on from it."""
        self.stop(self._nothing)

    def lead_into(self, peek: Callable[[int], Frames16]) -> int:
        """Let the filling rise to the sound that goes on, so that none of that is faded.

        Args:
            peek: gives the frames that come next.

        Returns:
            How many frames to ``fill`` before that sound; 0: there is nothing to rise to.
        """
        coming = peek(self._fade_frames)
        if not len(coming):
            return 0
        gain = np.linspace(0, 1, len(coming), endpoint=False, dtype=np.float32)
        self._filling = to_int16(from_int16(coming[::-1]) * gain[:, None])
        self._risen_frames = self._fade_frames
        return len(coming)

    def fill(self, out: Frames16) -> None:
        """Write the next of the hole into ``out``, which is left as it is after the filling's
        end."""
        out[: len(self._filling)] = self._filling[: len(out)]
        self._filling = self._filling[len(out) :]

    def go_on(self) -> None:
        """Let what fills the hole fade out while the sound goes on."""
        falling = from_int16(self._filling[: self._fade_frames])
        gain = np.linspace(1, 0, self._fade_frames, endpoint=False, dtype=np.float32)
        self._filling = to_int16(falling * gain[: len(falling), None])

    def smooth(self, out: Frames16) -> None:
        """Let the first sound after a hole, ``out``, rise out of what filled that."""
        rising = out[: self._fade_frames - self._risen_frames]
        if len(rising):
            places = np.arange(self._risen_frames, self._risen_frames + len(rising))
            gain = (places / self._fade_frames).astype(np.float32)[:, None]
            rising[:] = to_int16(from_int16(rising) * gain)
            self._risen_frames += len(rising)
        if self.filling:
            both = out[: len(self._filling)]
            both[:] = to_int16(from_int16(both) + from_int16(self._filling[: len(out)]))
            self._filling = self._filling[len(out) :]

    def remember(self, out: Frames16) -> None:
        """Keep all that the sink gets in this call; nobody may change it any more."""
        # nothing is copied: numpy lets go of the GIL where it copies, and may wait for it long
        self._past.append(out)
        self._past_sum_frames += len(out)
        while self._past_sum_frames - len(self._past[0]) >= self._past_frames:
            self._past_sum_frames -= len(self._past.popleft())
