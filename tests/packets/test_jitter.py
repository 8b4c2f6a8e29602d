"""The jitter buffer, in simulated time."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.packets import wifi
from voicestream.packets.jitter import JitterBuffer
from voicestream.packets.simulate import CLOCK_HZ, Arrival, delayed, packet, play, sent
from voicestream.records import replace

FRAMES = 960


def buffer() -> JitterBuffer:
    return JitterBuffer(CLOCK_HZ, lambda _: FRAMES)


def test_what_comes_evenly_is_played_whole_over_both_wraps() -> None:
    played = play(buffer(), sent(200))
    assert played.order == list(range(200))
    assert played.buffer.figures.concealed_frames == 0
    assert played.buffer.figures.changes < 15  # from the first delay down to what is needed


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32))
def test_no_network_makes_it_play_one_twice_or_out_of_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    delays = rng.gamma(1.0, rng.uniform(0.001, 0.06), 150)
    delays[rng.random(150) < rng.uniform(0, 0.3)] = math.inf
    arrivals = delayed(sent(150), list(delays))
    if not arrivals:
        return
    twice = [it for it in arrivals for _ in range(1 + (rng.random() < 0.2))]
    played = play(buffer(), twice)
    numbers, figures = played.numbers, played.buffer.figures
    assert numbers == sorted(set(numbers))
    assert figures.received == len(twice)
    assert figures.duplicate == len(twice) - len(arrivals)
    # whatever came was played, or came after its turn
    assert len(numbers) + figures.late + figures.stray == len(arrivals)


def test_what_is_overtaken_is_put_in_order() -> None:
    delays = [0.03 if number % 5 == 0 else 0.0 for number in range(300)]
    played = play(buffer(), delayed(sent(300), delays))
    assert played.buffer.figures.reordered == 60
    assert played.numbers[20:] == list(range(300))[-len(played.numbers[20:]) :]
    assert played.concealed_s < 0.05


def test_what_is_lost_costs_its_own_time_and_no_delay() -> None:
    delays = [math.inf if number in (100, 150, 151, 152) else 0.0 for number in range(250)]
    played = play(buffer(), delayed(sent(250), delays))
    assert played.order.count(None) == 8
    assert played.buffer.figures.lost == 4
    assert played.numbers == [it for it in range(250) if it not in (100, 150, 151, 152)]
    assert played.buffer.figures.mean_delay_s < 0.03


def test_a_spike_is_waited_for_and_its_delay_goes_down_again() -> None:
    delays = [0.0] * 400
    for number in range(100, 110):
        delays[number] = 0.2 - 0.02 * (number - 100)
    late: list[float] = []
    played = play(
        buffer(), delayed(sent(400), delays), watch=lambda _, it: late.append(it.last_delay_s)
    )
    assert played.numbers == list(range(400))
    assert 0.1 < played.concealed_s < 0.25
    assert max(late) > 0.15
    assert late[-1] < 0.06


def test_a_pause_of_the_source_is_silence() -> None:
    before = sent(50)
    after = [
        (at_s + 2.0, replace(it, timestamp=(it.timestamp + 2 * CLOCK_HZ) & 0xFFFFFFFF, marker=True))
        for at_s, it in sent(100)[50:]
    ]
    played = play(buffer(), before + after)
    assert played.numbers == list(range(100))
    assert played.concealed_s < 0.2
    assert played.buffer.figures.silent_frames > 1.5 * CLOCK_HZ


def test_a_stop_without_a_mark_is_made_up_for_no_longer_than_a_moment() -> None:
    played = play(buffer(), sent(50), end_s=30.0)
    assert played.concealed_s == 0.0


def other(arrivals: list[Arrival], **changed: int) -> list[Arrival]:
    return [(at_s, replace(it, **changed)) for at_s, it in arrivals]


def test_another_sender_is_heard_once_the_first_is_gone() -> None:
    first, second = sent(50), other(sent(100)[50:], ssrc=8)
    played = play(buffer(), first + second)
    assert played.buffer.figures.restarts == 1
    assert played.numbers[-50:] == list(range(50, 100))


def test_of_two_senders_at_once_one_is_heard() -> None:
    both = sorted(sent(100) + other(sent(100, start_s=10.005), ssrc=8), key=lambda it: it[0])
    played = play(buffer(), both)
    assert played.numbers == list(range(100))
    assert played.buffer.figures.stray == 100


def test_strays_of_several_senders_prove_nothing() -> None:
    played = buffer()
    for at_s, it in sent(10):
        played.put(at_s, it)
    for ssrc in (71, 72, 73, 74):
        played.put(at_s, replace(it, ssrc=ssrc))
    assert (played.figures.restarts, played.figures.stray) == (0, 4)


@pytest.mark.parametrize("seconds", [600, -600])
def test_a_timestamp_that_jumps_begins_anew(seconds: int) -> None:
    moved = [
        (at_s, replace(it, timestamp=(it.timestamp + seconds * CLOCK_HZ) & 0xFFFFFFFF))
        for at_s, it in sent(100)[50:]
    ]
    played = play(buffer(), sent(50) + moved)
    assert played.numbers[-50:] == list(range(50, 100))
    assert played.buffer.figures.restarts == 1


def test_packets_from_nowhere_in_time_begin_nothing() -> None:
    draw = random.Random(3)
    arrivals = sent(200)
    for number in range(20, 180, 7):
        at_s, it = arrivals[number]
        stray = replace(it, sequence=draw.randrange(20_000, 50_000), ssrc=draw.randrange(100, 999))
        arrivals.append((at_s + 0.001, stray))
    played = play(buffer(), sorted(arrivals, key=lambda it: it[0]))
    assert played.numbers == list(range(200))
    assert played.buffer.figures.restarts == 0


@pytest.mark.parametrize("drift_ppm", [200, -200])
def test_a_clock_that_drifts_costs_no_cut_and_no_delay(drift_ppm: int) -> None:
    rng = np.random.default_rng(1)
    count = 15_000  # five minutes
    jitter = rng.uniform(0.0, 0.01, count)
    late: list[float] = []

    def watch(_: float, it: JitterBuffer) -> None:
        late.append(it.last_delay_s)

    played = play(buffer(), delayed(sent(count, drift_ppm=drift_ppm), list(jitter)), watch=watch)
    assert played.order == list(range(count))  # nothing is made up
    assert min(late[-1000:]) > played.buffer.target.target_s + 0.01
    assert np.mean(late[-1000:]) < np.mean(late[1000:2000]) + 0.01
    assert played.buffer.target.drift_ppm == pytest.approx(drift_ppm, abs=20)


def test_it_holds_no_more_than_a_few_seconds() -> None:
    held = buffer()
    for number in range(2000):
        held.put(10.0, packet(number, FRAMES))
    assert held.waiting <= 400


def test_wifi_is_played_whole() -> None:
    delays = wifi(np.random.default_rng(5), 500)
    played = play(buffer(), delayed(sent(500), list(delays)))
    assert played.numbers == list(range(500))
    assert played.buffer.figures.played_frames == 500 * FRAMES
