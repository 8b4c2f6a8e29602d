"""When a device is taken for dead, and when not."""

from __future__ import annotations

import threading
import time

import pytest

from voicestream.errors import DeviceError
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


def test_a_device_that_asks_for_nothing_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "STUCK_S", 0.3)
    made: list[FakeSink] = []
    told: list[str] = []
    sink = started(made, told, silent=0)
    until_s = time.monotonic() + 20
    while len(told) < 2 and time.monotonic() < until_s:
        time.sleep(0.01)
    sink.stop(drain=False)
    assert len(made) >= 2
    assert told[:2] == ["the audio device stopped; looking for another", "playing on"]


class Hung(FakeSink):
    """A device whose callback is at hand, and that is dead or alive as told."""

    def __init__(self, dead: bool, opening: threading.Event | None = None) -> None:
        super().__init__(silent=0)
        self.dead = dead
        self.rate_hz = 24_000
        self.started = threading.Event()
        self.entered = threading.Event()
        self.stopped = threading.Event()
        self._opening = opening

    @property
    def active(self) -> bool:
        return not self.dead

    def open(self, wanted: PcmFormat) -> PcmFormat:
        self.entered.set()
        if self._opening:
            self._opening.wait(20)
        return PcmFormat(self.rate_hz, wanted.channels)

    def start(self, fill: Fill) -> None:
        super().start(fill)
        self.started.set()

    def stop(self, drain: bool) -> None:  # noqa: ARG002  as sinks have it
        self.stopped.set()

    def ask(self) -> bytes:
        return self._fill(1, 0.0)


def lasting_of(*devices: Hung, wait_s: float = 5) -> LastingSink:
    left = iter(devices)
    sink = LastingSink(lambda: next(left), wait_s)
    sink.open(PcmFormat(24_000))
    return sink


def test_a_device_that_wakes_after_its_replacement_gets_silence() -> None:
    old, new = Hung(dead=True), Hung(dead=False)
    sink = lasting_of(old, new)
    sink.start(lambda frames, _: b"\1\1" * frames)
    assert new.started.wait(20)
    assert (old.ask(), new.ask()) == (b"\0\0", b"\1\1")
    sink.stop(drain=False)


def test_a_stop_while_a_device_is_opened_leaves_none_running() -> None:
    opening = threading.Event()
    old, new = Hung(dead=True), Hung(dead=False, opening=opening)
    sink = lasting_of(old, new)
    sink.start(lambda frames, _: bytes(2 * frames))
    assert new.entered.wait(20)
    sink.stop(drain=False)
    opening.set()
    assert new.stopped.wait(20)
    assert not new.started.is_set()


def test_a_device_of_another_rate_is_not_played_on() -> None:
    old, other, right = Hung(dead=True), Hung(dead=False), Hung(dead=False)
    other.rate_hz = 48_000
    sink = lasting_of(old, other, right)
    sink.start(lambda frames, _: bytes(2 * frames))
    assert right.started.wait(20)
    assert other.stopped.is_set()
    assert not other.started.is_set()
    sink.stop(drain=False)


def test_devices_that_open_and_never_play_are_given_up() -> None:
    devices = [Hung(dead=True) for _ in range(9)]
    sink = lasting_of(*devices)
    sink.start(lambda frames, _: bytes(2 * frames))
    until_s = time.monotonic() + 20
    while sink.active and time.monotonic() < until_s:
        time.sleep(0.01)
    assert not sink.active
    assert sum(device.started.is_set() for device in devices) == 3


def test_a_sound_system_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "_ANSWER_S", 0.1)
    opening = threading.Event()
    device = Hung(dead=False, opening=opening)
    with pytest.raises(DeviceError, match="does not answer"):
        lasting_of(device)
    opening.set()
    assert device.stopped.wait(20)  # opened late, for nobody
