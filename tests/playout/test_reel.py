"""The tempo while it plays: how long it lasts, that nothing is lost, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.dsp.stretch import Stretcher
from voicestream.pcm import Frames16, PcmFormat
from voicestream.playout.reel import Reel
from voicestream.playout.ring import Ring

PCM = PcmFormat(24_000)
FRAMES = 24_000
HELD = 1800
"""What a stretcher may hold back, and stray."""


def voice() -> Frames16:
    times_s = np.arange(FRAMES) / PCM.rate_hz
    tone = sum(np.sin(2 * np.pi * 120 * n * times_s + n) / n for n in range(1, 6))
    return np.asarray(6000 * tone).astype(np.int16)[:, None]


VOICE = voice()


def reel() -> tuple[Reel, Ring]:
    ring = Ring(FRAMES, 1, FRAMES)
    ring.write(VOICE)
    return Reel(ring, lambda: Stretcher(PCM)), ring


def all_of(reel: Reel, ring: Ring, period: int = 480) -> int:
    """Take to the end; how many frames that were."""
    count = 0
    while len(taken := reel.take(period, ring.readable_frames)):
        assert len(taken) == period or not ring.readable_frames
        count += len(taken)
    return count


@pytest.mark.parametrize("tempo", [0.5, 0.9, 1.3, 3.0])
def test_it_lasts_as_long_as_the_tempo_says(tempo: float) -> None:
    it, ring = reel()
    it.turn(tempo)
    assert all_of(it, ring) == pytest.approx(FRAMES / tempo, abs=HELD)
    assert ring.read == FRAMES


@given(st.lists(st.tuples(st.sampled_from([0.5, 0.8, 1.0, 1.7]), st.integers(1, 900))))
def test_whatever_the_tempos_it_comes_back_to_every_sample(
    turns: list[tuple[float, int]],
) -> None:
    it, ring = reel()
    for tempo, frames in turns:
        it.turn(tempo)
        peeked = it.peek(50).copy()
        taken = it.take(frames, ring.readable_frames)
        assert (taken[:50] == peeked[: len(taken)]).all()
    it.turn(1.0)
    for _ in range(2):  # what was held back, and what came with it
        it.take(HELD, HELD)
    at = ring.read
    rest = it.take(FRAMES, FRAMES)
    assert (rest == VOICE[at:]).all()


def test_it_takes_no_more_of_the_ring_than_it_may() -> None:
    it, ring = reel()
    it.turn(2.0)
    assert len(it.take(10_000, 2400)) == pytest.approx(1200, abs=HELD / 2)
    assert ring.read == 2400
    assert not len(it.take(10, 0))


def test_another_place_brings_nothing_along() -> None:
    it, ring = reel()
    it.turn(1.5)
    it.take(480, FRAMES)
    it.seek(12_000)
    assert ring.read == 12_000
    # the first of a stretched sound is the first of its source
    assert (it.take(100, FRAMES) == VOICE[12_000:12_100]).all()
    assert it.rewind(480) == 720
