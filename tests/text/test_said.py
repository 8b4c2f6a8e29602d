"""What was said beside what should have been."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.text.said_cases import LINES, reworded, right_readings
from voicestream.text.said import begins_otherwise, compare

READINGS = Path(__file__).parents[1] / "data" / "readings.tsv"


def test_a_right_reading_raises_no_alarm() -> None:
    readings = list(right_readings())
    assert len(readings) == 200
    wrong = [(text, said, compare(text, said).differences) for text, said in readings]
    assert [case for case in wrong if case[2]] == []
    assert not [text for text, said in readings if begins_otherwise(text, said)]


def test_every_other_reading_is_named() -> None:
    readings = list(reworded())
    assert len(readings) == 200
    assert [case for case in readings if not compare(*case).differences] == []


def test_dates_money_units_numerals_and_spellings_are_read_in_many_ways() -> None:
    """Lines of a file: texts beside readings that are right, and beside others."""
    rows = [line.split("\t") for line in READINGS.read_text("utf-8").splitlines()[1:]]
    assert len(rows) > 150
    judged = [
        (text, said, mark, bool(compare(text, said).differences)) for mark, text, said in rows
    ]
    assert [case for case in judged if case[3] != (case[2] == "!")] == []


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.text[:20])
def test_answers_and_translations_are_something_else_and_one_word_is_not(line: LINES) -> None:  # type: ignore[valid-type]
    assert compare(line.text, line.answer).something_else
    assert compare(line.text, line.translated).something_else
    assert not compare(line.text, line.changed).something_else


def test_a_beginning_is_judged_as_soon_as_it_can_be() -> None:
    text = "The quick brown fox jumps over the lazy dog, and then it sleeps for 12 hours."
    refusal = "I'm sorry, but I can't help with that."
    assert not begins_otherwise(text, "I'm sorry,")
    assert begins_otherwise(text, refusal)
    for end in range(len(text)):
        assert not begins_otherwise(text, text[:end])


def test_what_is_missing_at_the_end_is_told_as_it_stands() -> None:
    text = "Mr. Brown has 12 cats. They are gray, and they sleep all day."
    assert (
        compare(text, "Mister Brown has twelve cats.").rest
        == "They are gray, and they sleep all day."
    )
    assert (
        compare(text, "Mister Brown has twelve cats. They are gray").rest
        == "and they sleep all day."
    )
    assert compare(text, "Mister Brown has twelve dogs.").rest == ""
    assert compare(text, text[:-9]).rest == ""  # so little is named, not asked for


def test_the_places_are_named_in_their_own_words() -> None:
    told = compare("I have 12 cats, and a dog.", "I've thirteen cats and a big dog, too.")
    assert [str(place) for place in told.differences] == [
        'said "thirteen" for "12"',
        'added "big"',
        'added "too"',
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ich habe 12 Katzen und 3 Hunde.", "Ich habe zwölf Katzen und drei Hunde."),
        ("Il y a 21 chats dans la maison.", "Il y a vingt et un chats dans la maison."),
        ("我有3只猫。", "我有三只猫"),
        ("Привет, мир!", "привет мир"),
        ("안녕하세요 여러분", "안녕하세요, 여러분."),
    ],
)
def test_other_languages_may_read_numbers_in_their_words(text: str, said: str) -> None:
    assert compare(text, said).differences == ()
    assert compare(text, said + " nein").differences


@given(st.text(max_size=80))
def test_a_text_is_never_different_from_itself(text: str) -> None:
    assert compare(text, text).differences == ()
    assert not begins_otherwise(text, text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_compared_is_judged(wanted: str, said: str) -> None:
    for place in compare(wanted, said).differences:
        assert place.wanted in wanted
        assert place.said in said
    begins_otherwise(wanted, said)
