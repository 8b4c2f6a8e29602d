"""Where a second rendering goes on: to the sample, where the same sound is, or at a pause."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.encode import speech
from voicestream.dsp.seam import PAST_S, Seam
from voicestream.pcm import PcmFormat, Samples, no_samples

RATE_HZ = 24_000
PCM = PcmFormat(RATE_HZ)
SPEECH = speech(3.0)


def seam_at(first: Samples, position: int) -> Seam:
    past = first[:position][-PCM.s_to_frames(PAST_S) :]
    return Seam(PCM, position, past)


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


def words(
    lengths_s: list[float], pause_s: float, higher_hz: float = 0.0
) -> tuple[Samples, list[tuple[int, int]]]:
    """A tone of its own for each word, and where each stands."""
    parts: list[Samples] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for number, length_s in enumerate(lengths_s):
        times_s = np.arange(PCM.s_to_frames(length_s)) / RATE_HZ
        tone = 0.3 * np.sin(2 * np.pi * (300 + 170 * number + higher_hz) * times_s)
        tone *= np.clip(np.minimum(times_s, times_s[::-1]) / 0.01, 0, 1)
        pause = np.zeros(PCM.s_to_frames(pause_s))
        spans.append((at, at + len(tone)))
        parts.append(np.concatenate((tone, pause)).astype(np.float32)[:, None])
        at += len(tone) + len(pause)
    return np.concatenate(parts), spans


LENGTHS_S = [0.25, 0.4, 0.2, 0.35, 0.3, 0.25, 0.4]


def loudest_hz(samples: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples[:, 0]))
    return float(np.argmax(spectrum) * RATE_HZ / len(samples))


def heard_words(samples: Samples, least_s: float = 0.9) -> list[int]:
    """The words that are heard (nearly) whole, in order."""
    loud = np.flatnonzero(np.abs(samples[:, 0]) > 0.02)
    edges = [
        loud[0],
        *(edge for pair in pairwise(loud) if pair[1] - pair[0] > 480 for edge in pair),
    ]
    edges.append(loud[-1])
    found = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        number = round((loudest_hz(samples[start:end]) - 300) / 170)
        if (end - start) / RATE_HZ > least_s * LENGTHS_S[number]:
            found.append(number)
    return found


@pytest.mark.parametrize("tempo", [0.93, 1.0, 1.07])
@pytest.mark.parametrize("at_s", np.linspace(0.3, 2.2, 14).round(3))
def test_another_rendering_goes_on_with_the_word_that_broke_off(at_s: float, tempo: float) -> None:
    first, spans = words(LENGTHS_S, 0.08)
    second, _ = words([length * tempo for length in LENGTHS_S], 0.08 * tempo, higher_hz=60)
    second *= np.float32(0.8)
    position = PCM.s_to_frames(at_s)
    seam = seam_at(first, position)
    rest = fed(seam, second, [2400])
    begun = [number for number, (start, _) in enumerate(spans) if start < position]
    whole = [number for number, (_, end) in enumerate(spans) if end <= position + 480]
    again = heard_words(rest)
    # every word that was not heard whole is heard now; at most the last one twice
    assert set(again) | set(whole) == set(range(len(spans)))
    assert len(begun) - min(again) <= 1
    assert again == sorted(again)
    step = np.abs(np.diff(np.concatenate((first[:position], rest)), axis=0)).max()
    assert step <= np.abs(np.diff(first, axis=0)).max() * 1.1  # no click


def test_a_rendering_that_is_shorter_than_what_was_heard_adds_nothing() -> None:
    seam = seam_at(SPEECH, len(SPEECH))
    assert not len(fed(seam, SPEECH[: RATE_HZ // 2], [1000]))
