"""Our own voice, and another's over it: the real canceller and the real detector."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.support.people import RATE_HZ, cough, echo, heard_at, hum, pico, voice
from voicestream.listen.convert import FRAME_BYTES
from voicestream.listen.ears import Ear
from voicestream.listen.echo import Reference
from voicestream.pcm import PcmFormat

OURS = "The sky is blue because air scatters short waves of light more strongly than long ones."
LEVEL = 3000.0
MONO = PcmFormat(RATE_HZ)


def test_only_a_person_interrupts_and_not_our_own_voice_nor_a_cough_nor_a_hum() -> None:
    random = np.random.default_rng(0)
    half = int(2.4 * RATE_HZ)
    ours = LEVEL * voice(OURS)
    sent = np.concatenate((ours[:half], np.zeros(RATE_HZ), ours[half:]))
    microphone = echo(sent, random, delay_ms=80, level_db=-6)
    # without the reference it is our own voice that interrupts us
    assert heard_at(np.zeros(RATE_HZ), microphone[:RATE_HZ]) != []
    for start_s, sound in ((1.0, cough(random)), (2.7, hum(130))):
        start = int(start_s * RATE_HZ)
        microphone[start : start + len(sound)] += LEVEL * sound
    words = LEVEL * pico("Wait a moment, please.")
    start = len(sent) - len(words)
    microphone[start:] += words
    found_s = heard_at(sent, microphone)[0]
    assert 0 < found_s - start / RATE_HZ < 0.6


def test_an_echo_that_is_not_found_yet_is_no_person() -> None:
    ear, found = Ear(0.5, 160), []
    leaking: Any = SimpleNamespace(cancel=lambda heard, _: np.frombuffer(heard, np.int16) // 8)
    ear._canceller = leaking
    noise = np.random.default_rng(0).normal(size=(900, FRAME_BYTES // 2)) * LEVEL
    for number, frame in enumerate(noise.astype("<i2")):
        silent = 400 <= number < 500
        ear._probability = lambda _, silent=silent: 0.1 if silent else 0.9
        if ear.hear(frame.tobytes(), [frame.tobytes()], gaps=int(number >= 450)):
            found.append(number)
    start, after_gap = found
    assert 250 < start < 250 + 20
    assert 450 + 250 < after_gap < 450 + 250 + 20


def test_what_was_sent_is_waited_for_unless_the_loudspeaker_has_stopped() -> None:
    ear = Ear(0.5, 160)
    judged: list[int] = []
    heard_frames = 0

    def judge(_: bytes) -> float:
        judged.append(heard_frames)
        return 0.0

    same: Any = SimpleNamespace(cancel=lambda heard, _: np.frombuffer(heard, np.int16))
    ear._canceller, ear._probability = same, judge
    sent = {1: 1, 2: 1, 3: 1, 6: 3, 7: 1, 8: 1}  # then it stops
    for heard_frames in range(1, 121):
        silence = [frames(1, 0)] if heard_frames > 20 else []
        ear.hear(frames(1), [frames(1)] * sent.get(heard_frames, 0) or silence)
    # 512 samples are 3.2 frames: the second is due with the 7th, but its last with the next
    assert judged[:3] == [6, 7, 16]  # 60 ms after what would have been due
    assert judged[-2:] == [116, 119]  # 36 and 37 chunks: once it has died away nothing is late


def frames(count: int, value: int = 1) -> bytes:
    return np.full(count * FRAME_BYTES // 2, value, "<i2").tobytes()


def test_the_canceller_counts_what_was_played_and_not_when_it_was_told() -> None:
    reference = Reference()
    assert reference.take() == [frames(1, 0)]  # nothing has been played yet
    reference.feed(10.0, frames(4), MONO)
    assert reference.take() == [frames(1)] * 4
    assert reference.take() == []  # late, so nothing stands for it
    reference.feed(10.04, frames(3) + frames(1)[:100], MONO)
    assert len(reference.take()) == 3
    taken = [reference.take() for _ in range(25)]
    assert taken[0] == []
    assert taken[-1] == [frames(1, 0)]  # the card has stopped


def test_a_hole_of_the_card_is_silence_and_wavering_times_are_none() -> None:
    reference = Reference()
    for at_s in (1.0, 1.015, 1.018, 1.035):
        reference.feed(at_s, frames(1), MONO)
    assert reference.take() == [frames(1)] * 4
    assert reference.gaps == 0
    reference.feed(1.1, frames(1), MONO)
    assert reference.gaps == 1
    assert reference.take() == [*[frames(1, 0)] * 6, frames(1)]


def test_what_was_heard_before_the_microphone_began_is_left_out() -> None:
    reference = Reference()
    for number in range(100):
        reference.feed(number / 100, frames(1, number), MONO)
    reference.listen(0.97)
    assert reference.take() == [frames(1, number) for number in (97, 98, 99)]
    reference.listen(1.02)
    for number in range(100, 105):  # which were still on their way here
        reference.feed(number / 100, frames(1, number), MONO)
    assert reference.take() == [frames(1, number) for number in (102, 103, 104)]
    reference.listen(math.inf)  # there is none
    reference.feed(1.05, frames(1), MONO)
    assert reference.take() == []


@pytest.mark.parametrize(("rate_hz", "channels"), [(24_000, 1), (22_050, 1), (48_000, 2)])
def test_any_format_becomes_what_the_canceller_takes(rate_hz: int, channels: int) -> None:
    reference, pcm = Reference(), PcmFormat(rate_hz, channels)
    for number in range(100):
        size = rate_hz * (number + 1) // 100 - rate_hz * number // 100
        reference.feed(number / 100, np.full(size * channels, 1000, "<i2").tobytes(), pcm)
    taken = b"".join(reference.take())
    assert len(taken) >= 97 * FRAME_BYTES
    assert np.abs(np.frombuffer(taken[2 * FRAME_BYTES :], "<i2") - 1000).max() < 20
