"""The player follows plans, and the simulation tells what the player does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.traces import family
from voicestream.counters import PlayFigures, Timeline
from voicestream.pcm import Frames16, PcmFormat
from voicestream.playout.player import Player
from voicestream.playout.ring import Ring
from voicestream.policy.adaptive import Adaptive
from voicestream.policy.base import Fixed, Policy
from voicestream.policy.pauses import KnownPauses
from voicestream.policy.plan import Plan, Planner
from voicestream.policy.simulate import SimulatedDevice, simulate
from voicestream.state import State, StateMachine
from voicestream.trace import Trace

RATE_HZ = 24_000
PERIOD = 384


class Rig:
    """A player whose clock stands still unless told."""

    def __init__(self, capacity: int = 1 << 20) -> None:
        self.now_s = 0.0
        self.ring = Ring(capacity, 1)
        self.machine = StateMachine()
        self.machine.advance(State.CONNECTING)
        self.machine.advance(State.PREBUFFERING)
        self.figures = PlayFigures()
        self.player = Player(
            self.ring,
            PcmFormat(RATE_HZ),
            self.machine,
            Timeline(0.0),
            self.figures,
            lambda: None,
            clock=lambda: self.now_s,
        )

    def write(self, frames: int) -> None:
        start = self.ring.written
        ramp = 1 + np.arange(start, start + frames) % 30_000
        assert self.ring.write(ramp.astype(np.int16)[:, None]) == frames

    def fill(self, frames: int = PERIOD) -> Frames16:
        return np.frombuffer(self.player.fill(frames, self.now_s), np.int16)


def test_playback_waits_for_the_start_and_goes_on_with_less():
    rig = Rig()
    rig.player.gate.plan = Plan(start_frames=1000, resume_frames=400)
    rig.write(999)
    assert not rig.player.gate.ready
    rig.write(1)
    assert rig.player.gate.ready
    assert len(np.flatnonzero(rig.fill(1200))) >= 990
    assert rig.machine.state is State.REBUFFERING
    rig.write(399)
    assert not np.any(rig.fill())
    rig.write(1)
    assert np.any(rig.fill())
    assert rig.figures.underruns == 1
    assert rig.figures.holds == 0


def test_it_holds_at_the_frame_and_not_one_before():
    rig = Rig()
    rig.player.gate.plan = Plan(1, 1, hold_at_frame=500, open_from_s=5.0, open_until_s=6.0)
    rig.write(2000)
    sound = np.concatenate([rig.fill() for _ in range(4)])
    assert rig.ring.read == 500
    assert not np.any(sound[500 + 96 :])  # it fades
    assert rig.machine.state is State.REBUFFERING
    assert (rig.figures.holds, rig.figures.underruns) == (1, 0)
    assert rig.figures.hold_s == pytest.approx((4 * PERIOD - 500) / RATE_HZ)
    assert rig.figures.stall_s == 0


@pytest.mark.parametrize(
    ("now_s", "plan", "goes_on"),
    [
        (4.99, None, False),
        (5.0, None, True),
        (6.0, None, True),
        (6.01, None, False),
        (0.0, Plan(1, 1), True),
        (0.0, Plan(1, 1, 700, 5.0, 6.0), True),
        (0.0, Plan(1, 1, 500, 0.0, 1.0), True),
        (0.0, Plan(1, 1, 500, 9.0, 9.5), False),
    ],
)
def test_a_hold_ends_in_time_or_by_a_new_plan(now_s, plan, goes_on):
    rig = Rig()
    rig.player.gate.plan = Plan(1, 1, hold_at_frame=500, open_from_s=5.0, open_until_s=6.0)
    rig.write(2000)
    for _ in range(3):
        rig.fill()
    assert rig.ring.read == 500
    rig.now_s = now_s
    rig.player.gate.plan = plan or rig.player.gate.plan
    rig.fill(100)
    assert rig.ring.read == (600 if goes_on else 500)


def test_the_end_of_the_reply_ends_every_hold():
    rig = Rig()
    rig.player.gate.plan = Plan(1, 1, hold_at_frame=500, open_from_s=5.0, open_until_s=6.0)
    rig.write(2000)
    for _ in range(3):
        rig.fill()
    rig.player.gate.ended = True
    rig.fill(2000)
    assert rig.ring.read == 2000


def test_what_was_held_back_is_played_to_the_last_sample():
    rig = Rig()
    rig.player.gate.plan = Plan(1, 1, hold_at_frame=500, open_from_s=5.0, open_until_s=6.0)
    rig.write(2000)
    heard = [rig.fill() for _ in range(3)]
    rig.now_s = 5.5
    heard += [rig.fill() for _ in range(3)]
    sound = np.concatenate(heard)
    # the fades at both edges scale samples, but none is left out
    assert np.count_nonzero(sound) >= rig.ring.read - 2
    assert sound[-1] == rig.ring.read


def test_more_sound_behind_a_full_ring_means_no_hold():
    pauses = KnownPauses(((2000, 4000),), RATE_HZ)
    planner = Planner(Adaptive(), pauses, RATE_HZ, 0)
    pauses.arrived(4100)
    planner.arrived(0.0, 4100)
    assert planner.plan(100).hold_at_frame > 0
    assert planner.plan(100, more_waiting=True).hold_at_frame == -1


def test_while_more_is_waiting_the_need_stays_until_it_is_looked_at_anew():
    planner = Planner(Adaptive(), KnownPauses((), RATE_HZ), RATE_HZ, 0, capacity_frames=1 << 20)
    planner.arrived(0.0, 2400)
    first = planner.plan(100, more_waiting=True).resume_frames  # there was no need before it
    for i in range(1, 40):  # fast and even
        planner.arrived(0.03 * i, 2400)
    assert planner.plan(100, more_waiting=True).resume_frames == first
    need = planner.plan(100).resume_frames
    assert need < first
    assert planner.plan(100, more_waiting=True).resume_frames == need


def test_no_more_is_asked_for_than_the_ring_holds():
    planner = Planner(Fixed(1.0), KnownPauses((), RATE_HZ), RATE_HZ, 0, capacity_frames=9000)
    planner.arrived(0.0, 100)
    assert planner.plan(0).start_frames == 9000
    assert planner.plan(50).resume_frames == 9000


def test_before_a_segment_was_asked_for_nothing_of_it_could_arrive():
    policy = Adaptive()
    planner = Planner(policy, KnownPauses((), RATE_HZ), RATE_HZ, 0)
    planner.requested(0.0)
    for at_s in (0.5, 0.6, 0.7):
        planner.arrived(at_s, 100)
    planner.requested(5.7)  # the writer paused
    planner.arrived(6.0, 100)
    assert policy.arrivals.gaps == pytest.approx([0.1, 0.1, 0.3])


def play(trace: Trace, policy: Policy) -> tuple[float, Rig]:
    """The real player, tick by tick, as a device of one period a time pulls it."""
    rig = Rig()
    pauses = KnownPauses(trace.pauses, RATE_HZ)
    planner = Planner(policy, pauses, RATE_HZ, PERIOD)
    planner.requested(0.0)
    planner.text(trace.chars, True)
    left = list(trace.arrivals)

    def arrive(now_s: float) -> None:
        while left and left[0][0] <= now_s:
            at_s, frames = left.pop(0)
            rig.write(frames)
            pauses.arrived(frames)
            planner.arrived(at_s, frames)
            if not left or left[0][0] > now_s:
                rig.player.gate.plan = planner.plan(rig.player.read_frames)
        rig.player.gate.ended = not left

    while not rig.player.gate.ready:
        start_s = left[0][0]
        arrive(start_s)
    calls = 0
    while not rig.player.drained:
        rig.now_s = start_s + calls * PERIOD / RATE_HZ
        arrive(rig.now_s)
        rig.fill()
        calls += 1
    return start_s, rig


@pytest.mark.parametrize("name", ["markov", "slow", "gc_pauses", "roam", "near_realtime"])
@pytest.mark.parametrize("make", [lambda: Fixed(0.15), Adaptive], ids=["fixed", "adaptive"])
def test_the_simulation_tells_what_the_player_does(name, make):
    for trace, content in family(name, 3, 7):
        told = simulate(trace, make(), content.pauses, SimulatedDevice(periods=1, lead_in_s=0.0))
        start_s, rig = play(trace, make())
        assert start_s == told.start_s
        waited_s = rig.figures.stall_s + rig.figures.hold_s
        assert waited_s == pytest.approx(sum(stop.seconds for stop in told.stops), abs=1e-6)
        assert rig.figures.rebuffers == len(told.stops)
        assert rig.figures.played_frames == trace.frames
