"""What is left of the microphone once the echo is known: in simulated time, with a real room."""

from __future__ import annotations

import numpy as np

from tests.support.people import RATE_HZ, Sound, echo
from voicestream.listen.convert import FRAME_BYTES
from voicestream.listen.decision import CHUNK_FRAMES
from voicestream.listen.room import Parted, Room

PERSON_S = 4.0


def voice(seconds: float, seed: int) -> Sound:
    """Noise that comes and goes, as syllables do; root mean square about 2000."""
    frames = int(seconds * RATE_HZ)
    syllables = np.maximum(np.sin(2 * np.pi * (3 + seed) * np.arange(frames) / RATE_HZ), 0.05)
    return np.asarray(3000 * syllables * np.random.default_rng(seed).normal(size=frames))


OURS = voice(8, 0)
ECHO = echo(OURS, np.random.default_rng(1), delay_ms=80, level_db=-6)
PERSON = np.concatenate((np.zeros(int(PERSON_S * RATE_HZ)), voice(4, 1)))


def hear(room: Room, sent: Sound, heard: Sound) -> list[Parted]:
    """Return what each chunk becomes; the loudspeaker is given as much as it is asked for."""
    frames = sent.astype("<i2").tobytes()
    pieces = [frames[at : at + FRAME_BYTES] for at in range(0, len(frames), FRAME_BYTES)]
    chunks, told = [], 0
    for start in range(0, len(heard) - CHUNK_FRAMES + 1, CHUNK_FRAMES):
        while not room.ready and told < len(pieces):
            room.send(pieces[told : told + 1])
            told += 1
        chunks.append(room.hear(heard[start : start + CHUNK_FRAMES].astype(np.int16)))
    return chunks


def others(chunks: list[Parted], from_s: float = 0.0, to_s: float = 99.0) -> float:
    """Which part of the chunks is surely another's."""
    size_s = CHUNK_FRAMES / RATE_HZ
    return float(
        np.mean([each.another for each in chunks[int(from_s / size_s) : int(to_s / size_s)]])
    )


def power(samples: Sound) -> float:
    return float(np.mean(samples.astype(np.float64) ** 2))


def test_of_our_own_voice_little_is_left_and_none_of_it_is_another_s() -> None:
    chunks = hear(Room(), OURS, ECHO)
    assert others(chunks) == 0
    left = np.concatenate([chunk.left for chunk in chunks])
    assert power(left[-4 * RATE_HZ :]) < 0.1 * power(ECHO[-4 * RATE_HZ :])


def test_a_person_is_left_whole_though_we_speak() -> None:
    chunks = hear(Room(), OURS, ECHO + PERSON)
    assert others(chunks, to_s=PERSON_S) == 0
    assert others(chunks, PERSON_S) > 0.4  # of the rest the most are between two syllables
    left = np.concatenate([chunk.left for chunk in chunks])
    start = int(PERSON_S * RATE_HZ)
    assert power(left[start:] - PERSON[start : len(left)]) < 0.1 * power(PERSON[start:])


def test_who_is_far_louder_than_any_echo_so_far_is_another_before_it_is_known() -> None:
    person = PERSON[int((PERSON_S - 1.2) * RATE_HZ) :]  # too soon to have learnt
    faint = ECHO[: len(person)] / 10
    assert others(hear(Room(), OURS, faint)) == 0
    chunks = hear(Room(), OURS, faint + person)
    assert others(chunks, to_s=1.2) == 0
    assert others(chunks, 1.2, 1.7) > 0.4


def test_where_the_loudspeaker_stops_it_begins_anew() -> None:
    room = Room()
    hear(room, OURS, ECHO)
    assert others(hear(room, OURS[:0], PERSON[-RATE_HZ:])) == 0  # it may be an echo that is late


def test_another_way_makes_no_person_of_our_own_voice() -> None:
    half, later = len(ECHO) // 2, RATE_HZ // 50
    moved = np.concatenate((ECHO[:half], ECHO[half - later : -later]))
    room, twice = Room(), np.concatenate((OURS, OURS))
    chunks = hear(room, twice, np.concatenate((moved, ECHO + PERSON)))
    assert others(chunks, to_s=8.0) < 0.03
    assert others(chunks, 8 + PERSON_S) > 0.4  # it is learnt anew


def test_an_echo_that_has_gone_out_of_reach_is_no_longer_known() -> None:
    room, later = Room(), RATE_HZ // 2
    hear(room, OURS, ECHO)
    far = np.concatenate((ECHO[-later:], ECHO[:-later]))
    assert others(hear(room, OURS, far), from_s=1.0) == 0


def test_silence_is_not_waited_for() -> None:
    room = Room()
    room.send([bytes(FRAME_BYTES)] * 1000)
    room.hear(np.zeros(CHUNK_FRAMES, np.int16))
    assert not room.ready
    assert others(hear(room, OURS, ECHO + PERSON), PERSON_S) > 0.4


def test_it_is_silent_until_something_is_sent_and_once_that_has_died_away() -> None:
    room, quiet = Room(), np.zeros(CHUNK_FRAMES, np.int16)
    for _ in range(3):
        room.hear(quiet)
        assert room.silent
    hear(room, OURS, ECHO)
    assert not room.silent
    for _ in range(20):  # what was sent last may be heard for so long
        room.hear(quiet)
    assert room.silent
    assert others(hear(room, OURS, ECHO + PERSON), PERSON_S) > 0.4  # as at first
