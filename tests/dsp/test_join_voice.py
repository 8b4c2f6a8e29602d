"""The embedded voice, sentence by sentence, becomes one stream."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tests.support.segments import PCM, joined, largest_step
from voicestream.dsp.join import JoinSettings
from voicestream.pcm import Samples

SENTENCES = [
    "The sky is blue.",
    "Air scatters short waves more than long ones, and blue is short!",
    "She sells sea shells.",
    "Half of it, perhaps, is enough for us.",
]
PAUSES_S = [0.15, 0.4, 0.7]
WINDOW_FRAMES = 120


@pytest.fixture(scope="module")
def spoken() -> list[Samples]:
    hibari: Any = pytest.importorskip("hibari")
    voice = hibari.Hibari()
    return [np.asarray(voice(text, seed=0), np.float32).reshape(-1, 1) for text in SENTENCES]


def audible(samples: Samples) -> tuple[int, int]:
    """Where the first 5 ms with a power of -55 dB or more begin, and where the last end."""
    windows = samples[: len(samples) // WINDOW_FRAMES * WINDOW_FRAMES].reshape(-1, WINDOW_FRAMES)
    loud = np.flatnonzero((windows**2).mean(axis=1) >= 10**-5.5) * WINDOW_FRAMES
    return int(loud[0]), int(loud[-1]) + WINDOW_FRAMES


def test_each_sentence_is_whole_and_each_pause_as_asked(spoken: list[Samples]) -> None:
    result = joined(spoken, PAUSES_S, JoinSettings(normalize=False), cut=1024)
    ends = []
    for samples in spoken:
        first, last = audible(samples)
        body = samples[first:last].tobytes()
        start = result.tobytes().find(body) // 4
        assert start >= 0
        ends.append((start, start + last - first))
    pauses = [after[0] - before[1] for before, after in itertools.pairwise(ends)]
    asked = [PCM.s_to_frames(pause_s) for pause_s in PAUSES_S]
    assert pauses == pytest.approx(asked, abs=2 * WINDOW_FRAMES)


@pytest.mark.parametrize("pause_s", [0.0, 0.05, 0.3])
def test_no_click_at_a_join(spoken: list[Samples], pause_s: float) -> None:
    result = joined(spoken, [pause_s] * 3, JoinSettings(normalize=False))
    for before, after in itertools.pairwise(spoken):
        # From 50 ms of the one, over the join, to 50 ms of the other.
        first, last = audible(after)[0], audible(before)[1]
        end = result.tobytes().find(before[last - 1200 : last].tobytes()) // 4
        join = result[end : end + 2400 + PCM.s_to_frames(pause_s)]
        speech = max(largest_step(before[last - 1200 :]), largest_step(after[: first + 1200]))
        assert end > 0
        assert largest_step(join) <= speech + 1e-6


def test_one_sentence_is_untouched_after_its_first_sound(spoken: list[Samples]) -> None:
    first, _ = audible(spoken[1])
    result = joined([spoken[1]], [])
    assert np.array_equal(result[-len(spoken[1]) + first :], spoken[1][first:])
    assert len(result) < len(spoken[1]) - PCM.s_to_frames(0.1)
