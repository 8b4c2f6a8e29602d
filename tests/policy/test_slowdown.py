"""How much slower than asked a server that lags is played."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.policy.slowdown import LEAST, Slowdown

PIECE_S = 0.04


def play(rate: float, seconds: float, start_s: float = 0.3) -> tuple[list[float], float]:
    """Shares at each arrival of an even server, and the seconds a listener waited."""
    slowdown, shares = Slowdown(), []
    waiting_s = stalled_s = 0.0
    playing = False
    for number in range(round(seconds / PIECE_S)):
        at_s = number * PIECE_S / rate
        if playing:
            waiting_s -= PIECE_S / rate
            stalled_s += max(-waiting_s, 0.0)
            waiting_s = max(waiting_s, 0.0)
        share = slowdown.arrived(at_s, PIECE_S, waiting_s, seconds - number * PIECE_S)
        shares.append(share)
        waiting_s += PIECE_S / share
        playing = playing or waiting_s >= start_s
    return shares, stalled_s


def test_a_server_fast_enough_is_played_as_asked() -> None:
    shares, stalled_s = play(1.2, 20.0)
    assert set(shares) == {1.0}
    assert stalled_s == 0


@pytest.mark.parametrize("rate", [0.78, 0.8, 0.85, 0.9, 0.95])
def test_a_server_that_lags_is_heard_without_a_stop(rate: float) -> None:
    shares, stalled_s = play(rate, 30.0)
    assert stalled_s == 0
    assert min(shares) >= LEAST
    assert sum(shares) / len(shares) == pytest.approx(rate, abs=0.05)


def test_a_lag_too_small_to_be_worth_it_is_left_to_what_waits() -> None:
    slowdown = Slowdown()
    shares = [slowdown.arrived(n * PIECE_S / 0.985, PIECE_S, 0.25, 4.0) for n in range(50)]
    assert set(shares) == {1.0}


def test_nothing_is_stretched_while_there_is_ample_sound() -> None:
    slowdown = Slowdown()
    shares = [slowdown.arrived(n * PIECE_S / 0.8, PIECE_S, 1.1, 60.0) for n in range(50)]
    assert set(shares) == {1.0}


def test_what_stretching_cannot_cover_is_left_to_waiting() -> None:
    shares, stalled_s = play(0.5, 20.0)
    assert min(shares) == LEAST
    assert stalled_s > 0


def test_when_there_is_room_it_is_exactly_the_tempo_again() -> None:
    slowdown = Slowdown()
    for number in range(50):
        slowdown.arrived(number * PIECE_S / 0.8, PIECE_S, 0.2, 5.0)
    assert slowdown.share < 0.9
    at_s = 50 * PIECE_S / 0.8
    for number in range(100):
        slowdown.arrived(at_s + number * PIECE_S / 4, PIECE_S, 1.5, 3.0)
    assert slowdown.share == 1.0


@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.floats(0.001, 3), st.floats(0, 60), st.floats(0, 1000)),
        max_size=60,
    )
)
def test_it_stays_within_its_bounds_and_changes_gradually(
    arrivals: list[tuple[float, float, float, float]],
) -> None:
    slowdown, at_s, shares = Slowdown(), 0.0, [1.0]
    for gap_s, sound_s, waiting_s, rest_s in arrivals:
        at_s += gap_s
        shares.append(slowdown.arrived(at_s, sound_s, waiting_s, rest_s))
    assert all(LEAST <= share <= 1.0 for share in shares)
    steps = [abs(after - before) for before, after in itertools.pairwise(shares)]
    assert max(steps, default=0.0) <= 0.1 + 1e-9
