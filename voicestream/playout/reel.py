"""What the player takes out of the ring: as it is, or at another tempo while it plays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from voicestream.pcm import Frames16, Samples, from_int16, to_int16
from voicestream.playout.ring import Ring


class Stretching(Protocol):
    """Changes the tempo of a stream of samples."""

    tempo: float

    @property
    def waiting_frames(self) -> int: ...

    def feed(self, samples: Samples, /) -> Samples: ...

    def flush(self) -> Samples: ...


def no_stretcher() -> Stretching:
    """For a player whose tempo nobody changes."""
    raise NotImplementedError("there is no stretcher")


class Reel:
    """Takes the ring's frames at the tempo wished. Belongs to the audio callback.

    At a tempo of 1 each frame is as it was written. What a stretcher holds back, 50 ms, counts
    as read; it is kept in every pause, and left out by ``seek`` and ``rewind``.

    Args:
        ring: where frames come from.
        stretcher: makes what changes the tempo, once that is wished.
    """

    def __init__(self, ring: Ring, stretcher: Callable[[], Stretching]) -> None:
        self._ring = ring
        self._make = stretcher
        self._stretcher: Stretching | None = None
        self._nothing = ring.view(0)[1]
        self._ready: Frames16 = self._nothing
        self._tempo = 1.0

    def turn(self, tempo: float) -> None:
        """Play ``tempo`` times as fast as what was written, from the next frame on."""
        if tempo == self._tempo:
            return
        self._tempo = tempo
        self._stretcher = self._stretcher or self._make()
        self._stretcher.tempo = tempo

    def take(self, most: int, within: int) -> Frames16:
        """Return up to ``most`` frames to play, made of up to ``within`` frames of the ring."""
        if self._stretcher is None:
            return self._ring.take(min(most, within))
        self._fill(self._stretcher, most, within)
        taken, self._ready = self._ready[:most], self._ready[most:]
        self._come_back(self._stretcher)
        # of its own: whoever takes it may change it
        return taken.copy()

    def peek(self, most: int) -> Frames16:
        """Return up to ``most`` frames that are played next."""
        if self._stretcher is None:
            return self._ring.peek(most)
        self._fill(self._stretcher, most, self._ring.readable_frames)
        return self._ready[:most]

    def seek(self, frame: int) -> int:
        """Go on at another frame, see :meth:`Ring.seek`."""
        self._drop()
        return self._ring.seek(frame)

    def rewind(self, frames: int) -> int:
        """Make the last ``frames`` played readable again, see :meth:`Ring.rewind`."""
        self._drop()
        return self._ring.rewind(round(frames * self._tempo))

    def _fill(self, stretcher: Stretching, most: int, within: int) -> None:
        """Make ``most`` frames ready, or all that can be made of ``within`` frames of the ring."""
        ready = [self._ready]
        missing = most - len(self._ready)
        while missing > 0:
            source = self._ring.take(min(math.ceil(missing * self._tempo), within))
            within -= len(source)
            made = stretcher.feed(from_int16(source)) if len(source) else stretcher.flush()
            ready.append(to_int16(made))
            missing -= len(made)
            if not len(source):
                break
        self._ready = np.concatenate(ready)

    def _come_back(self, stretcher: Stretching) -> None:
        """Let go of the stretcher, which a tempo of 1 with nothing held back does not need."""
        if self._tempo == 1.0 and not len(self._ready) and not stretcher.waiting_frames:
            self._stretcher = None

    def _drop(self) -> None:
        self._ready = self._nothing
        self._stretcher = None
        tempo, self._tempo = self._tempo, 1.0
        self.turn(tempo)
