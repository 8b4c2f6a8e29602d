"""Policies, pauses, plans and the simulated player."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from tests.support.traces import FOLDER
from voicestream.errors import SettingsError, UsageError
from voicestream.pcm import Samples
from voicestream.policy.adaptive import Adaptive
from voicestream.policy.arrivals import HORIZONS_S, SAME_S, Arrivals, threshold
from voicestream.policy.base import Fixed, Policy, PrebufferLimits
from voicestream.policy.history import Knowledge
from voicestream.policy.neteq import NetEqLike
from voicestream.policy.pauses import KnownPauses, Pause, PauseFinder
from voicestream.policy.plan import Planner
from voicestream.policy.simulate import NULL, Outcome, SimulatedDevice, simulate
from voicestream.trace import Trace, TraceRecorder, dump_trace, load_trace

RATE_HZ = 1000
FINE = SimulatedDevice(period_s=0.01, periods=1, lead_in_s=0.0)


def trace(*arrivals: tuple[float, int], pauses: tuple[tuple[int, int], ...] = ()) -> Trace:
    return Trace("made", RATE_HZ, arrivals, pauses=pauses)


def even(rate: float, count: int, step_frames: int = 50) -> Trace:
    """Pieces at an even pace, the first after 0.1 s."""
    step_s = step_frames / RATE_HZ / rate
    return trace(*((0.1 + i * step_s, step_frames) for i in range(count)))


def tone(seconds: float, level: float = 0.1, rate_hz: int = 24_000) -> Samples:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * 300 * times)).astype(np.float32)[:, None]


def quiet(seconds: float, rate_hz: int = 24_000) -> Samples:
    return np.zeros((round(seconds * rate_hz), 1), np.float32)


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
    assert outcome.optimum_s == pytest.approx(0.65)


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
        NetEqLike(),
        Adaptive(),
        Adaptive(Knowledge().with_reply(seen.arrivals, 100, 0.1)),
    ]


@hypothesis_given(traces(), st.integers(0, 4))
def test_no_policy_beats_the_optimum_and_each_plays_it_all(made, which):
    outcome = simulate(made, policies()[which], device=NULL)
    waited_s = sum(stop.seconds for stop in outcome.stops)
    assert outcome.start_s + waited_s >= outcome.optimum_s - 1e-9
    assert outcome.end_s + NULL.period_s >= outcome.start_s + waited_s + made.audio_s - 1e-9
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
    assert outcome.cost_s < 1.25 * outcome.optimum_s
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
    assert simulate(made, Fixed(0.15), device=FINE).missed_pauses == 1


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
    assert second.cost_s < 1.1 * second.optimum_s


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


# arrivals


def test_the_need_is_what_had_to_be_waiting():
    seen = Arrivals()
    for at_s, sound_s in ((0.0, 0.1), (0.3, 0.1), (0.35, 1.0), (2.0, 0.1)):
        seen.add(at_s, sound_s)
    # after the first arrival: 0.3 s until the second piece, which 0.3 s of sound would bridge;
    # the last needs 2.0 s less the 1.1 s that came in between
    assert seen.first_needs()[0] == pytest.approx(0.3)
    assert seen.first_needs()[2] == pytest.approx(0.3)
    assert seen.first_needs()[3] == pytest.approx(0.9)
    assert seen.rate == pytest.approx(1.2 / 2.0)
    assert seen.gaps == pytest.approx([0.05, 0.3, 1.65])


def test_arrivals_of_a_moment_are_one():
    seen = Arrivals()
    for at_s in (0.0, 0.015, 0.021):
        seen.add(at_s, 0.1)
    assert seen.count == 2
    assert seen.gaps == pytest.approx([0.006])
    # from the second piece to the third, not from the first to the second
    assert seen.first_needs()[0] == pytest.approx(0.006)


def looked_up(steps: list[tuple[float, float]], horizon_s: float) -> list[float]:
    """The needs at a horizon by their definition: of each arrival, pieces near it being one."""
    groups: list[list[tuple[float, float]]] = []  # of each piece its time and the sound before it
    sound_s = 0.0
    for at_s, piece_s in steps:
        if not groups or at_s - groups[-1][0][0] >= SAME_S:
            groups.append([])
        groups[-1].append((at_s, sound_s))
        sound_s += piece_s
    ends = [group[0][1] for group in groups[1:]] + [sound_s]
    found = []
    for i, end_s in enumerate(ends):
        if end_s > sound_s - horizon_s:
            break
        later = [piece for group in groups[i + 1 :] for piece in group]
        near = [at_s - before for at_s, before in later if before - horizon_s < end_s]
        found.append(max(near) - (groups[i][-1][0] - end_s))
    return sorted(found)


@hypothesis_given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.0078125, 0.125, 0.5]),
            st.sampled_from([0.00390625, 0.0625, 0.25]),
        ),
        min_size=1,
        max_size=80,
    ),
    st.integers(1, 20),
)
def test_needs_are_the_same_however_often_they_are_asked_for(
    steps: list[tuple[float, float]], every: int
) -> None:
    made: list[tuple[float, float]] = []
    seen = Arrivals()
    for i, (gap_s, sound_s) in enumerate(steps):
        made.append(((made[-1][0] if made else 0.0) + gap_s, sound_s))
        seen.add(*made[-1])
        if i % every == 0 or i == len(steps) - 1:
            for row, horizon_s in enumerate(HORIZONS_S):
                assert list(seen.needs(row)) == looked_up(made, horizon_s)


def test_of_very_many_arrivals_the_latest_are_looked_at():
    seen = Arrivals()
    for i in range(2400):  # late at first, even then
        seen.add(0.5 * i if i < 100 else 50 + 0.1 * (i - 100), 0.1)
    looks = seen.needs(0)
    assert len(looks) == 2048
    assert looks[-1] == pytest.approx(0.1)


@hypothesis_given(
    st.lists(st.tuples(st.integers(-3, 8), st.integers(1, 4)), max_size=12), st.integers(0, 12)
)
def test_above_the_threshold_lies_no_more_than_was_asked(
    samples: list[tuple[int, int]], most: int
) -> None:
    levels = sorted({0, *(value for value, _ in samples if value > 0)})
    above = {level: sum(weight for value, weight in samples if value > level) for level in levels}
    expected = next(level for level in levels if above[level] <= most)
    assert threshold(samples, most) == expected


def test_jitter_after_rfc_3550():
    seen = Arrivals()
    seen.add(0.0, 0.1)
    seen.add(0.14, 0.1)  # 40 ms later than even
    seen.add(0.24, 0.1)
    assert seen.jitter_s == pytest.approx(0.04 / 16 * 15 / 16)


# pauses


def test_pauses_are_found_where_they_are():
    sound = np.concatenate([tone(0.5), quiet(0.2), tone(0.3), quiet(0.04), tone(0.3), quiet(0.1)])
    finder = PauseFinder(24_000)
    finder.feed(sound)
    assert finder.pauses() == [Pause(12_000, 16_800), Pause(32_160, 34_560)]
    assert finder.last == Pause(32_160, 34_560)
    assert finder.after(16_000) == Pause(12_000, 16_800)
    assert finder.after(16_800) == Pause(32_160, 34_560)


def test_noise_at_40_db_below_speech_is_a_pause_and_soft_speech_is_not():
    for level, count in ((0.001, 1), (0.01, 0)):
        finder = PauseFinder(24_000)
        finder.feed(np.concatenate([tone(0.5), tone(0.2, level), tone(0.3)]))
        assert len(finder.pauses()) == count


@hypothesis_given(st.lists(st.integers(1, 5000), max_size=30))
def test_pauses_do_not_depend_on_the_cuts(cuts):
    sound = np.concatenate([tone(0.3), quiet(0.2), tone(0.1, 0.3), quiet(0.07), tone(0.2)])
    whole, pieces = PauseFinder(24_000), PauseFinder(24_000)
    whole.feed(sound)
    for cut in cuts:
        pieces.feed(sound[:cut])
        sound = sound[cut:]
    pieces.feed(sound)
    assert pieces.pauses() == whole.pauses()
    assert pieces.frames == whole.frames


def test_the_end_of_a_segment_is_a_pause():
    finder = PauseFinder(24_000)
    finder.feed(tone(0.25))
    finder.join()
    assert finder.last == Pause(6000, 6000)
    finder.feed(quiet(0.2))
    finder.join()
    assert finder.last == Pause(6000, 10_800)
    assert len(finder.pauses()) == 1


@hypothesis_given(st.lists(st.tuples(st.booleans(), st.integers(0, 3000)), max_size=20))
def test_pauses_stay_in_order_whatever_joins_them(parts):
    finder = PauseFinder(24_000)
    for loud, frames in parts:
        finder.feed((tone if loud else quiet)(frames / 24_000))
        finder.join()
    edges = [edge for pause in finder.pauses() for edge in (pause.start, pause.end)]
    assert edges == sorted(edges)
    assert not edges or edges[-1] <= finder.frames


def test_known_pauses_come_to_light_as_the_finder_finds_them():
    sound = np.concatenate([tone(0.2), quiet(0.2), tone(0.2), quiet(0.1), tone(0.1)])
    whole = PauseFinder(24_000)
    whole.feed(sound)
    known = KnownPauses([(p.start, p.end) for p in whole.pauses()], 24_000)
    finder = PauseFinder(24_000)
    for start in range(0, len(sound), 480):
        finder.feed(sound[start : start + 480])
        known.arrived(min(480, len(sound) - start))
        assert known.last == finder.last
        assert known.after(5000) == finder.after(5000)


# trace files


def test_a_trace_is_read_as_it_was_written(tmp_path):
    recorder = TraceRecorder("mine", 24_000, 100.0)
    for at_s, frames in ((100.5, 480), (100.4, 480), (101.0, 0), (102.0, 5)):
        recorder.arrived(at_s, frames)
    made = recorder.trace(12, [(100, 200)])
    assert [at_s for at_s, _ in made.arrivals] == pytest.approx([0.5, 0.5, 1.0, 2.0])
    path = tmp_path / "trace.json"
    path.write_text(dump_trace(made))
    assert load_trace(path) == made


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[1, 2]",
        '{"sample_rate": 0, "arrivals": [[0, 1]]}',
        '{"sample_rate": 24000, "arrivals": []}',
        '{"sample_rate": 24000, "arrivals": [[1, 5], [0.5, 5]]}',
        '{"sample_rate": 24000, "arrivals": [[NaN, 5]]}',
        '{"sample_rate": 24000, "arrivals": [[0, -5]]}',
        '{"sample_rate": 24000, "arrivals": [[0, 0]]}',
        '{"sample_rate": 24000, "arrivals": [["x", 5]]}',
        '{"sample_rate": 24000, "arrivals": [[0, 5, 6]]}',
        '{"sample_rate": 1e999, "arrivals": [[0, 5]]}',
        '{"sample_rate": 24000, "arrivals": [[0, 1' + 400 * "0" + "]]}",
        "[" * 100_000,
        "\udcff",
    ],
)
def test_a_file_that_is_no_trace_is_a_usage_error(tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=r"bad\.json is no trace"):
        load_trace(path)


def test_a_missing_trace_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_trace(tmp_path / "none.json")


def test_an_outcome_without_stops_costs_its_start():
    assert Outcome(start_s=0.4).cost_s == 0.4


def test_speech_without_pauses_is_buffered_for_its_whole_rest():
    """Where no wait will be natural, all of it is at the start."""
    slow = even(0.8, 160)
    first = Adaptive()
    simulate(slow, first, device=FINE)
    again = simulate(slow, Adaptive(first.reply()), device=FINE)
    assert first.reply().phrase_s == pytest.approx(8.0)
    assert again.start_s > 0.8 * again.optimum_s
    with_pauses = Adaptive(Knowledge().with_reply(first.arrivals, pauses=7))
    assert simulate(slow, with_pauses, device=FINE).start_s < 0.7 * again.optimum_s


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
