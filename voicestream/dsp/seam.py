"""Where a reply that broke off goes on in a second rendering of the same text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicestream.pcm import PcmFormat, Samples, no_samples

PAST_S = 0.8
"""So much of what was handed on last is kept to be found again."""
_LOOK_S = 0.3
"""How far from the expected place the seam may lie."""
_KNOWN_S = 0.2
"""Sound that is searched for, shifted, in a rendering that is not the same."""
_ALIKE = 0.85
"""From this correlation on two stretches are the same sound."""
_WINDOW_MS = 10.0
_QUIET = 10**-2.5
"""25 dB under the loudest near it, a window is a pause."""
_LATE = 2
_FADE_MS = 5.0

_Powers = npt.NDArray[np.float64]


class Seam:
    """Skips, in a new rendering, what was handed on of the one before.

    The same samples again: to the sample. The same sound, shifted: where it is.
    Otherwise at the pause before the word that broke off, so that this word is
    heard again and none is lost.

    Args:
        position: frames of the rendering that were handed on.
        past: the last of them, at most ``PAST_S``; shape ``(frames, channels)``.
    """

    def __init__(self, pcm: PcmFormat, position: int, past: Samples) -> None:
        self._pcm = pcm
        self._position = position
        self._past = past
        self._ahead = pcm.s_to_frames(_LOOK_S)
        self._keep = len(past) + pcm.s_to_frames(_LOOK_S)
        self._held: Samples = no_samples(pcm.channels)
        self._start = 0  # in the new rendering, of what is held
        self._different = False
        self.closed = False
        """What is fed now passes as it is."""
        self.exact = False
        """The new rendering is the same, sample for sample."""
        self.place = 0
        """Where in the new rendering it went on."""

    def feed(self, samples: Samples) -> Samples:
        """The next of the new rendering; returns what is to be handed on."""
        if self.closed:
            return samples
        self._held = np.concatenate((self._held, samples))
        end = self._start + len(self._held)
        if end < self._position:
            surplus = max(len(self._held) - self._keep, 0)
            self._held = self._held[surplus:]
            self._start += surplus
            return samples[:0]
        if not self._different and self._is_same():
            self.exact = True
            return self._close(self._position, faded=False)
        self._different = True
        return samples[:0] if end < self._position + self._ahead else self._join()

    def flush(self) -> Samples:
        """The new rendering has ended."""
        if self.closed:
            return no_samples(self._pcm.channels)
        if self._start + len(self._held) < self._position:  # it is shorter: all of it was heard
            return self._close(self._start + len(self._held), faded=False)
        return self._join()

    def _is_same(self) -> bool:
        at = self._position - self._start
        again = self._held[max(at - len(self._past), 0) : at]
        return np.array_equal(again, self._past)

    def _join(self) -> Samples:
        found = self._same_sound()
        if found is not None:
            return self._close(found, faded=False)
        return self._close(self._pause(), faded=True)

    def _close(self, place: int, faded: bool) -> Samples:
        self.closed = True
        self.place = place
        ready, self._held = self._held[max(place - self._start, 0) :], self._held[:0]
        if not faded:
            return ready
        fade = self._pcm.ms_to_frames(_FADE_MS)
        ready = ready.copy()
        rise = ready[:fade]
        rise *= np.linspace(0, 1, len(rise), endpoint=False, dtype=np.float32)[:, None]
        return np.concatenate((_fall(self._past, fade), ready))

    def _same_sound(self) -> int | None:
        """Where the last of the past stands in the new rendering, if it does; its end."""
        known = self._past[-self._pcm.s_to_frames(_KNOWN_S) :].mean(axis=1, dtype=np.float64)
        low = max(self._position - len(known) - self._ahead, self._start)
        near = self._held[low - self._start :].mean(axis=1, dtype=np.float64)
        energy = float(known @ known)
        if len(near) < len(known) or energy < 1e-6 * len(known):
            return None
        size = 1 << (len(near) + len(known)).bit_length()
        product = np.fft.rfft(near, size) * np.conj(np.fft.rfft(known, size))
        match = np.fft.irfft(product, size)[: len(near) - len(known) + 1]
        squares = np.concatenate(([0.0], np.cumsum(near**2)))
        energies = squares[len(known) :] - squares[: len(match)]
        alike = match / np.sqrt(np.maximum(energies * energy, 1e-12))
        best = int(np.argmax(alike))
        return low + best + len(known) if alike[best] >= _ALIKE else None

    def _pause(self) -> int:
        """The pause nearest to the one before the word that broke off; else a quiet place."""
        window = self._pcm.ms_to_frames(_WINDOW_MS)
        heard = _powers(self._past, window)
        before = np.flatnonzero(heard <= _QUIET * heard.max(initial=0.0))
        back = (len(heard) - 1 - int(before[-1])) * window if len(before) else 0
        wanted = self._position - back
        low = max(wanted - self._ahead, self._start)
        near = self._held[low - self._start : wanted + self._ahead - self._start]
        powers = _powers(near, window)
        if not len(powers):
            return wanted
        quiet = np.flatnonzero(powers <= _QUIET * powers.max())
        places = low + window // 2 + window * np.arange(len(powers))
        # rather a word twice than one lost: behind the place itself counts as twice as far
        if len(quiet):
            off = places[quiet] - wanted
            return int(places[quiet[np.argmin(np.maximum(-off, _LATE * off))]])
        first = powers[: max(1, (wanted - low) // window)]
        return int(places[np.argmin(first)])


def _powers(samples: Samples, window: int) -> _Powers:
    """Mean power of each whole window."""
    whole = samples[: len(samples) // window * window].astype(np.float64)
    return np.asarray((whole**2).mean(axis=1).reshape(-1, window).mean(axis=1))


def _fall(past: Samples, frames: int) -> Samples:
    """From the last frame to silence without a click."""
    if not len(past):
        return past
    return past[-1:] * np.linspace(1, 0, frames, dtype=np.float32)[:, None]
