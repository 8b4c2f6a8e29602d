"""Words whose times are told, found in a text that need not say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.session.told_words import ToldWords
from voicestream.words import word_spans

RATE_HZ = 100


def ends(text: str, told: list[tuple[str, float, float]]) -> dict[str, float]:
    """The words of a text that were found, and when each ends, in seconds."""
    words = ToldWords(text, told, 0)
    words.joined_frames = 100_000
    words.place(100_000, RATE_HZ, 0, last=True)
    spans = word_spans(text)
    found = [(text[slice(*spans[word])], round(frame) / RATE_HZ) for word, frame in words.ends]
    assert len(dict(found)) == len(found)
    return dict(found)


def evenly(words: str) -> list[tuple[str, float, float]]:
    return [(word, float(at), at + 1.0) for at, word in enumerate(words.split())]


@pytest.mark.parametrize(
    ("text", "told", "found"),
    [
        ("Hello, World!", "hello , world !", {"Hello,": 1, "World!": 3}),
        ("Don't stop.", "do n't stop .", {"Don't": 2, "stop.": 3}),
        ("A well-known one", "a well - known one", {"A": 1, "well-known": 4, "one": 5}),
        ("Dr. Smith came", "doctor smith came", {"Dr.": 1, "Smith": 2, "came": 3}),
        ("It costs $5 here now", "it costs five dollars here now",
         {"It": 1, "costs": 2, "$5": 4, "here": 5, "now": 6}),
        ("You & me", "you and me", {"You": 1, "&": 2, "me": 3}),
        ("今日は晴れ", "今日 は 晴れ", {"日": 1, "は": 2, "れ": 3}),
        ("one two", "one one two two", {"one": 1, "two": 3}),
        # a word that is also further on is not taken for that one
        ("10 & more of this and that", "ten and more of this and that",
         {"&": 2, "more": 3, "of": 4, "this": 5, "and": 6, "that": 7}),
        ("Ten days ago", "lorem ipsum", {}),
        ("", "a b", {}),
        ("— …", "dash", {}),
    ],
)  # fmt: skip
def test_words_are_found_where_they_are(text: str, told: str, found: dict[str, float]) -> None:
    assert ends(text, evenly(told)) == found


def test_what_is_no_time_is_left_out() -> None:
    told = [("a", 0.0, 2.0), ("b", 1.99, 2.2), ("c", 2.2, float("nan")), ("d", 2.5, 3.0)]
    assert ends("a b c d", told) == {"a": 2.0, "b": 2.2, "c": 2.5, "d": 3.0}


def test_where_times_begin_anew_no_more_are_believed() -> None:
    pieces = [*evenly("one two three"), *evenly("four five six seven eight")]
    found = ends("One two three. Four five six seven eight.", pieces)
    assert found == {"One": 1, "two": 2, "three.": 3}


def test_a_word_is_placed_once_its_sound_is_written() -> None:
    words = ToldWords("a b", told := evenly("a b"), 1000)
    words.joined_frames = 90
    assert not words.place(1045, RATE_HZ, 0, last=False)
    words.joined_frames = 190
    assert words.place(1145, RATE_HZ, 20, last=False)  # 0.2 s of silence were cut
    assert words.ends == [(0, 1040.0), (1, 1135.0)]
    assert told


_WORD = st.text(st.sampled_from("abAB ,.-1&日"), max_size=3)


@given(text=st.lists(_WORD, max_size=20), told=st.lists(st.tuples(_WORD, st.floats(), st.floats())))
def test_whatever_is_told_the_ends_follow_each_other(
    text: list[str], told: list[tuple[str, float, float]]
) -> None:
    words = ToldWords(" ".join(text), told, 0)
    words.joined_frames = 100_000
    words.place(100_000, RATE_HZ, 0, last=True)
    numbers, frames = [it[0] for it in words.ends], [it[1] for it in words.ends]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(range(len(word_spans(" ".join(text)))))
    assert frames == sorted(frames)
