"""Policies, pauses, plans and the simulated player."""

from __future__ import annotations

import math

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from tests.support.traces import FOLDER
from voicestream.errors import SettingsError
from voicestream.policy.adaptive import Adaptive
from voicestream.policy.arrivals import Arrivals
from voicestream.policy.base import Fixed, Policy, PrebufferLimits
from voicestream.policy.delay import neteq_like
from voicestream.policy.history import Knowledge
from voicestream.policy.pauses import KnownPauses
from voicestream.policy.plan import Planner
from voicestream.policy.simulate import Outcome, SimulatedDevice, simulate
from voicestream.trace import Trace, load_trace

RATE_HZ = 1000
FINE = SimulatedDevice(period_s=0.01, periods=1, lead_in_s=0.0)


def trace(*arrivals: tuple[float, int], pauses: tuple[tuple[int, int], ...] = ()) -> Trace:
    return Trace("made", RATE_HZ, arrivals, pauses=pauses)


def even(rate: float, count: int, step_frames: int = 50) -> Trace:
    """Pieces at an even pace, the first after 0.1 s."""
    step_s = step_frames / RATE_HZ / rate
    return trace(*((0.1 + i * step_s, step_frames) for i in range(count)))


@hypothesis_given(
    st.lists(st.tuples(st.floats(0.02, 1.0), st.integers(20, 900)), min_size=1, max_size=30)
)
def test_with_the_recommended_prebuffer_nothing_would_have_been_late(
    steps: list[tuple[float, int]],
) -> None:
    at_s, made, seen = 0.0, [], Arrivals()
    for gap_s, frames in steps:
        at_s += gap_s
        made.append((at_s, frames))
        seen.add(at_s, frames / RATE_HZ)
    ahead_s = FINE.ahead_s()
    outcome = simulate(trace(*made), Fixed(seen.enough_s + ahead_s), device=FINE)
    assert outcome.stops == []


# the traces that were given


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_the_offline_optimum_is_the_one_in_the_file(path):
    import json

    told = json.loads(path.read_text())
    found = load_trace(path)
    assert found.best_start_s == pytest.approx(told["oracle_start_s"], abs=1.1e-4)
    assert found.audio_s == pytest.approx(told["audio_s"], abs=1e-3)


# the simulated player, by hand


def test_one_stop_in_a_word_by_hand():
    # 100 frames at 0.5 s, the next 100 at 0.75 s: started at once it runs dry at 0.6 s
    # and goes on at the first callback at or after 0.75 s
    outcome = simulate(trace((0.5, 100), (0.75, 100), (0.80, 50)), Fixed(0.1), device=FINE)
    assert outcome.start_s == 0.5
    assert [stop.at_frame for stop in outcome.stops] == [100]
    assert outcome.word_wait_s == pytest.approx(0.15, abs=0.0101)
    assert outcome.cost_s == pytest.approx(0.5 + 3 * outcome.word_wait_s + 0.3)


def test_the_same_stop_in_a_pause_costs_a_third():
    arrivals = (0.5, 100), (0.75, 100), (0.80, 50)
    outcome = simulate(trace(*arrivals), Fixed(0.1), judged_pauses=((60, 120),), device=FINE)
    assert outcome.word_stops == 0
    assert outcome.cost_s == pytest.approx(0.5 + outcome.pause_wait_s)


def test_a_start_at_the_optimum_has_no_stop():
    outcome = simulate(trace((0.1, 100), (0.4, 100), (0.41, 10)), Fixed(0.15), device=FINE)
    assert outcome.start_s == 0.4
    assert not outcome.stops


