"""What is heard in a hole, by what an underrun is set to do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.playout.stage import FADE, LEVEL, PERIOD, Stage
from voicestream.state import State


def test_a_hole_is_one_underrun_however_long() -> None:
    stage = Stage(resume=480)
    stage.write(1000)
    for _ in range(4):
        stage.fill()
    out = stage.fill()  # 40 frames are left
    assert stage.machine.state is State.REBUFFERING
    assert not out[40 + FADE :].any()
    for _ in range(10):
        assert not stage.fill().any()
    stage.write(479)
    assert not stage.fill().any()
    assert (stage.figures.underruns, stage.figures.rebuffers) == (1, 1)
    assert stage.figures.stall_s == pytest.approx((200 + 11 * PERIOD) / 24_000)
    stage.write(1)
    stage.fill()
    assert stage.machine.state is State.PLAYING
    stage.fill()
    stage.fill()
    assert stage.figures.underruns == 2


def test_the_edges_of_a_hole_are_faded_and_nothing_is_lost() -> None:
    stage = Stage(resume=480)
    stage.write(480 + 100)
    stage.fill()
    stage.fill()
    before = stage.fill()
    stage.write(480)
    after = stage.fill()
    assert (before[:101] == LEVEL).all()  # the fade comes on top of what was written
    assert (np.diff(before[100 : 100 + FADE].astype(int)) < 0).all()
    assert before[100 + FADE - 1] < LEVEL / 50
    assert not before[100 + FADE :].any()
    assert after[0] == 0
    assert (np.diff(after[:FADE].astype(int)) >= 0).all()
    assert (after[FADE:] == LEVEL).all()
    assert stage.figures.played_frames == 580 + PERIOD


def test_running_empty_while_the_writer_pauses_is_no_underrun_and_no_stall() -> None:
    stage = Stage(resume=480)
    stage.write(480)
    stage.player.gate.idle = True
    heard = np.concatenate([stage.fill() for _ in range(6)])
    assert (heard[:480] == LEVEL).all()
    assert not heard[480 + FADE :].any()
    stage.player.gate.idle = False  # the next segment is asked for; its sound is not here yet
    assert not stage.fill().any()
    stage.write(480)
    assert (stage.fill()[FADE:] == LEVEL).all()
    assert (stage.figures.underruns, stage.figures.rebuffers, stage.figures.stall_s) == (0, 0, 0)


_TONE = (8000 * np.sin(2 * np.pi * 200 * np.arange(20_000) / 24_000)).astype(np.int16)


_STEEPEST = 2.2 * int(np.abs(np.diff(_TONE.astype(int))).max()) + 2 * 8000 // FADE
"""Of two tones that cross, one rising and one falling; a click is up to 20 times as much."""


@given(
    writes=st.lists(st.integers(0, 700), max_size=25),
    period=st.integers(1, 500),
    resume=st.integers(1, 600),
    underrun=st.sampled_from(["wait", "silence", "repeat"]),
    pausing=st.sets(st.integers(0, 25)),
)
@example([480, 0, 0], PERIOD, 1, "wait", set())
@example([480, 0, 0, 480, 0, 0], PERIOD, 1, "wait", {1, 2})
@example([480, 0, 7, 0, 0], PERIOD, 1, "repeat", set())
@example([250, 3, 250, 0, 0], PERIOD, 1, "silence", set())
def test_nothing_clicks_and_nothing_is_lost_wherever_the_ring_runs_dry(
    writes: list[int], period: int, resume: int, underrun: str, pausing: set[int]
) -> None:
    stage = Stage(resume=resume)
    stage.player.gate.underrun = underrun
    heard, since_hole = [np.zeros(1, np.int16)], FADE
    for turn, frames in enumerate(writes):
        at = stage.ring.written
        stage.ring.write(_TONE[at : at + frames, None])
        stage.player.gate.idle = turn in pausing  # the writer pauses: all that is known is written
        start = stage.ring.read
        heard.append(stage.fill(period))
        played = stage.ring.read - start
        rising = max(FADE - since_hole, 0)
        assert np.array_equal(heard[-1][rising:played], _TONE[start + rising : start + played])
        since_hole = since_hole + played if played == period else 0
        if not stage.ring.read:
            since_hole = FADE  # nothing was before it
    stage.player.cancelled = True
    while not stage.player.silenced:
        heard.append(stage.fill(period))
    heard.append(np.zeros(1, np.int16))
    assert np.abs(np.diff(np.concatenate(heard).astype(int))).max() <= _STEEPEST
    assert stage.figures.played_frames == stage.ring.read


def dry(underrun: str) -> tuple[Stage, np.ndarray]:
    """A stage that ran dry in the middle of a tone of 200 Hz, and its last fill."""
    stage = Stage(resume=1200)
    stage.player.gate.underrun = underrun
    tone = (8000 * np.sin(2 * np.pi * 200 * np.arange(1300) / 24_000)).astype(np.int16)
    assert stage.ring.write(tone[:, None]) == 1300
    for _ in range(5):
        stage.fill()
    return stage, stage.fill()


def test_a_hole_is_silent_unless_said() -> None:
    stage, last = dry("wait")
    assert last[:100].any()
    assert not last[100 + FADE :].any()
    assert not stage.fill().any()
    stage.write(1199)
    assert not stage.fill().any()


def test_over_silence_it_goes_on_as_soon_as_there_is_sound() -> None:
    stage, last = dry("silence")
    assert not last[100 + FADE :].any()
    stage.write(479)
    assert not stage.fill().any()
    stage.write(1)
    assert (stage.fill()[FADE:] == LEVEL).all()
    assert stage.figures.underruns == 1


def test_a_hole_repeats_the_last_sound_which_fades_without_a_click() -> None:
    stage, last = dry("repeat")
    hole = [last, *(stage.fill() for _ in range(8))]
    heard = np.concatenate(hole).astype(int)
    # no step is steeper than the tone itself is
    assert np.abs(np.diff(heard)).max() <= 8000 * 2 * np.pi * 200 / 24_000 * 1.2
    assert np.abs(heard[100 : 100 + 480]).max() > 4000
    assert not heard[100 + 1440 :].any()
    stage.write(1200)
    after = stage.fill()
    assert abs(int(after[0])) < 200
    assert (after[FADE:] == LEVEL).all()


def test_a_hole_may_end_before_what_is_repeated_has_faded() -> None:
    stage, last = dry("repeat")
    stage.write(1200)
    after = stage.fill()
    assert abs(int(after[0]) - int(last[-1])) < 600  # they cross
    assert (after[FADE:] == LEVEL).all()
    stage.player.gate.idle = True
    for _ in range(5):
        stage.fill()
    assert not stage.fill().any()


def test_a_cancel_in_a_hole_fades_what_is_repeated() -> None:
    stage, last = dry("repeat")
    stage.player.cancelled = True
    out = stage.fill()
    assert out[0] == last[-1] != 0
    assert not out[FADE:].any()
    assert stage.player.silenced
