"""When a device is taken for dead, and when not."""

from __future__ import annotations

import threading
import time

import pytest

from voicestream.notices import Notices
from voicestream.output import lasting
from voicestream.output.base import Fill
from voicestream.output.lasting import LastingSink
from voicestream.pcm import PcmFormat


class FakeSink:
    """Asks for sound only when somebody looks whether it is alive, but not at the ``silent`` look.

    Args:
        silent: number of that look, from 1; 0: it never asks.
    """

    latency_s = lead_in_s = 0.0

    def __init__(self, silent: int) -> None:
        self.looks = threading.Semaphore(0)
        self._silent = silent
        self._looked = 0
        self._fill: Fill = lambda _frames, _at_s: b""

    @property
    def active(self) -> bool:
        self._looked += 1
        if self._silent and self._looked != self._silent:
            self._fill(1, 0.0)
        self.looks.release()
        return True

    def open(self, wanted: PcmFormat) -> PcmFormat:
        return wanted

    def start(self, fill: Fill) -> None:
        self._fill = fill

    def stop(self, drain: bool) -> None:  # noqa: ARG002  as sinks have it
        return


class Clock:
    """The real one, until it jumps."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(lasting, "time", clock)
    return clock


def started(made: list[FakeSink], told: list[str], silent: int) -> LastingSink:
    def make() -> FakeSink:
        made.append(FakeSink(silent))
        return made[-1]

    notices = Notices()
    notices.listen(told.append)
    sink = LastingSink(make, wait_s=5, notices=notices)
    sink.open(PcmFormat(24_000))
    sink.start(lambda frames, _: bytes(2 * frames))
    return sink


def test_a_process_that_was_stopped_does_not_blame_its_device(clock: Clock) -> None:
    made: list[FakeSink] = []
    told: list[str] = []
    sink = started(made, told, silent=2)
    assert made[0].looks.acquire(timeout=20)
    clock.ahead_s = 60.0
    for _ in range(2):
        assert made[0].looks.acquire(timeout=20)
    sink.stop(drain=False)
    assert (len(made), told) == (1, [])


def test_a_device_that_asks_for_nothing_is_replaced() -> None:
    made: list[FakeSink] = []
    told: list[str] = []
    sink = started(made, told, silent=0)
    until_s = time.monotonic() + 20
    while len(told) < 2 and time.monotonic() < until_s:
        time.sleep(0.01)
    sink.stop(drain=False)
    assert len(made) >= 2
    assert told[:2] == ["the audio device stopped; looking for another", "playing on"]