def test_the_first_pull_of_a_card_is_sound_that_must_be_there():
    card = SimulatedDevice(period_s=0.016, periods=3, lead_in_s=0.02)
    arrivals = trace((0.0, 20), (0.015, 200))
    assert simulate(arrivals, Fixed(0.02), device=card).word_stops == 1
    assert simulate(arrivals, Fixed(0.02), device=FINE).word_stops == 0


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    steps = st.tuples(st.floats(0, 0.5), st.integers(1, 400))
    at_s, arrivals = 0.0, []
    for step_s, frames in draw(st.lists(steps, min_size=1, max_size=40)):
        at_s += step_s
        arrivals.append((at_s, frames))
    total = sum(frames for _, frames in arrivals)
    edges = sorted(draw(st.sets(st.integers(0, total // 10), max_size=8)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    pauses = tuple((a * 10, b * 10) for a, b in pairs if b - a >= 6)
    return Trace("drawn", RATE_HZ, tuple(arrivals), draw(st.integers(0, 400)), pauses)


def policies() -> list[Policy]:
    seen = Adaptive()
    simulate(even(0.8, 60), seen)
    return [
        Fixed(0.15),
        Fixed(0.5),
        neteq_like(),
        Adaptive(),
        Adaptive(Knowledge().with_reply(seen.arrivals, 100, 0.1)),
    ]


@hypothesis_given(traces(), st.integers(0, 4))
def test_no_policy_beats_the_optimum_and_each_plays_it_all(made, which):
    outcome = simulate(made, policies()[which], device=FINE)
    waited_s = sum(stop.seconds for stop in outcome.stops)
    assert outcome.start_s + waited_s >= made.best_start_s - 1e-9
    assert outcome.end_s + FINE.period_s >= outcome.start_s + waited_s + made.audio_s - 1e-9
    assert outcome.cost_s < 4 * (made.arrivals[-1][0] + 1)


@hypothesis_given(traces(), st.floats(0, 0.3), st.floats(0, 0.5))
def test_adaptive_never_starts_outside_the_limits(made, least_s, more_s):
    limits = PrebufferLimits(least_s, least_s + more_s)
    policy = Adaptive(limits=limits)
    planner = Planner(policy, KnownPauses((), RATE_HZ), RATE_HZ, 0)
    for at_s, frames in made.arrivals:
        planner.arrived(at_s, frames)
        start = planner.plan(0).start_frames
        assert limits.least_s <= (start + 1e-6) / RATE_HZ
        assert start <= math.ceil(limits.most_s * RATE_HZ)
        assert planner.plan(1).resume_frames <= max(math.ceil(limits.most_s * RATE_HZ), 1)


# the adaptive policy


def pauses_every(frames: int, total: int, length: int = 100) -> tuple[tuple[int, int], ...]:
    return tuple((at, at + length) for at in range(frames, total, frames))


def test_a_slow_server_is_waited_for_at_pauses():
    slow = even(0.8, 160)
    with_pauses = Trace("slow", RATE_HZ, slow.arrivals, 120, pauses_every(1200, 8000))
    outcome = simulate(with_pauses, Adaptive(), device=FINE)
    assert outcome.word_stops == 0
    assert outcome.pause_wait_s > 0.5
    assert outcome.cost_s < 1.25 * with_pauses.best_start_s
    assert simulate(with_pauses, Fixed(0.15), device=FINE).word_stops > 5


def test_a_sudden_gap_is_waited_for_at_the_pause_before_it():
    # 2x realtime, then nothing for 3 s: what is waiting ends in the middle of a phrase
    flow = even(2.0, 60).arrivals
    late = tuple((at_s + 3.0, frames) for at_s, frames in even(2.0, 60).arrivals)
    shifted = tuple((at_s + flow[-1][0], frames) for at_s, frames in late)
    made = Trace("gap", RATE_HZ, flow + shifted, 100, pauses_every(1300, 6000))
    outcome = simulate(made, Adaptive(), device=FINE)
    assert outcome.word_stops == 0
    assert outcome.pause_wait_s > 1
    assert simulate(made, Fixed(0.15), device=FINE).word_stops == 1


def test_a_short_reply_of_a_fast_server_is_not_delayed():
    reply = even(8.0, 8)
    assert simulate(reply, Adaptive(), device=FINE).start_s <= reply.arrivals[2][0]


def test_one_piece_is_played_at_once():
    assert simulate(trace((0.3, 80)), Adaptive(), device=FINE).start_s == 0.3


def test_what_was_learnt_prevents_the_stop_that_an_unknown_server_causes():
    # a trickle, then fast: nothing of the beginning tells of the end of the trickle
    arrivals = [(0.1 + i * 0.05, 20) for i in range(20)] + [
        (1.15 + i * 0.01, 60) for i in range(60)
    ]
    made = Trace("trickle", RATE_HZ, tuple(arrivals), 60)
    cold = Adaptive()
    first = simulate(made, cold, device=FINE)
    known = Knowledge().with_reply(cold.arrivals, 60, 0.1)
    second = simulate(made, Adaptive(known), device=FINE)
    assert second.cost_s < first.cost_s
    assert second.cost_s < 1.1 * made.best_start_s


def test_limits_that_contradict_each_other():
    with pytest.raises(SettingsError, match=r"at least 2 s .* at most 1 s"):
        PrebufferLimits(2.0, 1.0)
    for value in (-0.1, math.nan, math.inf):
        with pytest.raises(SettingsError):
            PrebufferLimits(most_s=value)
        with pytest.raises(SettingsError):
            Fixed(value)


@pytest.mark.parametrize("jump_s", [-0.5, 3600.0])
def test_arrivals_out_of_order_or_after_a_sleep_change_little(jump_s):
    """The policy sees a gap of 0 or 10 s at most, and its answers are on the clock after it."""
    policy, pauses = Adaptive(), KnownPauses(((1500, 1600),), RATE_HZ)
    planner = Planner(policy, pauses, RATE_HZ, 0)
    for i in range(40):
        at_s = 100 + 0.05 * i + (jump_s if i >= 20 else 0.0)
        pauses.arrived(50)
        planner.arrived(at_s, 50)
    assert policy.arrivals.gaps[:39] == sorted(policy.arrivals.gaps)
    assert policy.arrivals.gaps[0] >= 0
    assert policy.arrivals.gaps[-1] <= 10.000001
    plan = planner.plan(1000)
    assert plan.hold_at_frame == 1560
    assert plan.open_from_s <= at_s + 10
    assert at_s < plan.open_until_s < at_s + 30
    assert plan.resume_frames < 300


def test_an_outcome_without_stops_costs_its_start():
    assert Outcome(start_s=0.4).cost_s == 0.4


def test_speech_without_pauses_is_buffered_for_its_whole_rest():
    """Where no wait will be natural, all of it is at the start."""
    slow = even(0.8, 160)
    first = Adaptive()
    simulate(slow, first, device=FINE)
    again = simulate(slow, Adaptive(first.reply()), device=FINE)
    assert first.reply().phrase_s == pytest.approx(8.0)
    assert again.start_s > 0.8 * slow.best_start_s
    with_pauses = Adaptive(Knowledge().with_reply(first.arrivals, pauses=7))
    assert simulate(slow, with_pauses, device=FINE).start_s < 0.7 * slow.best_start_s


def test_a_reply_is_added_to_what_is_known():
    policy = Adaptive()
    policy.text(100, True)
    simulate(even(2.0, 80), policy, device=FINE)
    known = policy.reply(0.1)
    assert known.replies == 1
    assert known.rate == pytest.approx(2.0, rel=0.05)
    assert known.seconds_per_char == pytest.approx(0.04)
    assert known.first_byte_s == 0.1
    assert Adaptive(known).name == "adaptive warm"


@pytest.mark.parametrize(("read_late", "least_s"), [(False, 0.0), (True, 0.15)])
def test_a_first_gap_that_late_reading_made_short_proves_no_fast_server(
    read_late: bool, least_s: float
) -> None:
    policy = Adaptive()
    policy.read_late = read_late
    policy.requested(0.0)
    policy.arrived(0.3, 0.085)
    policy.arrived(0.33, 0.04)
    assert (policy.start_need_s(0.028, None) >= 0.15) is read_late
    assert policy.start_need_s(0.028, None) >= least_s
