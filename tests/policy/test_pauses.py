"""Pauses of speech, found in its sound."""

from __future__ import annotations

import numpy as np
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from voicestream.pcm import Samples
from voicestream.policy.pauses import KnownPauses, Pause, PauseFinder


def tone(seconds: float, level: float = 0.1, rate_hz: int = 24_000) -> Samples:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * 300 * times)).astype(np.float32)[:, None]


def quiet(seconds: float, rate_hz: int = 24_000) -> Samples:
    return np.zeros((round(seconds * rate_hz), 1), np.float32)


def test_pauses_are_found_where_they_are():
    sound = np.concatenate([tone(0.5), quiet(0.2), tone(0.3), quiet(0.04), tone(0.3), quiet(0.1)])
    finder = PauseFinder(24_000)
    finder.feed(sound)
    assert finder.pauses() == [Pause(12_000, 16_800), Pause(32_160, 34_560)]
    assert finder.last == Pause(32_160, 34_560)
    assert finder.after(16_000) == Pause(12_000, 16_800)
    assert finder.after(16_800) == Pause(32_160, 34_560)


def test_noise_at_40_db_below_speech_is_a_pause_and_soft_speech_is_not():
    for level, count in ((0.001, 1), (0.01, 0)):
        finder = PauseFinder(24_000)
        finder.feed(np.concatenate([tone(0.5), tone(0.2, level), tone(0.3)]))
        assert len(finder.pauses()) == count


@hypothesis_given(st.lists(st.integers(1, 5000), max_size=30))
def test_pauses_do_not_depend_on_the_cuts(cuts):
    sound = np.concatenate([tone(0.3), quiet(0.2), tone(0.1, 0.3), quiet(0.07), tone(0.2)])
    whole, pieces = PauseFinder(24_000), PauseFinder(24_000)
    whole.feed(sound)
    for cut in cuts:
        pieces.feed(sound[:cut])
        sound = sound[cut:]
    pieces.feed(sound)
    assert pieces.pauses() == whole.pauses()
    assert pieces.frames == whole.frames


def test_the_end_of_a_segment_is_a_pause():
    finder = PauseFinder(24_000)
    finder.feed(tone(0.25))
    finder.join()
    assert finder.last == Pause(6000, 6000)
    finder.feed(quiet(0.2))
    finder.join()
    assert finder.last == Pause(6000, 10_800)
    assert len(finder.pauses()) == 1


@hypothesis_given(st.lists(st.tuples(st.booleans(), st.integers(0, 3000)), max_size=20))
def test_pauses_stay_in_order_whatever_joins_them(parts):
    finder = PauseFinder(24_000)
    for loud, frames in parts:
        finder.feed((tone if loud else quiet)(frames / 24_000))
        finder.join()
    edges = [edge for pause in finder.pauses() for edge in (pause.start, pause.end)]
    assert edges == sorted(edges)
    assert not edges or edges[-1] <= finder.frames


def test_known_pauses_come_to_light_as_the_finder_finds_them():
    sound = np.concatenate([tone(0.2), quiet(0.2), tone(0.2), quiet(0.1), tone(0.1)])
    whole = PauseFinder(24_000)
    whole.feed(sound)
    known = KnownPauses([(p.start, p.end) for p in whole.pauses()], 24_000)
    finder = PauseFinder(24_000)
    for start in range(0, len(sound), 480):
        finder.feed(sound[start : start + 480])
        known.arrived(min(480, len(sound) - start))
        assert known.last == finder.last
        assert known.after(5000) == finder.after(5000)
