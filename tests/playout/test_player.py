"""The player: exactly so many frames, whenever asked; what it does without enough."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voicestream.counters import PlayFigures, Timeline
from voicestream.pcm import PcmFormat
from voicestream.playout.controls import Controls
from voicestream.playout.player import Player
from voicestream.playout.ring import Ring
from voicestream.policy.plan import Plan
from voicestream.state import State, StateMachine

PCM = PcmFormat(24_000)
FADE = 96
PERIOD = 240
LEVEL = 10_000


class Stage:
    """A player with everything around it; sound of one level unless said."""

    def __init__(self, capacity: int = 100_000, resume: int = 1000) -> None:
        self.ring = Ring(capacity, 1, 12_000)
        self.machine = StateMachine()
        self.machine.advance(State.CONNECTING)
        self.machine.advance(State.PREBUFFERING)
        self.timeline = Timeline(0.0)
        self.figures = PlayFigures()
        self.wakes = 0
        self.controls = Controls()
        self.now_s = 1.0
        self.player = Player(
            *(self.ring, PCM, self.machine, self.timeline, self.figures, self._wake),
            self.controls,
            clock=lambda: self.now_s,
        )
        self.player.gate.plan = Plan(resume, resume)

    def _wake(self) -> None:
        self.wakes += 1

    def write(self, frames: int, level: int = LEVEL) -> None:
        assert self.ring.write(np.full((frames, 1), level, np.int16)) == frames

    def fill(self, frames: int = PERIOD, at_s: float = 5.0) -> np.ndarray:
        data = self.player.fill(frames, at_s)
        assert len(data) == 2 * frames
        return np.frombuffer(data, np.int16)

    def until_drained(self) -> Iterator[np.ndarray]:
        while not self.player.drained:
            yield self.fill()


def test_nothing_is_played_before_there_is_enough() -> None:
    stage = Stage(resume=1000)
    stage.write(999)
    assert not stage.player.gate.ready
    assert not stage.fill().any()
    assert stage.machine.state is State.PREBUFFERING
    assert (stage.figures.underruns, stage.figures.stall_s) == (0, 0)
    stage.write(1)
    assert stage.player.gate.ready
    assert (stage.fill() == LEVEL).all()
    assert stage.machine.state is State.PLAYING


def test_the_end_of_a_short_reply_opens_the_gate() -> None:
    stage = Stage(resume=1000)
    stage.write(100)
    stage.player.gate.ended = True
    assert (stage.fill()[:100] == LEVEL).all()


def test_a_pause_of_the_writer_opens_the_gate() -> None:
    stage = Stage(resume=1000)
    stage.player.gate.idle = True
    assert not stage.player.gate.ready
    stage.write(100)
    assert stage.player.gate.ready


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


@given(
    sizes=st.lists(st.integers(1, 700), min_size=1, max_size=20),
    lead=st.integers(0, 900),
    latency=st.integers(0, 900),
    period=st.integers(1, 500),
)
def test_every_sample_is_played_once_then_the_tail_and_then_it_is_drained(
    sizes: list[int], lead: int, latency: int, period: int
) -> None:
    stage = Stage(resume=1)
    stage.player.attach(PCM.frames_to_s(lead), PCM.frames_to_s(latency))
    total = sum(sizes)
    stage.ring.write((np.arange(total) % 30_000 + 1).astype(np.int16)[:, None])
    stage.player.gate.ended = True
    pulled = []
    while not stage.player.drained:
        pulled.append(stage.fill(period))
    heard = np.concatenate(pulled)
    assert not heard[:lead].any()
    assert np.array_equal(heard[lead : lead + total], np.arange(total) % 30_000 + 1)
    tail = heard[lead + total :]
    assert not tail.any()
    needed = stage.player.tail_frames + latency
    assert needed <= len(tail) < needed + 2 * period
    assert stage.figures.played_frames == total
    assert stage.machine.state is State.DRAINING
    assert stage.wakes


def test_a_cancel_fades_and_then_there_is_silence() -> None:
    stage = Stage()
    stage.write(5000)
    stage.fill()
    stage.player.cancelled = True
    out = stage.fill()
    assert stage.player.silenced
    assert out[0] == LEVEL
    assert (np.diff(out[:FADE].astype(int)) <= 0).all()
    assert not out[FADE:].any()
    assert stage.wakes == 1
    assert not stage.fill().any()


@pytest.mark.parametrize("state", ["before the start", "in a hole"])
def test_a_cancel_in_silence_stays_silent(state: str) -> None:
    stage = Stage(resume=480)
    if state == "in a hole":
        stage.write(480)
        for _ in range(3):
            stage.fill()
    stage.write(400)
    stage.player.cancelled = True
    assert not stage.fill().any()
    assert stage.player.silenced


def test_the_first_sound_is_the_first_sample_that_is_not_silence() -> None:
    stage = Stage(resume=1)
    stage.player.attach(PCM.frames_to_s(100), 0.0)
    stage.write(50, level=20)  # 16-bit noise
    stage.write(400)
    stage.fill(at_s=7.0)
    assert stage.timeline.first_sound == pytest.approx(7.0 + 150 / 24_000)


def test_room_is_told_when_it_is_waited_for() -> None:
    stage = Stage(resume=1)
    stage.write(1000)
    stage.fill()
    assert stage.wakes == 0
    stage.player.wanted_room_frames = stage.ring.writable_frames + 2 * PERIOD
    stage.fill()
    assert stage.wakes == 0
    stage.fill()
    assert stage.wakes == 1


def test_the_fill_is_seen_while_playing() -> None:
    stage = Stage(resume=480)
    stage.player.latency_frames = 240
    stage.fill()
    assert stage.figures.fill.count == 0
    stage.write(480)
    stage.fill()
    stage.fill()
    seen = stage.figures.fill
    assert (seen.count, seen.min_ms, seen.max_ms) == (2, 20.0, 30.0)
    assert stage.figures.fill_ms == 20.0


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


def test_a_full_ring_is_played_whatever_the_plan_wants() -> None:
    stage = Stage(resume=1)
    stage.player.gate.plan = Plan(stage.ring.capacity_frames + 1, stage.ring.capacity_frames + 1)
    stage.write(stage.ring.capacity_frames)
    assert stage.fill().any()


def test_who_must_know_what_the_loudspeaker_says_gets_the_very_buffers() -> None:
    stage = Stage(resume=100)
    stage.controls.sent = sent = deque(maxlen=3)
    stage.controls.volume = 0.5
    stage.write(2 * PERIOD)
    given_to_sink = [stage.player.fill(PERIOD, float(number)) for number in range(4)]
    assert [piece[:2] for piece in sent] == list(enumerate(given_to_sink))[1:]
    assert {piece[2] for piece in sent} == {PCM}
