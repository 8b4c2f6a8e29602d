"""What fills a hole in the sound that cannot be avoided: a fade, or the last sound repeated.

Pure functions on samples, fit for the audio callback: no state, one array a call.
"""

from __future__ import annotations

import numpy as np

from voicestream.pcm import Samples

FADE_S = 0.004
_SHORTEST_PITCH_S, _LONGEST_PITCH_S = 0.0025, 0.0125
"""80 to 400 Hz."""
_DYING_S = 0.06
"""How long a repetition lasts, fading to silence: a longer one sounds like a machine."""


def mirror(tail: Samples, rate_hz: int) -> Samples:
    """Go on from ``tail`` the way it came, fading to silence in 4 ms.

    A mirror image goes on without a step, however the sound ends. Of a tail shorter
    than that, there and back again.
    """
    frames = max(round(FADE_S * rate_hz), 1)
    count = len(tail)
    if not count:
        return np.zeros((frames, tail.shape[1]), np.float32)
    places = np.arange(frames) % (2 * count)
    gain = np.linspace(1, 0, frames, endpoint=False, dtype=np.float32)[:, None]
    faded: Samples = tail[np.where(places < count, count - 1 - places, places - count)] * gain
    return faded


def pitch_frames(sound: Samples, rate_hz: int) -> int:
    """Return the period of the sound's end: the shift of 2.5 to 12.5 ms at which it is most like
    itself.

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


def repeat(tail: Samples, rate_hz: int) -> Samples:
    """Go on from ``tail`` by repeating its last pitch period, fading to silence in 60 ms.

    Args:
        tail: the last sound played, 25 ms or more; shape ``(any, channels)``.

    Returns:
        60 ms, which begin where ``tail`` ends, without a click.
    """
    frames = round(_DYING_S * rate_hz)
    if not len(tail):
        return np.zeros((frames, tail.shape[1]), np.float32)
    period = tail[-pitch_frames(tail, rate_hz) :]
    # the seam from the period's end to its start is smoothed by what led up to it
    overlap = min(len(period) // 4, len(tail) - len(period))
    if overlap > 0:
        lead = tail[len(tail) - len(period) - overlap : len(tail) - len(period)]
        rise = np.linspace(0, 1, overlap + 2, dtype=np.float32)[1:-1, None]
        period = period.copy()
        period[-overlap:] = period[-overlap:] * (1 - rise) + lead * rise
    gain = np.linspace(1, 0, frames + 1, dtype=np.float32)[1:, None]
    filled: Samples = period[np.arange(frames) % len(period)] * gain
    # where the end is not like the period before it: take the step between them out slowly
    before = tail[-len(period) - 1 : -len(period)] if len(tail) > len(period) else tail[:1]
    fade = min(round(FADE_S * rate_hz), frames)
    filled[:fade] += (tail[-1:] - before) * np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return filled


def bridge(tail: Samples, head: Samples, frames: int, rate_hz: int) -> Samples:
    """Return what fills a hole whose end is known: ``tail`` going on, and ``head`` as it may have
    come, one over the other.

    Args:
        tail: the sound before the hole, 25 ms or more; shape ``(any, channels)``.
        head: the sound after it.
        frames: how long the hole is.
    """
    short = max(round(2 * _LONGEST_PITCH_S * rate_hz) - len(head), 0)
    backwards = np.pad(head[::-1], ((short, 0), (0, 0)))
    rise = np.linspace(0, 1, frames, dtype=np.float32)[:, None]
    filled = np.zeros((frames, tail.shape[1]), np.float32)
    onward, back = repeat(tail, rate_hz)[:frames], repeat(backwards, rate_hz)[:frames]
    filled[: len(onward)] = onward * (1 - rise[: len(onward)])
    filled[frames - len(back) :] += back[::-1] * rise[frames - len(back) :]
    return filled
