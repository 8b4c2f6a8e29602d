"""Whether somebody speaks to us: a plain function of how likely each 32 ms are speech."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from voicestream.listen.convert import RATE_HZ
from voicestream.pcm import Frames16

CHUNK_FRAMES = 512
"""Samples of a chunk, of which the detector says how likely it is speech."""
_CHUNK_MS = 1000 * CHUNK_FRAMES / RATE_HZ
_HUM_DB = -30.0
"""A closed mouth leaves less than this of a sound's power above ``_OPEN_HZ``."""
_LOWEST_HZ, _OPEN_HZ = 80, 1000
_FAINT_DB = 15.0
"""A chunk this far below the loudest one tells nothing: it is the breath after a hum."""
_LONG_HUM_MS = 550.0
"""A hum that lasts so long interrupts too."""
_LEFT = 0.3
"""So much of an echo's power may be left."""
Samples: TypeAlias = npt.NDArray[np.float64]
_BINS_HZ = np.fft.rfftfreq(CHUNK_FRAMES, 1 / RATE_HZ)
_WINDOW = np.hanning(CHUNK_FRAMES)


class Decision:
    """Says when it is sure that a person speaks.

    Speech that stops for a moment counts on, a cough or a chair is no speech to the detector, and
    a "mhm" is left out by its sound: the mouth is closed.

    Args:
        sure: from which probability on a chunk is speech, 0 to 1.
        long_ms: how much of it there must be.
    """

    def __init__(self, sure: float, long_ms: float) -> None:
        self._sure = sure
        self._needed = max(1, round(long_ms / _CHUNK_MS))
        self._needed_of_hum = max(self._needed, round(_LONG_HUM_MS / _CHUNK_MS))
        self.forget()

    def forget(self) -> None:
        """Let nobody have spoken so far."""
        self._chunks = 0
        self._hums = True
        self._peak_db = -100.0
        self._speaks = False

    def hear(self, probability: float, chunk: Frames16, echo: Samples | None = None) -> bool:
        """Return whether a person speaks, after the next chunk; a short silence ends that.

        Args:
            probability: that it is speech, as the detector says.
            chunk: its ``CHUNK_FRAMES`` samples, shape ``(frames,)``.
            echo: what was taken out of it, of which some may be left: that opens no mouth.
        """
        if probability < self._sure:
            self._chunks = max(self._chunks - 1, 0)
            if not self._chunks:
                self.forget()
            return self._speaks
        level_db, open_db = _sound_of(chunk, echo)
        self._chunks = min(self._chunks + 1, self._needed_of_hum)
        self._peak_db = max(self._peak_db, level_db)
        self._hums &= open_db < _HUM_DB or level_db < self._peak_db - _FAINT_DB
        self._speaks |= self._chunks >= (self._needed_of_hum if self._hums else self._needed)
        return self._speaks


def _sound_of(chunk: Frames16, echo: Samples | None) -> tuple[float, float]:
    """Return the level of a chunk, and how much of that lies above ``_OPEN_HZ``, both in dB."""
    whole, above = _powers(chunk.astype(np.float64))
    if echo is not None:
        above -= _LEFT * _powers(echo)[1]
    return 10 * float(np.log10(whole)), 10 * float(np.log10(max(above, 1.0) / whole))


def _powers(samples: Samples) -> tuple[float, float]:
    """Return the power of a chunk, and that above ``_OPEN_HZ``."""
    power = np.abs(np.fft.rfft(samples * _WINDOW)) ** 2
    whole, above = (power[hz < _BINS_HZ].sum() for hz in (_LOWEST_HZ, _OPEN_HZ))
    return float(whole) + 1, float(above) + 1
