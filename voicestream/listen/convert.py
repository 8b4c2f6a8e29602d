"""The sound that listening works on: 16 kHz, mono, 16 bits, 10 ms at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from voicestream.pcm import PcmFormat

RATE_HZ = 16_000
FRAME = RATE_HZ // 100
"""Samples of 10 ms, which AEC3 works on."""
FRAME_BYTES = 2 * FRAME


def to_mono(pcm: PcmFormat, rate_hz: int = RATE_HZ) -> Callable[[bytes], bytes]:
    """Return what turns a stream of 16-bit frames of ``pcm`` into one at ``rate_hz``, mono."""
    resampler: Any = None
    if pcm.rate_hz != rate_hz:
        import soxr

        # a better filter waits for more: 40 ms, after which an echo is here before its cause
        resampler = soxr.ResampleStream(pcm.rate_hz, rate_hz, 1, dtype="int16", quality="LQ")

    def convert(data: bytes) -> bytes:
        if resampler is None and pcm.channels == 1:
            return data
        samples = np.frombuffer(data, np.int16)
        if pcm.channels > 1:
            samples = samples.reshape(-1, pcm.channels).mean(axis=1).astype(np.int16)
        if resampler is not None:
            samples = resampler.resample_chunk(samples)
        return samples.tobytes()

    return convert
