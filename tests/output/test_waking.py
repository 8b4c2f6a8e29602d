"""A card that swallows the first sound after it slept: nothing of the speech is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.session.fakes import LONG_S, FakeEndpoint, FakeSegments
from tests.support.matching import match
from tests.support.sound import ramp
from voicestream.errors import DeviceError
from voicestream.output.base import Fill
from voicestream.output.null import NullSink
from voicestream.output.waking import WakingSink
from voicestream.pcm import PcmFormat
from voicestream.session.conductor import Session
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest

SPEED = 10
SOUND = ramp(12_000)


class SleepyCard:
    """Swallows the first sound of each stream; keeps the rest of all of them."""

    def __init__(self, swallows_ms: float) -> None:
        self.swallows_ms = swallows_ms
        self.heard: list[bytes] = []
        self.streams = 0

    def sink(self) -> SleepySink:
        return SleepySink(self)


class SleepySink(NullSink):
    def __init__(self, card: SleepyCard) -> None:
        super().__init__(SPEED)
        self._card = card
        self._left = 0
        self.slept = threading.Event()
        """It is awake."""

    @property
    def latency_s(self) -> float:
        return 0.0  # what it is given is heard at once

    def start(self, fill: Fill) -> None:
        self._card.streams += 1
        self._left = self._pcm.ms_to_frames(self._card.swallows_ms)

        def kept(frames: int, at_s: float) -> bytes:
            sound = fill(frames, at_s)
            swallowed = min(self._left, frames)
            self._left -= swallowed
            self._card.heard.append(sound[swallowed * self._pcm.frame_bytes :])
            if not self._left:
                self.slept.set()
            return sound

        super().start(kept)


def heard(card: SleepyCard, sink: WakingSink, awake: threading.Event | None = None) -> Any:
    """Speak; the server answers at once, or when the card is awake."""

    def answer(_: SpeechRequest) -> Iterator[bytes]:
        if awake is not None:
            assert awake.wait(LONG_S)
        yield SOUND.tobytes()

    settings = Settings(base_url="http://fake", trim=False, normalize=False)
    session = Session(settings, FakeEndpoint(answer), FakeSegments(["0"]), sink)
    sink.prepare()
    session.start()
    assert session.wait(LONG_S)
    assert session.result().completed
    return match(SOUND, np.frombuffer(b"".join(card.heard), "<i2"))


@pytest.mark.parametrize("swallows_ms", [50, 500, 1000])
@pytest.mark.parametrize("waits", [False, True])
def test_no_sample_is_lost_to_a_card_that_slept(swallows_ms: float, waits: bool) -> None:
    card = SleepyCard(swallows_ms)
    made: list[SleepySink] = []

    def make() -> SleepySink:
        made.append(card.sink())
        return made[-1]

    sink = WakingSink(make, lambda _: swallows_ms / 1000)
    found = heard(card, sink, made[0].slept if waits else None)
    assert found.missing == 0
    assert card.streams == 1


def test_a_card_that_is_not_woken_loses_the_first_sound() -> None:
    card = SleepyCard(500)
    found = heard(card, WakingSink(card.sink, lambda _: 0.0))
    assert found.lost_head >= 24_000 // 2 - 480


def test_what_was_played_while_the_server_thought_is_not_waited_for_again() -> None:
    card = SleepyCard(100)
    made = [card.sink()]
    sink = WakingSink(lambda: made[0], lambda _: 0.1)
    sink.prepare()
    assert made[0].slept.wait(LONG_S)
    deadline_s = time.monotonic() + LONG_S
    while sink.lead_in_s and time.monotonic() < deadline_s:
        time.sleep(0.001)
    assert sink.lead_in_s == 0.0
    sink.stop(drain=False)


def test_sound_of_another_format_opens_the_card_anew() -> None:
    card = SleepyCard(100)
    sink = WakingSink(card.sink, lambda _: 0.1)
    sink.prepare()
    assert sink.open(PcmFormat(48_000)) == PcmFormat(48_000).with_encoding("s16")
    assert sink.lead_in_s == pytest.approx(0.1)
    asked = threading.Event()

    def fill(frames: int, _: float) -> bytes:
        asked.set()
        return PcmFormat(48_000).silence(frames)

    sink.start(fill)
    assert asked.wait(LONG_S)
    assert card.streams == 2
    sink.stop(drain=False)
    assert not sink.active


def test_a_sink_that_was_stopped_is_not_woken() -> None:
    card = SleepyCard(100)
    sink = WakingSink(card.sink, lambda _: 0.1)
    sink.stop(drain=False)
    sink.prepare()
    assert not card.streams


class Reopened(NullSink):
    """A card that opens early, and keeps what it was opened for."""

    opens_again = True

    def __init__(self, opened: list[int], refuses: bool = False) -> None:
        super().__init__(SPEED)
        self._opened = opened
        self._refuses = refuses

    def open(self, wanted: PcmFormat) -> PcmFormat:
        self._opened.append(wanted.rate_hz)
        return super().open(wanted)

    def start(self, fill: Fill) -> None:
        if self._refuses:
            raise DeviceError("it has gone")
        super().start(fill)


@pytest.mark.parametrize(("rate_hz", "opened"), [(24_000, [24_000]), (16_000, [24_000, 16_000])])
def test_a_card_that_is_awake_is_opened_before_the_sound_is_there(
    rate_hz: int, opened: list[int]
) -> None:
    found: list[int] = []
    sink = WakingSink(lambda: Reopened(found), lambda _: 0.0)
    sink.prepare()
    assert (found, sink.active) == ([24_000], False)
    assert sink.open(PcmFormat(rate_hz)).rate_hz == rate_hz
    assert found == opened
    sink.stop(drain=False)


def test_a_card_that_went_away_since_it_was_opened_is_opened_anew() -> None:
    found: list[int] = []
    made = iter([Reopened(found, refuses=True), Reopened(found)])
    sink = WakingSink(lambda: next(made), lambda _: 0.0)
    sink.prepare()
    pcm = sink.open(PcmFormat(24_000))
    sink.start(lambda frames, _: pcm.silence(frames))
    assert (found, sink.active) == ([24_000, 24_000], True)
    sink.stop(drain=False)
