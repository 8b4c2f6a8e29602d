"""The player: exactly so many frames, whenever asked; what it does without enough."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playout.stage import FADE, LEVEL, PCM, PERIOD, Stage
from voicestream.policy.plan import Plan
from voicestream.state import State


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


def test_a_fade_is_heard_once_the_sink_has_asked_for_what_waits_behind_it() -> None:
    stage = Stage()
    stage.player.attach(0.0, 2 * PERIOD / PCM.rate_hz)
    stage.write(5000)
    stage.fill()
    stage.player.cancelled = True
    silenced = []
    for _ in range(4):
        stage.fill()
        silenced.append(stage.player.silenced)
    assert silenced == [False, False, True, True]


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
