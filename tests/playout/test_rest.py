"""Pause, resume, seek, volume and the turn: what is asked of the player while it plays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playout.stage import FADE, LEVEL, PERIOD, Stage
from voicestream.policy.plan import NOT_YET
from voicestream.state import State

RAMP = (np.arange(12_000, dtype=np.int16) + 1)[:, None]


def ramp_stage() -> Stage:
    stage = Stage(resume=1)
    assert stage.ring.write(RAMP) == len(RAMP)
    return stage


def kept_in_order(heard: np.ndarray, sound: np.ndarray) -> bool:
    """Whether every sample of ``sound`` is in ``heard``, exactly and in order."""
    at = 0
    for value in heard.tolist():
        at += at < len(sound) and value == sound[at]
    return at == len(sound)


@given(st.lists(st.tuples(st.integers(1, 700), st.booleans()), max_size=40))
def test_no_sample_is_lost_or_changed_however_often_it_is_paused(
    calls: list[tuple[int, bool]],
) -> None:
    stage = ramp_stage()
    stage.player.gate.ended = True
    heard = []
    for frames, paused in calls:
        stage.controls.paused = paused
        heard.append(stage.fill(frames))
    stage.controls.paused = False
    heard += list(stage.until_drained())
    assert kept_in_order(np.concatenate(heard), RAMP[:, 0])
    assert stage.figures.played_frames == len(RAMP)
    assert stage.figures.underruns == stage.figures.stall_s == 0


def test_a_pause_fades_and_is_told_once_it_is_silent() -> None:
    stage = ramp_stage()
    before = stage.fill()
    stage.controls.paused = True
    fading = stage.fill()
    assert stage.machine.state is State.PAUSED
    assert abs(int(fading[0]) - int(before[-1])) < 10  # no click
    assert not fading[FADE:].any()
    assert stage.player.silent
    assert stage.wakes == 1
    for _ in range(5):
        assert not stage.fill().any()
    assert stage.wakes == 1
    stage.controls.paused = False
    going_on = stage.fill()
    assert stage.machine.state is State.PLAYING
    assert (going_on[FADE:] == RAMP[PERIOD : 2 * PERIOD - FADE, 0]).all()


def test_it_rests_at_a_frame_that_lies_within_a_period() -> None:
    stage = ramp_stage()
    stage.controls.rest_at_frame = PERIOD + 100
    stage.fill()
    heard = stage.fill()
    assert (heard[:100] == RAMP[PERIOD : PERIOD + 100, 0]).all()
    assert not heard[100 + FADE :].any()
    assert (stage.machine.state, stage.ring.read) == (State.PAUSED, PERIOD + 100)
    stage.controls.rest_at_frame = NOT_YET
    assert (stage.fill()[FADE:] == RAMP[PERIOD + 100 :, 0][: PERIOD - FADE]).all()


def test_the_first_sound_keeps_its_time_to_the_sample() -> None:
    stage = Stage(resume=1)
    stage.write(1000)
    stage.controls.not_before_s = 5.0 + (PERIOD + 100) / 24_000
    assert not stage.fill(at_s=5.0).any()
    heard = stage.fill(at_s=5.0 + PERIOD / 24_000)
    assert not heard[:100].any()
    assert (heard[100:] == LEVEL).all()
    assert stage.player.meter.heard_until_s == pytest.approx(5.0 + 2 * PERIOD / 24_000)


def test_while_it_is_not_its_turn_nothing_is_counted_and_the_ring_is_kept() -> None:
    stage = ramp_stage()
    stage.controls.not_before_s = float("inf")
    for _ in range(10):
        assert not stage.fill().any()
    assert (stage.ring.read, stage.figures.underruns) == (0, 0)
    stage.controls.not_before_s = 0.0
    assert stage.fill()[FADE] == RAMP[FADE, 0]


@pytest.mark.parametrize(("to", "expected"), [(50, 50), (-1, 0), (11_000, 11_000)])
def test_it_goes_on_at_another_frame(to: int, expected: int) -> None:
    stage = ramp_stage()
    for _ in range(10):
        stage.fill()
    stage.controls.seek_frame = to
    heard = stage.fill()
    assert stage.controls.seek_frame is None
    assert (heard[FADE:] == RAMP[expected + FADE : expected + PERIOD, 0]).all()
    assert stage.figures.played_frames == expected + PERIOD


def test_volume_is_reached_without_a_step() -> None:
    stage = Stage(resume=1)
    stage.write(5 * PERIOD)
    stage.fill()
    stage.controls.volume = 0.5
    falling = stage.fill().astype(int)
    assert (np.diff(falling) <= 0).all()
    assert np.abs(np.diff(falling)).max() < LEVEL / 100
    assert (stage.fill() == LEVEL / 2).all()


def test_the_end_of_the_speech_is_told_before_the_silence_after_it() -> None:
    stage = Stage(resume=1)
    stage.write(PERIOD + 50)
    stage.player.gate.ended = True
    stage.fill(at_s=1.0)
    assert not stage.player.spoken
    stage.fill(at_s=2.0)
    assert stage.player.spoken
    assert not stage.player.drained
    assert stage.player.meter.heard_until_s == pytest.approx(2.0 + 50 / 24_000)


def test_a_process_that_stood_still_is_silent_until_somebody_looked() -> None:
    stage = ramp_stage()
    stage.controls.doubt_after_s = 1.0
    stage.fill()
    stage.now_s += 1.5
    assert not stage.fill()[FADE:].any()
    assert not stage.fill().any()
    stage.controls.in_doubt = False
    assert (stage.fill()[FADE:] == RAMP[PERIOD : 2 * PERIOD - FADE, 0]).all()


def test_a_turn_that_comes_back_within_a_period_changes_no_sample() -> None:
    stage = ramp_stage()
    stage.fill()
    stage.controls.yielded = True
    for _ in range(3):
        stage.fill()
    stage.controls.yielded = False
    stage.controls.not_before_s = 5.0 + 50 / 24_000
    heard = stage.fill(at_s=5.0)
    assert not heard[:50].any()
    assert (heard[50 + FADE :] == RAMP[PERIOD : 2 * PERIOD - 50 - FADE, 0]).all()


def test_a_frame_that_is_not_written_yet_is_waited_for_in_silence() -> None:
    stage = Stage(resume=1)
    stage.write(2 * PERIOD)
    stage.fill()
    stage.controls.seek_frame = 4 * PERIOD
    assert not stage.fill()[FADE:].any()
    stage.write(PERIOD)  # left out as it comes
    assert not stage.fill().any()
    stage.write(2 * PERIOD, level=5000)
    heard = stage.fill()
    assert stage.controls.seek_frame is None
    assert (heard[FADE:] == 5000).all()
    assert stage.figures.played_frames == stage.ring.read == 5 * PERIOD
    assert (stage.figures.underruns, stage.figures.stall_s) == (0, 0)


def test_a_frame_after_the_end_is_the_end() -> None:
    stage = ramp_stage()
    stage.fill()
    stage.player.gate.ended = True
    stage.controls.seek_frame = NOT_YET
    stage.fill()
    assert stage.player.spoken
    assert stage.figures.underruns == 0


@pytest.mark.parametrize("left", [1, FADE - 1])
def test_a_pause_in_the_last_moment_changes_no_sample(left: int) -> None:
    stage = ramp_stage()
    stage.player.gate.ended = True
    heard = [stage.fill(len(RAMP) - left)]
    stage.controls.paused = True
    heard.append(stage.fill())
    stage.controls.paused = False
    heard += list(stage.until_drained())
    assert kept_in_order(np.concatenate(heard), RAMP[:, 0])


def test_what_has_gone_on_is_not_parted_by_a_clock_that_wavers() -> None:
    stage = ramp_stage()
    stage.controls.not_before_s = 5.0
    stage.fill(at_s=5.0)
    assert (stage.fill(at_s=4.99) == RAMP[PERIOD : 2 * PERIOD, 0]).all()
    stage.controls.paused = True
    stage.fill(at_s=5.02)
    stage.controls.paused = False
    stage.fill(FADE // 2, at_s=5.03)
    heard = stage.fill(at_s=4.99)
    assert (heard[FADE // 2 :] == RAMP[2 * PERIOD :][: PERIOD - FADE // 2, 0]).all()
