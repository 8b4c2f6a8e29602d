"""What fills a hole."""

from __future__ import annotations

import numpy as np
import pytest

from voicestream.playout.holes import mirror, pitch_frames, repeat

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
    filled = repeat(tail, RATE_HZ)
    assert filled.shape == (1440, 1)
    assert steepest(np.concatenate([tail, filled])) < 1.3 * steepest(tail)
    assert np.abs(filled[:200]).max() > 0.1
    assert filled[-1] == 0


def test_a_repetition_of_what_does_not_repeat_begins_without_a_step():
    tail = voiced(0.1, 150)
    tail[:-137] = 0
    tail[-137:-37] *= np.linspace(0, 1, 100)[:, None]
    begins = np.concatenate([tail[-37:], repeat(tail, RATE_HZ)[:96]])
    assert steepest(begins) < 1.5 * steepest(voiced(0.1, 150))


@pytest.mark.parametrize("frames", [0, 1, 10, 400])
def test_a_tail_too_short_for_a_pitch(frames):
    filled = repeat(voiced(1, 100)[:frames], RATE_HZ)
    assert filled.shape == (1440, 1)
    assert np.all(np.isfinite(filled))


@pytest.mark.parametrize("frames", [1, 10, 96, 500])
def test_a_mirror_goes_back_the_way_it_came_and_fades(frames):
    tail = voiced(1, 100)[:frames]
    back = mirror(tail, RATE_HZ)
    assert back.shape == (96, 1)
    assert back[0] == tail[-1]
    assert np.abs(back[-1]) < 0.02
    place = min(frames, 96) // 2
    assert back[place] == pytest.approx(tail[-1 - place] * (1 - place / 96))


def test_a_mirror_of_nothing_is_silence():
    assert not np.any(mirror(np.zeros((0, 2), np.float32), RATE_HZ))
