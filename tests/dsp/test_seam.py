"""Where a second rendering goes on: to the sample, where the same sound is, or at a pause."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench import resume
from tests.support.encode import speech
from voicestream.dsp.align import Outline
from voicestream.dsp.seam import PAST_S, Seam
from voicestream.pcm import PcmFormat, Samples, no_samples

RATE_HZ = 24_000
PCM = PcmFormat(RATE_HZ)
SPEECH = speech(3.0)


def seam_at(first: Samples, position: int) -> Seam:
    past = first[:position][-PCM.s_to_frames(PAST_S) :]
    outline = Outline(PCM)
    outline.feed(first[:position])
    return Seam(PCM, position, past, outline.rows)


def fed(seam: Seam, second: Samples, sizes: list[int]) -> Samples:
    """What is handed on of the second rendering, fed in pieces."""
    parts, start, turn = [no_samples()], 0, 0
    while start < len(second):
        size = sizes[turn % len(sizes)]
        parts.append(seam.feed(second[start : start + size]))
        start, turn = start + size, turn + 1
    return np.concatenate([*parts, seam.flush()])


@settings(max_examples=60)
@given(
    position=st.integers(1, len(SPEECH)),
    sizes=st.lists(st.integers(1, 9000).map(lambda n: 30 * n), min_size=1, max_size=5),
)
def test_the_same_samples_again_are_joined_to_the_sample(position: int, sizes: list[int]) -> None:
    seam = seam_at(SPEECH, position)
    assert np.array_equal(fed(seam, SPEECH, sizes), SPEECH[position:])
    assert seam.exact
    assert seam.place == position


@pytest.mark.parametrize("shift_ms", [-250, -3, 7, 290])
@pytest.mark.parametrize("at_s", [0.7, 1.21, 2.3])
def test_the_same_sound_shifted_is_found(shift_ms: float, at_s: float) -> None:
    shift = PCM.ms_to_frames(shift_ms)
    noise = np.random.default_rng(1).standard_normal((len(SPEECH) + abs(shift), 1)) * 1e-4
    second = (
        SPEECH[-shift:]
        if shift < 0
        else np.concatenate((no_samples(), np.zeros((shift, 1)), SPEECH))
    )
    second = (second + noise[: len(second)]).astype(np.float32)
    position = PCM.s_to_frames(at_s)
    seam = seam_at(SPEECH, position)
    handed = fed(seam, second, [4800])
    assert not seam.exact
    assert abs(seam.place - (position + shift)) <= 2
    assert abs(len(handed) - (len(SPEECH) - position)) <= 2


# a slower rendering, an even sound, and breaks in or before the first word; tests.bench.resume
# has hundreds
@pytest.mark.parametrize("seed", [10, 44, 47, 116, 240, 390])
def test_in_another_rendering_no_word_is_lost_or_heard_twice(seed: int) -> None:
    _, unsure, (lost, twice), _ = resume.trial(seed)
    assert unsure or (lost, twice) == (0, 0)


def test_most_seams_are_sure() -> None:
    assert sum(not resume.trial(seed)[1] for seed in range(0, 36, 6)) >= 4


def test_a_rendering_that_is_shorter_than_what_was_heard_adds_nothing() -> None:
    seam = seam_at(SPEECH, len(SPEECH))
    handed = fed(seam, SPEECH[: RATE_HZ // 2], [1000])
    assert len(handed) <= PCM.ms_to_frames(5)  # the fall to silence
    assert not seam.sure
