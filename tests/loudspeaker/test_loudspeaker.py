"""The laboratory itself: what is played is heard, every sample, and when."""

from __future__ import annotations

import subprocess
import time

import numpy as np
import pytest

from tests.support.loudspeaker import Loudspeaker
from tests.support.matching import match
from tests.support.recording import Recording
from tests.support.sound import QUIETEST, ramp

PACAT = ["pacat", "--raw", "--format=s16le", "--rate=24000", "--channels=1", "--latency-msec=200"]
APLAY = ["aplay", "-q", "-t", "raw", "-f", "S16_LE", "-r", "24000", "-c", "1"]


def play(loudspeaker: Loudspeaker, data: bytes, command: list[str] = PACAT) -> float:
    """Play to the end; returns when the player was started."""
    started_s = time.monotonic()
    subprocess.run(command, env=loudspeaker.env, input=data, timeout=20, check=True)
    return started_s


def test_every_sample_is_heard_at_its_time(loudspeaker: Loudspeaker, recording: Recording) -> None:
    sound = ramp(24_000)
    started_s = play(loudspeaker, sound.tobytes())
    recording.wait_silence()
    heard = recording.match(sound)
    first_s, last_s = recording.first_sound_s(), recording.last_sound_s()
    assert heard.whole
    assert recording.silences() == []
    assert first_s is not None
    assert last_s is not None
    assert last_s - first_s == pytest.approx(23_999 / 24_000, abs=0.02)
    assert started_s < first_s < started_s + 5.0


def test_alsa_leads_to_the_loudspeaker(loudspeaker: Loudspeaker, recording: Recording) -> None:
    sound = ramp(12_000)
    play(loudspeaker, sound.tobytes(), APLAY)
    recording.wait_silence()
    assert recording.missing(sound) == 0


def test_two_recordings_agree_when(loudspeaker: Loudspeaker, recording: Recording) -> None:
    with loudspeaker.record() as other:
        play(loudspeaker, ramp(6000).tobytes())
        other.wait_silence()
        times_s = [other.first_sound_s(), recording.first_sound_s()]
    assert times_s[0] == pytest.approx(times_s[1], abs=0.03)


def test_a_recording_waits_for_sound(loudspeaker: Loudspeaker, recording: Recording) -> None:
    with pytest.raises(TimeoutError):
        recording.wait_sound(timeout_s=0.05)
    play(loudspeaker, ramp(2400).tobytes())
    recording.wait_sound()


def test_a_dead_loudspeaker_ends_the_recording_and_comes_back(loudspeaker: Loudspeaker) -> None:
    with loudspeaker.record() as before:
        loudspeaker.kill()
        with pytest.raises(TimeoutError):
            before.wait_sound(timeout_s=10)
    loudspeaker.restart()
    with loudspeaker.record() as after:
        play(loudspeaker, ramp(2400).tobytes())
        after.wait_silence()
        assert after.missing(ramp(2400)) == 0


def test_a_ramp_numbers_its_samples() -> None:
    sound = ramp(400_000)
    pairs = sound[:-1].astype(np.int64) * 65536 + sound[1:]
    assert len(np.unique(pairs)) == len(pairs)
    assert np.abs(sound.astype(int)).min() >= QUIETEST
    assert np.array_equal(ramp(1001, start=777), sound[777 : 777 + 1001])


def test_matching_counts_what_is_missing() -> None:
    sound = ramp(100_000)
    silence = np.zeros(500, np.int16)
    head, tail = sound[:40_000], sound[40_000:]
    assert match(sound, np.concatenate([silence, sound, silence])).whole
    gap = match(sound, np.concatenate([head, silence, tail]))
    assert (gap.missing, gap.inserted) == (0, 500)
    hole = match(sound, np.concatenate([silence, head[:-700], tail]))
    assert (hole.first_frame, hole.missing, hole.inserted) == (500, 700, 0)
    ends = match(sound, sound[100:-40])
    assert (ends.missing, ends.lost_head, ends.lost_tail) == (140, 100, 40)
    twice = match(sound, np.concatenate([head, head[-256:], tail]))
    assert (twice.missing, twice.inserted) == (0, 256)
    swapped = match(sound, np.concatenate([tail, head]))
    assert swapped.missing == 40_000
    assert match(sound, silence).first_frame is None
    assert match(sound, sound[:0]).missing == 100_000


@pytest.mark.parametrize("lost", [0, 1])
def test_an_end_of_a_few_samples_behind_a_hole_is_matched(lost: int) -> None:
    reference = ramp(1000)
    hole = np.zeros(200, np.int16)
    heard = np.concatenate((hole, reference[:997], hole, reference[997 + lost :], hole))
    found = match(reference, heard)
    assert found.missing == (3 if lost else 0)
