"""A reply that is too slow, with a faster one after it: one wait, and long enough."""

from __future__ import annotations

import pytest

from voicestream.policy.adaptive import Adaptive, Handover
from voicestream.policy.base import PrebufferLimits


def slow(rate: float, sound_s: float = 0.5, piece_s: float = 0.025) -> Adaptive:
    """So much sound has come at this pace."""
    policy = Adaptive(limits=PrebufferLimits(0.0, 2.0))
    for number in range(round(sound_s / piece_s)):
        policy.arrived(number * piece_s / rate, piece_s)
    return policy


@pytest.mark.parametrize("rate", [0.5, 0.8])
@pytest.mark.parametrize("to_come_s", [0.1, 0.5, 1.0])
def test_the_wait_covers_the_rest_and_the_gap(rate: float, to_come_s: float) -> None:
    policy = slow(rate)
    policy.handover = Handover(0.5 + to_come_s, 0.3)
    need_s = policy.resume_need_s(None)
    # played from then on: what waits and what is to come, until the next begins to come
    comes_for_s = to_come_s / rate + 0.3
    assert need_s + to_come_s == pytest.approx(max(comes_for_s, to_come_s + 0.13), abs=0.01)


def test_it_is_kept_to_even_if_a_pause_is_near() -> None:
    policy = slow(0.5)
    policy.handover = Handover(1.0, 0.3)
    assert policy.resume_need_s(0.05) == policy.resume_need_s(None) > 0.5


def test_it_has_the_bounds_of_any_wait() -> None:
    policy = slow(0.2)
    policy.handover = Handover(60.0, 0.3)
    assert policy.resume_need_s(None) == 2.0


def test_at_the_end_of_the_slow_reply_only_the_gap_is_waited_for() -> None:
    policy = slow(0.5)
    policy.handover = Handover(policy.arrivals.sound_s, 0.0)
    assert policy.resume_need_s(None) == pytest.approx(0.2)  # no gap is shorter


@pytest.mark.parametrize("rate", [1.1, 4.0])
def test_a_reply_that_comes_in_time_needs_none_of_it(rate: float) -> None:
    policy = slow(rate)
    before_s = policy.resume_need_s(None)
    policy.handover = Handover(5.0, 0.3)
    assert policy.resume_need_s(None) == before_s
