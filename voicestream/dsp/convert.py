"""Samples of one rate and number of channels -> another, as they arrive.

Channels are told apart by the order that WAV, FLAC and FFmpeg give them. The
down-mix is that of ITU-R BS.775: the centre and each surround go to the front
at -3 dB, the low-frequency channel is left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from voicestream.pcm import NDArray, PcmFormat, Samples, no_samples

_LAYOUTS = {
    1: "M",
    2: "FL FR",
    3: "FL FR FC",
    4: "FL FR BL BR",
    5: "FL FR FC BL BR",
    6: "FL FR FC LFE BL BR",
    7: "FL FR FC LFE BC SL SR",
    8: "FL FR FC LFE BL BR SL SR",
}

_MINUS_3_DB = 0.5**0.5
_STEREO: dict[str, tuple[float, float]] = {
    "M": (1.0, 1.0),
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (_MINUS_3_DB, _MINUS_3_DB),
    "BL": (_MINUS_3_DB, 0.0),
    "BR": (0.0, _MINUS_3_DB),
    "SL": (_MINUS_3_DB, 0.0),
    "SR": (0.0, _MINUS_3_DB),
    "BC": (0.5, 0.5),
}
"""What each channel adds to the left and the right; the others (``LFE``) add nothing."""


class Converter:
    """Turns a stream of samples in ``source`` into one in ``target``.

    Only rate and channels count; samples are float32 whatever the encodings.
    However the stream is cut, the result joined is the same, and as long as the
    source to within a frame. The rate is changed by soxr, quality HQ, which
    gives its first frames after about 40 ms at 24 kHz. Used by one thread.
    """

    def __init__(self, source: PcmFormat, target: PcmFormat) -> None:
        self.source = source
        self.target = target
        self._gains = None
        if source.channels != target.channels:
            self._gains = mix_gains(source.channels, target.channels)
        # Fewer channels are less work: mix down before the rate changes, and up after.
        self._mix_first = target.channels < source.channels
        self._resampler = _open_resampler(
            source.rate_hz, target.rate_hz, min(source.channels, target.channels)
        )

    def feed(self, samples: Samples) -> Samples:
        """Take samples ``(frames, source.channels)``; return what they complete.

        Where nothing is to be changed, the very same array comes back.
        """
        if self._gains is not None and self._mix_first:
            samples = _mix(samples, self._gains)
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        if self._gains is not None and not self._mix_first:
            samples = _mix(samples, self._gains)
        return samples

    def flush(self) -> Samples:
        """Return what the resampler still holds. Called once, last."""
        if self._resampler is None:
            return no_samples(self.target.channels)
        channels = min(self.source.channels, self.target.channels)
        samples: Samples = self._resampler.resample_chunk(no_samples(channels), last=True)
        if self._gains is not None and not self._mix_first:
            samples = _mix(samples, self._gains)
        return samples


def mix_gains(source: int, target: int) -> NDArray[np.float32]:
    """Return gains of shape ``(source, target)``: how much of each channel goes to each.

    A channel that the target has too is handed on; any other goes to the front.
    A target never gets more than full scale: where channels add up, all gains
    are lowered alike.
    """
    names, wanted = _layout(source), _layout(target)
    gains: NDArray[np.float64] = np.zeros((source, target))
    for row, name in enumerate(names):
        left, right = _STEREO.get(name, (0.0, 0.0))
        if name in wanted:
            gains[row, wanted.index(name)] = 1.0
        elif target == 1:
            gains[row, 0] = left + right
        else:
            gains[row, :2] = left, right
    scale = 1 / max(1.0, float(gains.sum(axis=0).max()))
    return (gains * scale).astype(np.float32)


def _layout(channels: int) -> list[str]:
    if channels in _LAYOUTS:
        return _LAYOUTS[channels].split()
    return [*_LAYOUTS[8].split(), *(f"X{number}" for number in range(9, channels + 1))]


def _mix(samples: Samples, gains: NDArray[np.float32]) -> Samples:
    # Not a matrix product: BLAS rounds differently for arrays of different lengths.
    mixed = np.zeros((len(samples), gains.shape[1]), np.float32)
    for source, target in np.argwhere(gains):
        mixed[:, target] += samples[:, source] * gains[source, target]
    return mixed


def _open_resampler(source_hz: int, target_hz: int, channels: int) -> Any:
    """Return a ``soxr.ResampleStream`` (it has no types), or None where the rates are the same."""
    if source_hz == target_hz:
        return None
    import soxr  # Most replies need no other rate, and start-up is short.

    return soxr.ResampleStream(source_hz, target_hz, channels, dtype="float32", quality="HQ")
