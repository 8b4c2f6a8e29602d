"""What a sound card's requests tell of the holes that it left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.metrics import Metrics
from voicestream.output.holes import HoleMeter
from voicestream.output.lasting import LastingSink
from voicestream.pcm import PcmFormat
from voicestream.session.result import make_result
from voicestream.ui.summary import summary_line

RATE_HZ = 24_000
PERIOD = 384


class Card:
    """A simulated card: asks for a period whenever its buffer has room, when the machine lets it.

    Args:
        periods: its buffer.
    """

    def __init__(self, periods: int) -> None:
        self.buffer_s = periods * PERIOD / RATE_HZ
        self.now_s = 100.0
        self.full_until_s = 100.0
        self.holes_s: list[float] = []

    def requests(self, delays_s: list[float]) -> list[float]:
        """When it asks, if the machine is late by ``delays_s`` before each request."""
        asked = []
        period_s = PERIOD / RATE_HZ
        for delay_s in delays_s:
            room_at_s = self.full_until_s + period_s - self.buffer_s
            self.now_s = max(self.now_s, room_at_s) + delay_s
            if asked and self.now_s > self.full_until_s + 1e-9:
                self.holes_s.append(self.now_s - self.full_until_s)
            self.full_until_s = max(self.full_until_s, self.now_s) + period_s
            asked.append(self.now_s)
        return asked


def met(requests: list[float]) -> list[float]:
    meter = HoleMeter(RATE_HZ)
    return [hole_s for now_s in requests if (hole_s := meter.asked(now_s, PERIOD))]


@given(st.integers(3, 30), st.integers(0, 2**32))
def test_requests_that_the_cards_buffer_outlasts_are_no_holes(periods: int, seed: int) -> None:
    """A machine that is late now and then, by less than what waits in the card."""
    card = Card(periods)
    most_s = card.buffer_s - 1.5 * PERIOD / RATE_HZ
    every = 3 * periods
    late = [(n + seed) % every == every - 1 for n in range(20 * every)]
    delays_s = [0.0] * 2 * periods + [most_s if it else 0.0 for it in late]
    assert met(card.requests(delays_s)) == []
    assert card.holes_s == []


@given(st.integers(2, 30), st.floats(0.01, 3.0), st.integers(40, 200))
def test_a_hole_is_told_with_its_length(periods: int, hole_s: float, after: int) -> None:
    card = Card(periods)
    requests = card.requests([0.0] * after + [card.buffer_s + hole_s] + [0.0] * 60)
    assert sum(met(requests)) == pytest.approx(sum(card.holes_s), abs=0.002)
    assert len(met(requests)) == 1


def test_a_card_whose_clock_is_off_leaves_no_holes() -> None:
    assert met([100.0 + n * PERIOD / RATE_HZ * 1.002 for n in range(5000)]) == []


class Late:
    """A sink whose callback is at hand."""

    latency_s = lead_in_s = 0.0
    active = True

    def open(self, wanted: PcmFormat) -> PcmFormat:
        return wanted

    def start(self, fill: object) -> None:
        self.fill = fill

    def stop(self, drain: bool) -> None:
        """Nothing runs."""


@pytest.mark.parametrize(("heard", "told"), [(1, 1), (0, 0)])
def test_holes_are_counted_once_speech_has_begun(
    heard: int, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They show in the result, its health and the summary."""
    times = iter([0.016 * n + (1.0 if n > 20 else 0.0) for n in range(60)])
    metrics, device = Metrics(0.0), Late()
    metrics.play.played_frames = heard
    sink = LastingSink(lambda: device, 1, metrics.notices, metrics.play)
    sink.open(PcmFormat(RATE_HZ))
    sink.start(lambda frames, _: bytes(2 * frames))
    bond = sink._bond
    assert bond is not None
    monkeypatch.setattr("voicestream.output.lasting._clock", lambda: next(times))
    for _ in range(60):
        bond.ask(PERIOD, 0.0)
    monkeypatch.undo()
    sink.stop(drain=False)
    metrics.timeline.mark("first_sound", 0.1)
    result = make_result(metrics, []).to_dict()
    assert result["device_underflows"] == told
    assert result["device_hole_ms"] == pytest.approx(1000.0 * told, abs=20)
    assert ("hole of the sound card (1000 ms)" in summary_line(metrics.snapshot())) == bool(told)
    assert ("holes of 1000 ms" in result["buffer_health"]) == bool(told)
