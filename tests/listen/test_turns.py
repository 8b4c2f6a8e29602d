"""A person's turns: what is in them, and when they end."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.support.people import RATE_HZ, Sound, cough, pico
from voicestream.errors import DeviceError
from voicestream.listen.convert import FRAME
from voicestream.listen.ears import Ears
from voicestream.listen.turns import Turns
from voicestream.pcm import Frames16

WANTED = {
    "stream": False,
    "backend": "miniaudio",
    "device": "",
    "sure": 0.5,
    "long_ms": 160.0,
    "turn_end_ms": 500.0,
    "by_hand": False,
}


def frame(number: int) -> Frames16:
    return np.full(FRAME, number, np.int16)


def numbers_of(sound: Frames16) -> list[int]:
    return sound[::FRAME].tolist()


def test_a_turn_has_what_came_just_before_and_ends_with_a_silence() -> None:
    turns = Turns(120)  # 70 ms of which the detector is late
    assert not any(turns.hear(frame(number), False, False) for number in range(100))
    turns.begin()
    spoken = [(True, True)] * 10 + [(True, False)] * 4 + [(True, True)] + [(False, False)] * 5
    over = [turns.hear(frame(100 + at), *heard) for at, heard in enumerate(spoken)]
    assert over == [False] * 19 + [True]
    assert numbers_of(turns.end()) == list(range(20, 120))
    assert not turns.begun
    turns.hear(frame(120), False, False)
    turns.begin()
    assert numbers_of(turns.end()) == []  # nobody spoke, and nothing is in two turns


def test_who_never_stops_is_answered_after_two_minutes() -> None:
    turns = Turns(500)
    turns.begin()
    assert [turns.hear(frame(1), True, True) for _ in range(12_000)].index(True) == 11_999


def room(*parts: Sound) -> bytes:
    """A microphone's sound in a quiet room."""
    sound = np.concatenate(parts)
    sound = 3000 * sound + np.random.default_rng(0).normal(size=len(sound)) * 5
    return sound.astype("<i2").tobytes()


def silence(seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE_HZ))


def frames_of(sound: bytes) -> Iterator[bytes]:
    for start in range(0, len(sound) - 2 * FRAME + 1, 2 * FRAME):
        yield sound[start : start + 2 * FRAME]


class Heard:
    """What a process that listens tells of one microphone."""

    def __init__(self, **wanted: object) -> None:
        self._out = io.BytesIO()
        self.ears = Ears(WANTED | wanted, self._out)

    def hear(self, frames: Iterator[bytes]) -> list[Any]:
        """The lines: the name of what is told, and how many seconds a turn has."""
        self._out.seek(0)
        self._out.truncate()
        try:
            self.ears.hear(frames)
        except DeviceError as error:
            self.ears._lose(str(error))
        lines = [json.loads(line) for line in self._out.getvalue().splitlines()]
        for line in lines:
            if "turn" in line:
                self.turn = np.frombuffer(base64.b64decode(line["turn"]), np.int16)
        return [next(iter(line)) for line in lines]


WORDS = pico("Wait a moment, please.")


def test_two_sentences_are_two_turns_each_with_its_first_syllable() -> None:
    random = np.random.default_rng(1)
    sound = room(silence(1), cough(random), silence(1), WORDS, silence(1))
    heard = Heard()
    assert heard.hear(frames_of(sound)) == ["open", "speech", "turn"]
    assert len(WORDS) / RATE_HZ + 0.5 < len(heard.turn) / RATE_HZ < len(WORDS) / RATE_HZ + 1.4
    assert heard.hear(frames_of(room(WORDS, silence(1)))) == ["open", "speech", "turn"]
    assert len(WORDS) / RATE_HZ < len(heard.turn) / RATE_HZ < len(WORDS) / RATE_HZ + 1.4


def test_a_turn_by_hand_is_what_was_said_between() -> None:
    heard = Heard(by_hand=True)

    def pressing(sound: bytes, at_s: float, until_s: float) -> Iterator[bytes]:
        for number, piece in enumerate(frames_of(sound)):
            if number in (int(100 * at_s), int(100 * until_s)):
                heard.ears._open = number == int(100 * at_s)
            yield piece

    spoken = room(silence(1), WORDS, silence(1))
    assert heard.hear(frames_of(spoken)) == ["open"]
    assert heard.hear(pressing(spoken, 1.0, 3.0)) == ["open", "speech", "turn"]
    assert 2.0 < len(heard.turn) / RATE_HZ < 3.0
    assert heard.hear(pressing(room(silence(2)), 0.5, 1.5)) == ["open", "speech", "turn"]
    assert len(heard.turn) == 0  # nobody spoke: there is nothing to send


def test_a_microphone_that_goes_away_in_a_turn_takes_nothing_with_it() -> None:
    heard = Heard()

    def unplugged() -> Iterator[bytes]:
        yield from frames_of(room(silence(1), WORDS))
        raise DeviceError("the microphone went away")

    assert heard.hear(unplugged()) == ["open", "speech", "open", "turn", "notice"]
    assert len(heard.turn) > len(WORDS)
    assert heard.hear(unplugged())[-1] == "notice"  # it had come back


def test_where_turns_are_not_wanted_it_is_told_once_that_somebody_speaks() -> None:
    heard = Heard(turn_end_ms=0.0)
    assert heard.hear(frames_of(room(silence(1), WORDS, silence(1)))) == ["speech"]
