"""How the loudspeaker sounds at the microphone, learnt from what it says.

AEC3 takes out what may be echo, and with it much of a person who speaks at the same time. A filter
that is learnt takes out only what it can foretell: its echo is known, and so is what is louder.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from voicestream.listen.convert import RATE_HZ
from voicestream.listen.decision import CHUNK_FRAMES, Samples
from voicestream.pcm import Frames16

_LONGEST_S = 0.416
"""The latest echo that is learnt: the way to the loudspeaker and back, and the room."""
_PARTS = round(_LONGEST_S * RATE_HZ / CHUNK_FRAMES)
_WINDOW = 4 * CHUNK_FRAMES
"""Each step learns from the last three chunks: half as long until the echo is known as from one."""
_KEEPS = 0.98
"""So much of what is known holds for another chunk: rooms and clocks change."""
_FIRST = 0.05
"""How strong an echo may be, as power, in each part; before anything is known."""
_SMOOTH = 0.94
_FOUND = 4.0
"""The echo is found once so many parts of what was heard have become one, as power."""
_LOST_CHUNKS = 12
"""It is lost again when for so long nothing was taken away."""
_LOUDER = 4.0
"""What is left is a person's where it has so much more power than the echo had: of an echo that is
found 5 % of the chunks leave more than 0.3 of it, of a person at its level few leave less than 6.
"""
_SOUND = 3e4
"""Less power is silence, which returns nothing."""
_RETURNS, _RECENT, _KNOWN_CHUNKS, _MOST = 90, 15, 20, 0.95
"""How much of the loudest comes back is known from the last 3 s without the last 0.5, in which a
person may have begun, once that is 0.6 s: from what most of it is below."""


class Parted(NamedTuple):
    """A chunk of the microphone, taken apart."""

    left: Frames16
    """Without the echo."""
    echo: Samples
    another: bool
    """Whether what is left is surely no echo."""


class Room:
    """Learns the way from the loudspeaker to the microphone: a Kalman filter of the spectra of
    the last ``_LONGEST_S``, which by itself stops to learn while somebody else speaks (Enzner and
    Vary, 2006). Used by one thread."""

    def __init__(self) -> None:
        self._sent = np.zeros(_WINDOW, np.int16)
        """From the start of this step's window on."""
        self._heard = np.zeros(_WINDOW - CHUNK_FRAMES)
        self._forget()

    def _forget(self) -> None:
        """Know nothing of the way: it is another one."""
        shape = (_PARTS, _WINDOW // 2 + 1)
        self._spectra = np.zeros(shape, np.complex64)
        self._way = np.zeros(shape, np.complex64)
        self._doubt = np.full(shape, _FIRST, np.float32)
        self._noise = np.zeros(shape[1], np.float32)
        self._powers = np.zeros(2)
        self._sent_powers: deque[float] = deque(maxlen=_PARTS)
        self._returns: deque[float] = deque(maxlen=_RETURNS)
        self._found, self._lost_chunks = False, 0

    def send(self, frames: list[bytes]) -> None:
        """Take what the loudspeaker was given."""
        new = np.frombuffer(b"".join(frames), np.int16)
        self._sent = np.concatenate((self._sent, new))

    @property
    def ready(self) -> bool:
        """Whether what was sent is here as far as what the next chunk has heard."""
        return len(self._sent) >= _WINDOW + CHUNK_FRAMES

    @property
    def silent(self) -> bool:
        """Whether nothing was sent that may still be heard: no more of it need be waited for."""
        return not self._sent.any() and not self._spectra.any()

    def hear(self, chunk: Frames16) -> Parted:
        """Take the next chunk of the microphone apart; both are counted from the first on. If it
        is not ready the loudspeaker has stopped, and the way from there is another one."""
        self._heard = np.concatenate((self._heard[CHUNK_FRAMES:], chunk))
        silent, self._sent = self.silent, self._sent[CHUNK_FRAMES:]
        missing = _WINDOW - len(self._sent)
        if missing > 0:
            self._sent = np.concatenate((self._sent, np.zeros(missing, np.int16)))
            if not silent:
                self._forget()
        if self.silent:
            self._sent = self._sent[:_WINDOW]
            return Parted(chunk, np.zeros(CHUNK_FRAMES), False)
        echo = self._learn()
        left = chunk - echo
        powers = np.array([np.mean(each.astype(np.float64) ** 2) + 1 for each in (chunk, left)])
        self._look(*powers)
        another = self._is_louder(powers[0])
        another |= self._found and bool(powers[1] > _LOUDER * np.mean(echo**2))
        return Parted(np.clip(left, -32768, 32767).astype(np.int16), echo, another)

    def _is_louder(self, heard: float) -> bool:
        """Return whether this is louder than any echo so far, as a person is where the echo is
        faint, long before its way is known."""
        sent = self._sent[_WINDOW - CHUNK_FRAMES : _WINDOW].astype(np.float64)
        self._sent_powers.append(float(np.mean(sent**2)))
        loudest = max(self._sent_powers)
        if loudest < _SOUND:
            return False
        known = sorted(list(self._returns)[:-_RECENT])
        self._returns.append(heard / loudest)
        if len(known) < _KNOWN_CHUNKS:
            return False
        return heard > _LOUDER * loudest * known[int(_MOST * len(known))]

    def _look(self, heard: float, left: float) -> None:
        """See whether the echo is found, or lost."""
        self._powers = _SMOOTH * self._powers + (heard, left)
        self._found |= bool(self._powers[0] > _FOUND * self._powers[1])
        self._lost_chunks = self._lost_chunks + 1 if left > 0.7 * heard else 0
        if self._lost_chunks >= _LOST_CHUNKS:
            self._found = False

    def _learn(self) -> Samples:
        """Return the echo in the last chunk, as far as it was known before."""
        self._spectra[1:] = self._spectra[:-1]
        self._spectra[0] = np.fft.rfft(self._sent[:_WINDOW])
        echo = np.fft.irfft((self._way * self._spectra).sum(axis=0))[CHUNK_FRAMES:]
        error = np.fft.rfft(np.concatenate((np.zeros(CHUNK_FRAMES), self._heard - echo)))
        noise = np.abs(error) ** 2 + 1
        self._noise = 0.5 * (self._noise + noise) if self._noise.any() else noise
        valid = 1 - CHUNK_FRAMES / _WINDOW
        power = np.abs(self._spectra) ** 2
        gain = self._doubt / (valid * (self._doubt * power).sum(axis=0) + self._noise)
        change = np.fft.irfft(gain * self._spectra.conj() * error, axis=1)
        change[:, CHUNK_FRAMES:] = 0  # each part is one chunk long
        self._way += np.fft.rfft(change, axis=1).astype(np.complex64)
        self._doubt *= _KEEPS * (1 - valid * gain * power)
        self._doubt += (1 - _KEEPS) * (np.abs(self._way) ** 2 + 1e-5)
        return echo[-CHUNK_FRAMES:]
