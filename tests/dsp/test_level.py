"""Later segments are brought to the level of the first: slowly, smoothly, never too loud."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.segments import PCM, joined, power_db, segment, tone
from voicestream.dsp.join import JoinSettings
from voicestream.pcm import Samples

LEVEL_ONLY = JoinSettings(trim=False)


def gain_db(before: Samples, after: Samples, at_s: float) -> float:
    """How much louder 20 ms of ``after`` are than the same 20 ms of ``before``."""
    window = slice(PCM.s_to_frames(at_s), PCM.s_to_frames(at_s + 0.02))
    return power_db(after[window]) - power_db(before[window])


@pytest.mark.parametrize("off_db", [-0.9, 0.0, 0.9])
def test_a_segment_within_one_db_is_left_alone(off_db: float) -> None:
    parts = [tone(1.0, -20.0), tone(2.0, -20.0 + off_db), tone(1.0, -20.0)]
    assert np.array_equal(joined(parts, [0.0, 0.0], LEVEL_ONLY), np.concatenate(parts))


def test_the_first_segment_is_never_changed() -> None:
    part = np.concatenate((tone(1.5, -30.0), tone(1.5, -10.0), tone(1.5, -30.0)))
    assert np.array_equal(joined([part], [], LEVEL_ONLY), part)


def test_without_normalize_levels_stay() -> None:
    parts = [tone(1.0, -20.0), tone(3.0, -14.0)]
    plain = JoinSettings(trim=False, normalize=False)
    assert np.array_equal(joined(parts, [0.0], plain), np.concatenate(parts))


@pytest.mark.parametrize(("off_db", "expected_db"), [(4, -3), (-4, 3), (12, -6), (-12, 6)])
def test_another_level_is_approached(off_db: float, expected_db: float) -> None:
    parts = [tone(2.0, -24.0), tone(4.0, -24.0 + off_db)]
    before = np.concatenate(parts)
    after = joined(parts, [0.0], LEVEL_ONLY)
    assert gain_db(before, after, 1.95) == 0.0
    assert gain_db(before, after, 2.3) == 0.0  # listens first
    assert gain_db(before, after, 5.5) == pytest.approx(expected_db, abs=0.05)


def test_the_gain_is_slow_and_goes_on_across_joins() -> None:
    parts = [tone(4.0, -20.0), tone(1.0, -24.0), tone(1.0, -24.0), tone(3.0, -20.0)]
    before = np.concatenate(parts)
    after = joined(parts, [0.0] * 3, LEVEL_ONLY)
    gains = np.array([gain_db(before, after, at_s) for at_s in np.arange(0.0, 8.96, 0.02)])
    assert gains.max() > 2.0
    assert np.abs(np.diff(gains)).max() <= 3.0 * 0.02 + 0.01  # 3 dB a second
    assert gains[-1] == 0.0
    assert np.array_equal(after[-2400:], before[-2400:])


def test_no_pumping_inside_a_segment() -> None:
    words = [segment(0.05, 0.25, 0.05, level_db) for level_db in (-17, -24, -19, -22) * 4]
    part = np.concatenate(words)
    after = joined([part, part * np.float32(0.5)], [0.0], LEVEL_ONLY)[len(part) :]
    before = part * np.float32(0.5)
    gains = [gain_db(before, after, 0.35 * word + 0.1) for word in range(len(words))]
    assert np.diff(gains).min() > -0.3  # rises to its place and stays there
    assert gains[-1] == pytest.approx(5.0, abs=0.3)


def test_pauses_do_not_count_as_level() -> None:
    spoken = tone(1.0, -20.0)
    sparse = np.concatenate([segment(0.2, 0.2, 0.2, -20.0, -50.0) for _ in range(6)])
    after = joined([spoken, sparse], [0.0], LEVEL_ONLY)
    assert np.array_equal(after[len(spoken) :], sparse)


def test_raised_sound_never_clips() -> None:
    burst = tone(0.02, -3.5)  # peaks of 0.95
    quiet = np.concatenate((tone(4.0, -28.0), burst, tone(0.5, -28.0)))
    after = joined([tone(1.0, -16.0), quiet], [0.0], LEVEL_ONLY)
    assert np.abs(burst).max() > 0.9
    assert np.abs(after).max() < 1.0
    assert np.abs(after[-len(quiet) :]).max() > np.abs(burst).max()


def test_a_gain_leaves_room_for_the_peaks() -> None:
    peaky = np.concatenate([tone(0.02, -6.0), tone(0.3, -14.0)] * 15)
    after = joined([tone(1.0, -6.0), peaky], [0.0], LEVEL_ONLY)[24000:]
    peak = float(np.abs(peaky).max())
    loudest_db = gain_db(peaky, after, 4.7)
    assert 1.0 < loudest_db <= 20 * np.log10(0.98 / peak) + 0.01
