"""An hour of arrivals takes no more memory than a minute of them, and says the same."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest

from voicestream.policy import arrivals
from voicestream.policy.arrivals import HORIZONS_S, Arrivals, quantile
from voicestream.trace import TraceRecorder

PIECE_S = 0.4


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a reply is long sooner."""
    monkeypatch.setattr(arrivals, "_LOOKED_AT", 128)
    monkeypatch.setattr(arrivals, "_MOST_KEPT", 512)


def arrive(seen: Arrivals, count: int, seed: int, drift: float = 1.0) -> None:
    """So many pieces more, at an uneven pace."""
    dice = random.Random(seed)
    for _ in range(count):
        seen.add(seen.last_s + drift * dice.uniform(0.25, 0.55), PIECE_S)


def test_memory_stays_flat() -> None:
    seen = Arrivals()
    arrive(seen, 600, 1)
    tracemalloc.start()
    try:
        arrive(seen, 2400, 2)
        grown_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen.count == 3000
    assert grown_bytes < 50_000  # the numbers kept are others, not more


@pytest.mark.parametrize("drift", [0.9, 1.01])
def test_what_is_forgotten_changes_little(drift: float, monkeypatch: pytest.MonkeyPatch) -> None:
    thinned, whole = Arrivals(), Arrivals()
    arrive(thinned, 2000, 3, drift)
    monkeypatch.setattr(arrivals, "_MOST_KEPT", 1 << 30)
    arrive(whole, 2000, 3, drift)
    for row in range(len(HORIZONS_S)):
        assert np.array_equal(thinned.needs(row), whole.needs(row))
    assert (thinned.rate, thinned.recent_rate) == (whole.rate, whole.recent_rate)
    assert thinned.first_needs() == whole.first_needs()
    assert thinned.enough_s == whole.enough_s
    assert (thinned.gaps[0], thinned.gaps[-1]) == (whole.gaps[0], whole.gaps[-1])
    for share in (0.1, 0.5, 0.9):
        assert quantile(thinned.gaps, share) == pytest.approx(quantile(whole.gaps, share), abs=0.02)


def test_who_lags_by_minutes_is_told_rather_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    thinned, whole = Arrivals(), Arrivals()
    arrive(thinned, 1000, 4, drift=2.0)
    monkeypatch.setattr(arrivals, "_MOST_KEPT", 1 << 30)
    arrive(whole, 1000, 4, drift=2.0)
    assert whole.enough_s <= thinned.enough_s <= whole.sound_s


def test_a_trace_takes_two_numbers_for_each_arrival() -> None:
    recorder = TraceRecorder("mine", 24_000, 0.0)
    tracemalloc.start()
    try:
        for number in range(5_000):
            recorder.arrived(PIECE_S * number, 960)
        taken_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken_bytes < 5_000 * 24
    assert recorder.trace().frames == 5_000 * 960
