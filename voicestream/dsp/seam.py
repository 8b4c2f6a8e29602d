"""Where a reply that broke off goes on in a second rendering of the same text."""

from __future__ import annotations

import numpy as np

from voicestream.dsp.align import Alignment, Rows
from voicestream.pcm import NDArray, PcmFormat, Samples, no_samples

PAST_S = 0.8
"""So much of what was handed on last is kept to be found again."""
_LOOK_S = 0.3
"""How far from the expected place the same sound may lie."""
_KNOWN_S = 0.2
"""Sound that is searched for, shifted, in a rendering that is not the same."""
_ALIKE = 0.85
"""From this correlation on two stretches are the same sound."""
_SAME = 0.98
"""Up to this correlation an even sound is alike at many places: the nearest is meant."""
_WINDOW_MS = 10.0
_BACK_S = 0.045
"""How far before the place where speech broke off a quiet place may lie."""
_ON_S = 0.04
"""How far behind it."""
_FADE_MS = 5.0

_Powers = NDArray[np.float64]


class Seam:
    """Skips, in a new rendering, what was handed on of the one before.

    The same samples again: to the sample. The same sound, shifted: where it is.
    Otherwise where dynamic time warping finds the same speech, at the quietest place
    near it: a word that has just begun is begun again, any other goes on.

    Args:
        position: frames of the rendering that were handed on.
        past: the last of them, at most ``PAST_S``; shape ``(frames, channels)``.
        heard: rows of the ``Outline`` of all that was handed on.
    """

    def __init__(self, pcm: PcmFormat, position: int, past: Samples, heard: Rows) -> None:
        self._pcm = pcm
        self._position = position
        self._past = past
        self._ahead = pcm.s_to_frames(_LOOK_S)
        self._alignment = Alignment(heard, pcm)
        self._blocks: list[Samples] = []
        self._end = 0
        self._compared = False
        self.closed = False
        """What is fed now passes as it is."""
        self.exact = False
        """The new rendering is the same, sample for sample."""
        self.sure = True
        """No word is lost or heard twice."""
        self.place = 0
        """Where in the new rendering it went on."""

    def feed(self, samples: Samples) -> Samples:
        """Take the next of the new rendering; return what is to be handed on."""
        if self.closed:
            return samples
        self._blocks.append(samples)
        self._end += len(samples)
        self._alignment.feed(samples)
        if self._end < self._position:
            return samples[:0]
        if not self._compared:
            self._compared = True
            if self._is_same():
                self.exact = True
                return self._close(self._position, faded=False)
        ready = self._end >= self._position + self._ahead and self._alignment.done
        return self._join() if ready else samples[:0]

    def flush(self) -> Samples:
        """End the new rendering; return what is still to be handed on."""
        if self.closed:
            return no_samples(self._pcm.channels)
        return self._join()

    def _held(self) -> Samples:
        if len(self._blocks) != 1:
            empty = no_samples(self._pcm.channels)
            self._blocks = [np.concatenate((empty, *self._blocks))]
        return self._blocks[0]

    def _is_same(self) -> bool:
        again = self._held()[max(self._position - len(self._past), 0) : self._position]
        return np.array_equal(again, self._past)

    def _join(self) -> Samples:
        end = self._alignment.end()
        place, self.sure = end or (min(self._position, self._end), False)
        alike, found = max(self._same_sound(place), self._same_sound(self._position))
        if alike >= _ALIKE:
            self.sure = self.sure and abs(found - place) <= self._ahead
            return self._close(found, faded=False)
        if end is not None and not self._alignment.short:
            place = self._quietest(place)
        return self._close(place, faded=True)

    def _close(self, place: int, faded: bool) -> Samples:
        self.closed = True
        self.place = place
        ready = self._held()[place:]
        self._blocks = []
        if not faded:
            return ready
        fade = self._pcm.ms_to_frames(_FADE_MS)
        ready = ready.copy()
        rise = ready[:fade]
        rise *= np.linspace(0, 1, len(rise), endpoint=False, dtype=np.float32)[:, None]
        return np.concatenate((_fall(self._past, fade), ready))

    def _same_sound(self, expected: int) -> tuple[float, int]:
        """Find the last of the past near ``expected`` in the new rendering.

        Returns the correlation there, from -1 to 1, and the frame at which it ends.
        A vowel that is held is alike at every period: then the period nearest to
        ``expected`` is the one.
        """
        known = self._past[-self._pcm.s_to_frames(_KNOWN_S) :].mean(axis=1, dtype=np.float64)
        low = max(expected - len(known) - self._ahead, 0)
        near = self._held()[low : expected + self._ahead].mean(axis=1, dtype=np.float64)
        energy = float(known @ known)
        if len(near) < len(known) or energy < 1e-6 * len(known):
            return -1.0, expected
        size = 1 << (len(near) + len(known)).bit_length()
        product = np.fft.rfft(near, size) * np.conj(np.fft.rfft(known, size))
        match = np.fft.irfft(product, size)[: len(near) - len(known) + 1]
        squares = np.concatenate(([0.0], np.cumsum(near**2)))
        energies = squares[len(known) :] - squares[: len(match)]
        alike = match / np.sqrt(np.maximum(energies * energy, 1e-12))
        best = int(np.argmax(alike))
        if _ALIKE <= alike[best] < _SAME:
            peaks = 1 + np.flatnonzero(
                (alike[1:-1] >= np.maximum(alike[:-2], alike[2:])) & (alike[1:-1] >= _ALIKE)
            )
            if len(peaks):
                best = int(peaks[np.argmin(np.abs(low + peaks + len(known) - expected))])
        return float(alike[best]), low + best + len(known)

    def _quietest(self, place: int) -> int:
        """Return the quietest place close to where speech broke off."""
        window = self._pcm.ms_to_frames(_WINDOW_MS)
        low = max(place - self._pcm.s_to_frames(_BACK_S), 0)
        powers = _powers(self._held()[low : place + self._pcm.s_to_frames(_ON_S)], window)
        if not len(powers):
            return min(place, self._end)
        return low + window // 2 + window * int(np.argmin(powers))


def _powers(samples: Samples, window: int) -> _Powers:
    """Return the mean power of each whole window."""
    whole = samples[: len(samples) // window * window].astype(np.float64)
    return np.asarray((whole**2).mean(axis=1).reshape(-1, window).mean(axis=1))


def _fall(past: Samples, frames: int) -> Samples:
    """Return ``frames`` that fall from the last frame to silence without a click."""
    if not len(past):
        return past
    return past[-1:] * np.linspace(1, 0, frames, dtype=np.float32)[:, None]
