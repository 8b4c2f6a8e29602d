"""What is spoken of an agent's events: every word once, in order, however they come."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.agent_events import Stream, random_stream
from voicestream.agents.events import told_by
from voicestream.agents.ordering import END, GAP_S, Ordering


def spoken(stream: Stream) -> list[str]:
    """The words that are told to be spoken, on a clock of the stream's own."""
    ordering, pieces = Ordering(), []
    for at_s, event in [*stream.events, (1e9, {})]:
        while (due_s := ordering.due_s) is not None and due_s <= at_s:
            pieces += ordering.due(due_s)
        told = told_by(event)
        if told is not None and told["do"] == "delta":
            what = (told["message"], told["index"], told["text"], told["final"])
            pieces += ordering.delta(*what, at_s)
        elif told is not None:
            pieces += ordering.whole(told["text"], told["turn"], at_s)
    return "".join(pieces).replace(".", " ").split()


@given(st.integers(0, 1 << 32))
def test_no_word_is_spoken_twice_or_out_of_order(seed: int) -> None:
    stream = random_stream(random.Random(seed))
    said = spoken(stream)
    places = [int(word[1:]) for word in said]
    assert places == sorted(set(places))
    if stream.whole:
        assert said == stream.words


def test_what_comes_too_early_waits_and_what_is_missing_is_given_up() -> None:
    ordering = Ordering()
    assert ordering.delta("m", 1, "two ", False, 0.0) == []
    assert ordering.delta("m", 0, "one ", False, 0.1) == ["one ", "two "]
    assert ordering.delta("m", 3, "four ", True, 0.2) == []
    assert ordering.due_s == pytest.approx(0.2 + GAP_S)
    assert ordering.due(0.3) == []
    assert ordering.due(0.2 + GAP_S) == ["four ", END]
    assert ordering.delta("m", 2, "three ", False, 2.0) == []


def test_a_message_whose_end_is_missing_does_not_hold_the_next_one_for_ever() -> None:
    ordering = Ordering()
    assert ordering.delta("a", 0, "one ", False, 0.0) == ["one "]
    assert ordering.delta("b", 0, "two ", True, 5.0) == []
    assert ordering.due(5.0 + GAP_S) == [END, "two ", END]


def test_the_end_of_a_turn_brings_what_was_lost() -> None:
    ordering = Ordering()
    assert ordering.delta("m", 0, "Hello there.\n", False, 0.0) == ["Hello there.\n"]
    assert ordering.whole("Hello there.\nGood-bye.", "", 0.1) == ["\nGood-bye.", END]
    assert ordering.delta("m", 1, "Good-bye.\n", True, 0.2) == []
    assert ordering.whole("Hello there.\nGood-bye.", "", 0.3) == []


def test_lines_that_come_after_the_whole_are_not_spoken_again() -> None:
    ordering = Ordering()
    assert ordering.whole("Hello.\nGood-bye.", "", 0.0) == ["Hello.\nGood-bye.", END]
    assert ordering.delta("m", 1, "Good-bye.", True, 0.1) == []
    assert ordering.delta("m", 0, "Hello.\n", False, 0.2) == []


def test_the_same_words_in_the_next_turn_are_spoken_again() -> None:
    ordering = Ordering()
    assert ordering.whole("Done.", "", 0.0) == ["Done.", END]
    ordering.prompt()
    assert ordering.whole("Done.", "", 1.0) == ["Done.", END]
    assert ordering.whole("Done.", "2", 2.0) == []  # of the turn that had no name so far
    assert ordering.whole("Done.", "3", 3.0) == ["Done.", END]


def test_a_prompt_ends_what_was_being_written() -> None:
    ordering = Ordering()
    ordering.delta("m", 0, "one ", False, 0.0)
    ordering.prompt()
    assert ordering.delta("m", 1, "two ", True, 0.1) == []
    assert ordering.delta("n", 0, "three", True, 0.2) == ["three", END]


def test_it_remembers_over_a_restart() -> None:
    first = Ordering()
    first.delta("m", 0, "Hello there.", True, 0.0)
    again = Ordering(first.remember())
    assert again.delta("m", 0, "Hello there.", True, 1.0) == []
    assert again.whole("Hello there.", "", 1.0) == []
    assert again.whole("Something else.", "", 2.0) == ["Something else.", END]


def test_lines_of_an_agent_that_names_and_counts_nothing_are_spoken_as_they_come() -> None:
    ordering = Ordering()
    assert ordering.delta("", None, "one ", False, 0.0) == ["one "]
    assert ordering.delta("", None, "two ", True, 0.0) == ["two ", END]
    assert ordering.note("May I?") == ["May I?", END]
    assert ordering.note("May I?") == []
