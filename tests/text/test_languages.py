"""The language of sentences: how often it is right, what flips it, and that no cut matters."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicestream.languages import Tongue, language_of
from voicestream.text.pieces import Segment
from voicestream.text.segment_queue import SegmentQueue

FILE = Path(__file__).parents[1] / "data" / "languages.txt"
ROWS = [
    tuple(line.split("\t"))
    for line in FILE.read_text("utf-8").splitlines()
    if not line.startswith("#")
]
LEAST = {"s": 0.99, "g": 0.9, "m": 0.95}
"""Kind of text -> how many of its languages are found at least."""
RUNNING = (
    "Good morning. This is how the day began. Guten Morgen, mein Freund. Er sagte nichts mehr. "
    "¿Qué tal? Nada. Il a dit « see you later » en partant. Ok. 你好，世界。 Привет, мир. "
    "And then nobody said anything. Dr. Smith came at 5 p.m. and left."
)


@pytest.mark.parametrize("kind", LEAST)
def test_the_language_of_a_text_is_found(kind: str) -> None:
    wrong = [
        (language, found, text)
        for language, its_kind, text in ROWS
        if its_kind == kind and (found := language_of(text)) != language
    ]
    total = Counter(row[1] for row in ROWS)[kind]
    assert total > 40
    assert len(wrong) <= (1 - LEAST[kind]) * total, wrong


@pytest.mark.parametrize(
    "sentence",
    [
        "Er sagte: „I don't know what to do about it.“",
        "Rufe get_the_list() und this.is_not_the_end auf.",
        "John Smith, The New York Times.",
        "Okay.",
        "1.299,99",
        "",
    ],
)
def test_a_quotation_a_name_or_a_code_word_does_not_flip_it(sentence: str) -> None:
    tongue = Tongue()
    for known in ("Guten Tag.", "Heute ist ein schöner Tag, und wir gehen nach Hause."):
        assert tongue.next(known) == "de"
    assert tongue.next(sentence) == "de"


@pytest.mark.parametrize(
    "sentence",
    [
        "Amsterdam Berlin Paris Rom Madrid",
        "In Zürich, Müller met Fräulein Schmidt.",
        "const x = await fetch(url)",
    ],
)
def test_names_and_code_alone_tell_no_language(sentence: str) -> None:
    assert language_of(sentence) == "en"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("de", "Fertig."), ("de", "Genau."), ("es", "Listo."), ("it", "Fatto.")],
)
def test_an_answer_of_one_word_tells_its_language(language: str, sentence: str) -> None:
    assert language_of(sentence) == language


def test_a_sentence_in_between_is_not_the_language_of_the_text() -> None:
    tongue = Tongue()
    tongue.next("It was a bright cold day, and the clocks were striking thirteen.")
    assert tongue.next("Bonjour tout le monde !") == "fr"
    assert tongue.next("Okay.") == "en"


def test_how_much_the_language_before_weighs() -> None:
    """A word that another language has as well is not enough against it; a sentence of them is."""
    assert language_of("De nada.", "fr") == "fr"
    assert language_of("De nada.", "en") == "es"
    assert language_of("Suo fratello suona benissimo il violino.", "fr") == "it"
    assert language_of("Der er tre fejl i din kode.", "de") == "da"


def segments(pieces: list[str]) -> list[Segment]:
    tongue = Tongue()
    queue = SegmentQueue(clock=lambda: 0.0, tell_language=tongue.next)
    for piece in pieces:
        queue.feed(piece)
    queue.close()
    return list(iter(lambda: queue.poll(0.0), None))  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(RUNNING)), max_size=12))
def test_however_a_text_is_cut_its_segments_and_languages_are_the_same(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(RUNNING)]
    cut = [RUNNING[start:end] for start, end in pairwise(ends)]
    whole = segments([RUNNING])
    assert segments(cut) == whole
    assert "".join(segment.text for segment in whole) == RUNNING
    found = [segment.language for segment in whole]
    assert list(dict.fromkeys(found)) == ["en", "de", "es", "fr", "zh", "ru"]
    assert found[-1] == "en"


def test_a_sentence_is_judged_in_less_than_a_millisecond() -> None:
    texts = [text for _, _, text in ROWS] + ["word " * 10_000, "é" * 50_000, '"a b ' * 9000]
    language_of(texts[0])
    began_s = time.process_time()
    for text in texts:
        language_of(text)
    assert time.process_time() - began_s < 0.001 * len(texts)
