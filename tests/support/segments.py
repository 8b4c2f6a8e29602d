"""Sounds that are like speech where it counts, and ways to play them through a Joiner."""

from __future__ import annotations

import itertools

import numpy as np

from voicestream.dsp.join import Joiner, JoinSettings
from voicestream.pcm import PcmFormat, Samples, no_samples

RATE_HZ = 24000
PCM = PcmFormat(RATE_HZ)


def room(seconds: float, level_db: float = -60.0, seed: int = 1) -> Samples:
    """Noise of this mean power."""
    noise = np.random.default_rng(seed).standard_normal((round(seconds * RATE_HZ), 1))
    return np.asarray(noise * 10 ** (level_db / 20), np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros((round(seconds * RATE_HZ), 1), np.float32)


def tone(seconds: float, level_db: float = -20.0, hz: float = 200.0) -> Samples:
    """Begins and ends abruptly, at its greatest value."""
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    wave = np.sqrt(2) * 10 ** (level_db / 20) * np.cos(2 * np.pi * hz * times_s)
    return np.asarray(wave, np.float32)[:, None]


def segment(
    head_s: float, sound_s: float, tail_s: float, level_db: float = -20.0, room_db: float = -60.0
) -> Samples:
    """Room tone, a tone over it, room tone."""
    sound = np.concatenate((silence(head_s), tone(sound_s, level_db), silence(tail_s)))
    return sound + room(len(sound) / RATE_HZ, room_db)


def joined(
    segments: list[Samples],
    pauses_s: list[float],
    settings: JoinSettings | None = None,
    cut: int | list[int] = 480,
    pcm: PcmFormat = PCM,
) -> Samples:
    """All that comes out, the segments pushed in pieces of ``cut`` frames (in turn, if many)."""
    joiner = Joiner(pcm, settings)
    parts: list[Samples] = [no_samples(pcm.channels)]
    cuts = itertools.cycle([cut] if isinstance(cut, int) else cut)
    for samples, pause_s in zip(segments, [None, *pauses_s], strict=True):
        parts.append(joiner.begin(pause_s))
        start = 0
        while start < len(samples):
            size = next(cuts)
            parts.append(joiner.feed(samples[start : start + size]))
            start += size
        parts.append(joiner.end())
    return np.concatenate([*parts, joiner.flush()])


def quiet_runs(samples: Samples, level: float, least_frames: int = 48) -> list[tuple[int, int]]:
    """(start, frames) of every stretch between two sounds at or above the level."""
    loud = np.flatnonzero(np.abs(samples).max(axis=1) >= level)
    gaps = np.diff(loud) - 1
    return [
        (int(loud[index]) + 1, int(gaps[index])) for index in np.flatnonzero(gaps >= least_frames)
    ]


def largest_step(samples: Samples) -> float:
    return float(np.abs(np.diff(samples, axis=0)).max())


def power_db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))
