"""Which word is heard, beside the times that the engine used itself."""

from __future__ import annotations

import bisect
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.counters import Cue
from voicestream.metrics import Metrics
from voicestream.words import Word, heard, place_words, spoken_text

RATE_HZ = 24_000
SPOKEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "word_times.json").read_text()
)
"""Sentences of the embedded voice, each with its pauses and when each of its words ends, as
the engine laid them out; ``tests/bench/words.py`` makes it. Frames of 24 kHz."""


def placed(sentence: dict[str, Any], known: int | None = None) -> tuple[Word, ...]:
    """``known``: frames that are here; None: the sound is whole."""
    whole = known is None
    pauses = [tuple(it) for it in sentence["pauses"] if whole or it[1] < known]
    cue = Cue(0, sentence["text"], sentence["frames"] if whole else 0)
    return place_words(cue, tuple(pauses), RATE_HZ)


@pytest.mark.parametrize(("whole", "share"), [(True, 0.97), (False, 0.9)])
def test_a_stop_at_any_moment_is_told_within_one_word(whole: bool, share: float) -> None:
    """Also while the rest of the sound is not here yet: what is left is then guessed."""
    off = []
    for sentence in SPOKEN:
        for at in range(0, sentence["frames"], RATE_HZ // 50):
            words = placed(sentence, None if whole else at + RATE_HZ // 2)
            told = sum(word.until_frame <= at for word in words)
            off.append(abs(told - bisect.bisect_right(sentence["until"], at)))
    assert sum(it <= 1 for it in off) >= share * len(off)
    assert max(off) <= 4


@given(
    st.text(max_size=60),
    st.integers(1, 200_000),
    st.lists(st.integers(0, 200_000), max_size=12).map(sorted),
)
def test_words_follow_each_other_and_fill_the_sound(
    text: str, frames: int, edges: list[int]
) -> None:
    pauses = tuple(zip(edges[::2], edges[1::2], strict=False))
    words = place_words(Cue(0, text, frames), pauses, RATE_HZ)
    assert "".join(text[word.start : word.end] for word in words) == "".join(text.split())
    ends = [word.until_frame for word in words]
    assert ends == sorted(ends)
    assert not ends or 0 <= ends[0] <= ends[-1] <= frames


@pytest.mark.parametrize(
    ("text", "said", "same"),
    [
        (
            "Ask nginx now, please.",
            "Ask the engine with a very long name now, please.",
            {1: 7, 2: 8, 3: 9},
        ),
        ("The SQL Server is up.", "The big Microsoft SQL Server is up.", {2: 4, 4: 6}),
        ("It was etc. and so on.", "It was and so on.", {1: 1, 5: 4}),
    ],
)
def test_a_word_takes_the_time_of_what_is_said_in_its_place(
    text: str, said: str, same: dict[int, int]
) -> None:
    """``same``: words of the text that end with such words of what is said."""
    words = place_words(Cue(0, text, 100_000, said=said), (), RATE_HZ)
    those = place_words(Cue(0, said, 100_000), (), RATE_HZ)
    for word, other in same.items():
        assert words[word].until_frame == pytest.approx(those[other].until_frame, rel=0.05)


@given(data=st.data(), whole=st.booleans())
def test_words_that_are_told_are_where_they_were_told_and_the_others_between(
    data: st.DataObject, whole: bool
) -> None:
    sentence = data.draw(st.sampled_from(SPOKEN))
    told = data.draw(st.sets(st.integers(0, len(sentence["until"]) - 1)).map(sorted))
    word_ends = tuple((word, float(sentence["until"][word])) for word in told)
    cue = Cue(0, sentence["text"], sentence["frames"] if whole else 0, word_ends=word_ends)
    ends = [it.until_frame for it in place_words(cue, (), RATE_HZ)]
    assert [(word, ends[word]) for word in told] == list(word_ends)
    assert ends == sorted(ends)


def test_a_script_without_spaces_has_a_word_in_each_character() -> None:
    words = place_words(Cue(0, "今日は、晴れ。", 6000), (), RATE_HZ)
    assert [(word.start, word.end) for word in words][:3] == [(0, 1), (1, 2), (2, 3)]


def test_what_waits_in_the_device_is_not_heard_yet() -> None:
    metrics = Metrics()
    metrics.feeder.rate_hz = RATE_HZ
    metrics.feeder.cues = [Cue(0, "One two", 2000)]
    metrics.play.played_frames = 1000
    assert spoken_text(metrics.snapshot()) == "One"
    metrics.feeder.latency_frames = 1
    snapshot = metrics.snapshot()
    assert spoken_text(snapshot) == ""
    assert heard(snapshot).word == (0, 3)
