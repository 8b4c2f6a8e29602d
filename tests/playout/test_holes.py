"""What fills a hole."""

from __future__ import annotations

import numpy as np
import pytest

from voicestream.playout.holes import fade_in, fade_out, pitch_frames, repeat, silence

RATE_HZ = 24_000


def voiced(seconds: float, pitch_hz: float) -> np.ndarray:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    waves = [np.sin(2 * np.pi * pitch_hz * k * times) / k for k in (1, 2, 3)]
    return (0.2 * np.sum(waves, axis=0)).astype(np.float32)[:, None]


def steepest(sound: np.ndarray) -> float:
    return float(np.abs(np.diff(sound[:, 0])).max())


@pytest.mark.parametrize("pitch_hz", [90, 120, 215, 330])
def test_the_pitch_is_found(pitch_hz):
    found = pitch_frames(voiced(0.1, pitch_hz), RATE_HZ)
    periods = found * pitch_hz / RATE_HZ
    assert periods == pytest.approx(round(periods), abs=0.02)


@pytest.mark.parametrize("pitch_hz", [90, 120, 215, 330])
def test_a_repetition_goes_on_without_a_click_and_dies_away(pitch_hz):
    tail = voiced(0.1, pitch_hz)
    filled = repeat(tail, RATE_HZ, 2400)
    assert filled.shape == (2400, 1)
    assert steepest(np.concatenate([tail, filled])) < 1.3 * steepest(tail)
    assert np.abs(filled[:200]).max() > 0.1
    assert not np.any(filled[1440:])


def test_a_repetition_does_not_depend_on_the_cuts():
    tail = voiced(0.1, 150)
    whole = repeat(tail, RATE_HZ, 1000)
    parts = [repeat(tail, RATE_HZ, 100, since) for since in range(0, 1000, 100)]
    assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("frames", [0, 1, 10, 400])
def test_a_tail_too_short_for_a_pitch(frames):
    filled = repeat(voiced(1, 100)[:frames], RATE_HZ, 50)
    assert filled.shape == (50, 1)
    assert np.all(np.isfinite(filled))


@pytest.mark.parametrize("frames", [0, 1, 50, 500])
def test_fades_touch_only_their_edge(frames):
    sound = np.ones((frames, 2), np.float32)
    out, into = fade_out(sound, RATE_HZ), fade_in(sound, RATE_HZ)
    assert np.all(sound == 1)
    assert np.all(out[: max(frames - 96, 0)] == 1)
    assert np.all(into[96:] == 1)
    if frames:
        assert np.all(out[-1] == 0)
        assert np.all(into[0] == 0)
    assert silence(2, frames).shape == (frames, 2)
