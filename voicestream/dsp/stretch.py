"""Faster or slower without a change of pitch, as the samples come.

Waveform similarity overlap-add after W. Verhelst and M. Roelands, "An overlap-add
technique based on waveform similarity (WSOLA) for high quality time-scale
modification of speech", ICASSP 1993: what is played is always a stretch of the
source that goes on as what was played before it would have gone on by itself,
taken from near the place where the tempo wants to be.
"""

from __future__ import annotations

import numpy as np

from voicestream.pcm import NDArray, PcmFormat, Samples, no_samples

SLOWEST, FASTEST = 0.25, 4.0
WINDOW_MS = 25.0
"""Two periods of a low voice."""
_SEEK_MS = 10.0
"""So far from the place the tempo asks for the next stretch may lie: a period of a voice of
50 Hz fits between the two ends."""
_STRAY = 0.05
"""Likeness that the farthest place must have more than the one asked for. Without it the edge
next to what was played last would be chosen: sound is most like itself right beside itself,
but jumps so small move its pitch."""
_SILENT = 1e-8
"""Power below which all places are alike."""


class Stretcher:
    """Changes the tempo of a stream of samples of shape ``(frames, channels)``.

    However the stream is cut, the result joined is the same; its length is that of
    the source over the tempo, to within a window (25 ms) of source. The first frame
    played is the first of the source, the last the last. At a tempo of 1 samples pass as
    they are, at once. At any other up to two windows of source are held back. All
    channels move together. No value is larger than the largest of the source. Used
    by one thread.

    Args:
        tempo: seconds of source a second of result.
    """

    def __init__(self, pcm: PcmFormat, tempo: float = 1.0) -> None:
        self._hop = max(pcm.ms_to_frames(WINDOW_MS / 2), 1)
        self._seek = max(pcm.ms_to_frames(_SEEK_MS), 1)
        self._behind = 2 * self._seek + self._hop
        """Frames before the place played last that a jump may go back to."""
        way = (np.arange(self._hop, dtype=np.float32) + 0.5) / self._hop
        self._rise = np.sin(0.5 * np.pi * way, dtype=np.float32)[:, None] ** 2
        self._held = no_samples(pcm.channels)
        self._at = 0  # in what is held: where what was played last would go on by itself
        self._ahead = 0.0  # from there to where the tempo wants to be
        self.tempo = tempo

    @property
    def tempo(self) -> float:
        """Seconds of source a second of result. May be set at any time: it counts from the next
        frame."""
        return self._tempo

    @tempo.setter
    def tempo(self, tempo: float) -> None:
        if not SLOWEST <= tempo <= FASTEST:
            raise ValueError(f"a tempo of {tempo:g}")
        self._tempo = tempo

    @property
    def waiting_frames(self) -> int:
        """Frames that what is held back will make, about."""
        return round((len(self._held) - self._at) / self._tempo)

    def feed(self, samples: Samples) -> Samples:
        """Take the next of the source; return what can be played of it."""
        if not len(samples):
            return samples
        held = len(self._held) - self._at
        self._held = np.concatenate((self._held, samples))
        if self._tempo != 1.0:
            ready = self._hops(last=False)
        elif held:
            ready = self._rest()
        else:  # the very same array
            ready, self._at = samples, len(self._held)
        return self._drop(ready)

    def flush(self) -> Samples:
        """Return all that is held: no more comes for now. What is fed next goes on from it."""
        ready = self._hops(last=True)
        return self._drop(np.concatenate((ready, self._rest())))

    def _drop(self, ready: Samples) -> Samples:
        """Forget what can no longer be reached."""
        surplus = max(self._at - self._behind, 0)
        self._held = self._held[surplus:]
        self._at -= surplus
        return ready

    def _rest(self) -> Samples:
        """Return what goes on by itself up to the end of what is held."""
        rest = self._held[self._at :]
        self._at = len(self._held)
        strayed = self._ahead + len(rest) * (self._tempo - 1.0)
        self._ahead = min(max(strayed, -self._seek), self._seek)
        return rest

    def _hops(self, *, last: bool) -> Samples:
        """Return half windows as long as there is source for them; ``last``: none follows."""
        ready: list[Samples] = [self._held[:0]]
        while (place := self._next_place(last)) is not None:
            ready.append(self._crossed(place))
            self._ahead += self._at + self._hop * self._tempo - (place + self._hop)
            self._at = place + self._hop
        return np.concatenate(ready)

    def _next_place(self, last: bool) -> int | None:
        """Return where the next half window is taken from; None: what is held does not reach."""
        furthest = len(self._held) - self._hop
        if self._at > furthest or abs(self._ahead) <= self._seek:
            return self._at if self._at <= furthest else None
        wanted = self._at + round(self._ahead)
        low, high = max(wanted - self._seek, 0), wanted + self._seek
        if last:  # the nearest there is, never back
            high = min(high, furthest)
            low = min(low, max(furthest - self._seek, self._at))
        return self._most_alike(low, high, wanted) if low <= high <= furthest else None

    def _most_alike(self, low: int, high: int, wanted: int) -> int:
        """Return the place from ``low`` to ``high`` that is most like what would be played by
        itself.

        By normalised cross-correlation, summed over the channels.
        """
        near = self._held[low : high + self._hop].astype(np.float64)
        known = self._held[self._at : self._at + self._hop].astype(np.float64)
        size = 1 << (len(near) - 1).bit_length()
        product = np.fft.rfft(near, size, axis=0) * np.conj(np.fft.rfft(known, size, axis=0))
        places = np.arange(low, high + 1)
        match = np.fft.irfft(product.sum(axis=1), size)[: len(places)]
        energies = _window_sums((near * near).sum(axis=1), self._hop)
        floor = _SILENT * self._hop
        alike: NDArray[np.float64] = match / np.sqrt(
            np.maximum(energies, floor) * max(float((known * known).sum()), floor)
        )
        alike -= _STRAY / self._seek * np.abs(places - wanted)
        return low + int(np.argmax(alike))

    def _crossed(self, place: int) -> Samples:
        """Return half a window from ``place``, faded into from what goes on by itself."""
        here = self._held[self._at : self._at + self._hop]
        if place == self._at:
            return here
        there = self._held[place : place + self._hop]
        crossed: Samples = here + (there - here) * self._rise
        return crossed


def _window_sums(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    found: NDArray[np.float64] = sums[window:] - sums[:-window]
    return found
