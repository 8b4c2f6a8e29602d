"""Ends of segments laid into the pause between them, without a click.

A raised cosine takes each end to silence. Where an end is loud, because the
engine left no silence there, it is mirrored into the pause first: a mirror
image goes on without a step, and nothing of the speech itself is faded.
"""

from __future__ import annotations

import numpy as np

from voicestream.pcm import Samples


def fade_in(samples: Samples, frames: int) -> Samples:
    """Return a copy whose first ``frames`` (or all, if fewer) rise from silence."""
    faded = samples.copy()
    frames = min(frames, len(faded))
    faded[:frames] *= _rise(frames)
    return faded


def after_sound(past: Samples, tail: Samples, frames: int, fade_frames: int) -> Samples:
    """Return ``frames`` of pause that begin with ``tail`` and end in digital silence.

    ``past`` is what was played before the tail; ``frames`` at least ``fade_frames``.
    """
    if len(tail) < fade_frames:
        mirrored = np.concatenate((past, tail))[::-1]
        tail = np.concatenate((tail, mirrored[: fade_frames - len(tail)]))
    pause = np.zeros((frames, tail.shape[1]), np.float32)
    kept = tail[:frames]
    pause[: len(kept)] = fade_in(kept[::-1], fade_frames)[::-1]
    return pause


def before_sound(lead: Samples, sound: Samples, frames: int, fade_frames: int) -> Samples:
    """Return ``frames`` of pause that begin in digital silence and end with ``lead``.

    ``sound`` is what will be played after the lead.
    """
    return after_sound(sound[::-1], lead[::-1], frames, fade_frames)[::-1]


def _rise(frames: int) -> Samples:
    """Return a raised cosine from above 0 to below 1; mirrored, it adds up to 1 with itself."""
    way = (np.arange(frames) + 0.5) / max(1, frames)
    curve = 0.5 - 0.5 * np.cos(np.pi * way)
    return curve.astype(np.float32)[:, None]
