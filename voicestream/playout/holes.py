"""What fills a hole in the sound that cannot be avoided: silence, or the last sound repeated.

Pure functions on samples, fit for the audio callback: no state, one array a call.
"""

from __future__ import annotations

import numpy as np

from voicestream.pcm import Samples

FADE_S = 0.004
_SHORTEST_PITCH_S, _LONGEST_PITCH_S = 0.0025, 0.0125
"""80 to 400 Hz."""
_DYING_S = 0.06
"""A repetition longer than this sounds like a machine; it has faded to silence by then."""


def silence(channels: int, frames: int) -> Samples:
    """Nothing, of shape ``(frames, channels)``."""
    return np.zeros((frames, channels), np.float32)


def fade_out(sound: Samples, rate_hz: int) -> Samples:
    """The same with its last 4 ms faded to silence."""
    count = min(round(FADE_S * rate_hz), len(sound))
    faded = sound.copy()
    faded[len(sound) - count :] *= np.linspace(1, 0, count + 1, dtype=np.float32)[1:, None]
    return faded


def fade_in(sound: Samples, rate_hz: int) -> Samples:
    """The same with its first 4 ms faded from silence."""
    count = min(round(FADE_S * rate_hz), len(sound))
    faded = sound.copy()
    faded[:count] *= np.linspace(0, 1, count, endpoint=False, dtype=np.float32)[:, None]
    return faded


def pitch_frames(sound: Samples, rate_hz: int) -> int:
    """The period of the end of the sound: where it is most like itself, 2.5 to 12.5 ms.

    By the normalised autocorrelation of the first channel, as ITU-T G.711
    appendix I finds it for concealment.
    """
    low, high = round(_SHORTEST_PITCH_S * rate_hz), round(_LONGEST_PITCH_S * rate_hz)
    end = sound[-2 * high :, 0].astype(np.float64)
    if len(end) < 2 * high:
        return max(min(high, len(sound)), 1)
    # offset k of the correlation is a lag of high - k
    likeness = np.correlate(end, end[high:], "valid")
    energy = np.concatenate(([0.0], np.cumsum(end * end)))
    likeness /= np.sqrt(energy[high:] - energy[:-high] + 1e-9)
    return high - int(np.argmax(likeness[: high - low + 1]))


def repeat(tail: Samples, rate_hz: int, frames: int, since_frames: int = 0) -> Samples:
    """Go on from ``tail`` by repeating its last pitch period, fading to silence in 60 ms.

    Args:
        tail: the last sound played, 25 ms or more; shape ``(any, channels)``.
        since_frames: how much of the hole was filled before this call, with the same tail.

    Returns:
        Shape ``(frames, channels)``. It begins where ``tail`` ends, without a click.
    """
    if not len(tail):
        return silence(tail.shape[1], frames)
    period = tail[-pitch_frames(tail, rate_hz) :]
    # the seam from the period's end to its start is smoothed by what led up to it
    overlap = min(len(period) // 4, len(tail) - len(period))
    if overlap > 0:
        lead = tail[len(tail) - len(period) - overlap : len(tail) - len(period)]
        rise = np.linspace(0, 1, overlap + 2, dtype=np.float32)[1:-1, None]
        period = period.copy()
        period[-overlap:] = period[-overlap:] * (1 - rise) + lead * rise
    places = since_frames + np.arange(frames)
    gain = np.clip(1.0 - (places + 1) / (_DYING_S * rate_hz), 0.0, 1.0).astype(np.float32)
    filled: Samples = period[places % len(period)] * gain[:, None]
    return filled
