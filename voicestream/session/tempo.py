"""The joined sound at the tempo that was asked for, or slower where more would be late."""

from __future__ import annotations

from collections.abc import Callable

from voicestream.dsp.stretch import Stretcher
from voicestream.metrics import FeederFigures
from voicestream.pcm import PcmFormat, Samples

Share = Callable[[float, float], float]
"""(When it arrived, its seconds at the tempo asked for) -> the share of that tempo to play at."""


class Tempo:
    """What stands between the joiner and the ring. Used by the feeder.

    It comes after the joiner, so that pauses shorten as speech does, and before the
    ring, so that all that counts, saves or plans sees what will be heard.

    Args:
        tempo: seconds of speech as it arrives that are heard in a second.
        figures: get the seconds played slower than that.
    """

    def __init__(self, pcm: PcmFormat, tempo: float, figures: FeederFigures, share: Share) -> None:
        self._pcm = pcm
        self._tempo = tempo
        self._figures = figures
        self._share = share
        self._stretcher = Stretcher(pcm, tempo)

    @property
    def waiting_frames(self) -> int:
        """What is held back, as long as it will last, about."""
        return self._stretcher.waiting_frames

    def push(self, samples: Samples, at_s: float) -> Samples:
        """The next of the joined sound, which arrived then; returns what may be written."""
        if not len(samples):
            return samples
        tempo = self._tempo
        share = self._share(at_s, self._pcm.frames_to_s(len(samples)) / tempo)
        self._stretcher.tempo = tempo * share
        return self._counted(self._stretcher.push(samples))

    def flush(self) -> Samples:
        """A segment is over: nothing of it may wait for the next one."""
        return self._counted(self._stretcher.flush())

    def _counted(self, ready: Samples) -> Samples:
        if self._stretcher.tempo < self._tempo:
            self._figures.stretched_s += self._pcm.frames_to_s(len(ready))
        return ready
