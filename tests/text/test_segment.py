"""Sentences: the expected ones, whatever the chunking, and they join to the input."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicestream.text.boundary import AUTO
from voicestream.text.pieces import Boundary, Piece
from voicestream.text.segment import MAX_PENDING, Segmenter

TEXTS = Path(__file__).parents[1] / "data" / "texts"
CASES = [
    case
    for name in ("sentences.json", "more_sentences.json")
    for case in json.loads((TEXTS / name).read_text("utf-8"))
]
ALPHABET = "aB1.!?…,;:\"'`()- \n\n。！？」「”“とक।؟é🎉我"
WORDS = st.sampled_from(
    ["Hello", " world", ". ", "Dr. ", "e.g. ", "3.14", "? ", "! ", "\n", "\n\n", "“", "”", "。",
     "「", "」", "と", "U.S. ", "I. ", "p.m. ", "`", "...", "… ", "Fig. 3", "- ", "1. ", " and ",
     "Then ", ", ", "(", ")", "https://a.b/c.d ", "🎉 ", "안녕하세요. ", "क्या। "]
)  # fmt: skip


def split(text: str, language: str = AUTO, **options: object) -> list[Piece]:
    segmenter = Segmenter(language, **options)  # type: ignore[arg-type]
    return segmenter.feed(text) + segmenter.flush()


def split_in_chunks(chunks: list[str], **options: object) -> list[Piece]:
    segmenter = Segmenter(**options)  # type: ignore[arg-type]
    pieces: list[Piece] = []
    for chunk in chunks:
        pieces += segmenter.feed(chunk)
    return pieces + segmenter.flush()


@pytest.mark.parametrize("case", CASES, ids=lambda case: "".join(case["segments"])[:30])
def test_expected_sentences(case: dict[str, object]) -> None:
    segments = case["segments"]
    assert isinstance(segments, list)
    pieces = split("".join(segments), str(case["lang"]))
    assert [piece.text for piece in pieces] == segments


@pytest.mark.parametrize("case", CASES, ids=lambda case: "".join(case["segments"])[:30])
def test_expected_sentences_in_random_chunks(case: dict[str, object]) -> None:
    segments = case["segments"]
    assert isinstance(segments, list)
    text, language = "".join(segments), str(case["lang"])
    dice = random.Random(text)
    for _ in range(10):
        segmenter = Segmenter(language)
        pieces, at = [], 0
        while at < len(text):
            size = dice.randint(1, 6)
            pieces += segmenter.feed(text[at : at + size])
            at += size
        assert [piece.text for piece in pieces + segmenter.flush()] == segments


@settings(max_examples=300)
@given(st.lists(st.text(ALPHABET, max_size=5) | WORDS, max_size=60), st.booleans())
def test_chunking_changes_nothing(chunks: list[str], wrapped: bool) -> None:
    text = "".join(chunks)
    whole = split(text, wrapped=wrapped)
    assert "".join(piece.text for piece in whole) == text
    assert split_in_chunks(chunks, wrapped=wrapped) == whole
    assert split_in_chunks(list(text), wrapped=wrapped) == whole


@settings(max_examples=200)
@given(st.lists(st.text(ALPHABET, max_size=5) | WORDS, max_size=80))
def test_text_without_end_is_cut_the_same_for_every_chunking(chunks: list[str]) -> None:
    text = "".join(chunks)
    whole = split(text, max_pending=20)
    assert "".join(piece.text for piece in whole) == text
    assert split_in_chunks(chunks, max_pending=20) == whole
    assert max((len(piece.text) for piece in whole), default=0) <= 220


def test_a_sentence_is_given_out_with_the_next_word() -> None:
    segmenter = Segmenter()
    assert segmenter.feed("It is big.") == []
    assert segmenter.feed(" ") == []
    assert segmenter.feed("Then") == []  # "big" is short enough to be an abbreviation
    assert [piece.text for piece in segmenter.feed(" it")] == ["It is big. "]
    assert segmenter.pending == "Then it"


def test_a_certain_sentence_needs_the_next_letter_only() -> None:
    segmenter = Segmenter()
    assert segmenter.feed("It is raining. ") == []
    assert segmenter.feed("T") == [Piece("It is raining. ", Boundary.SENTENCE)]


def test_boundaries() -> None:
    ends = [piece.end for piece in split("One. Two\nThree\n\nFour")]
    assert ends == [Boundary.SENTENCE, Boundary.SENTENCE, Boundary.PARAGRAPH, Boundary.SENTENCE]


def test_wrapped_lines_are_one_sentence() -> None:
    text = "This line goes\non here. Then\nmore.\n\nA list:\n- one\n- two\n"
    assert [piece.text for piece in split(text, wrapped=True)] == [
        "This line goes\non here. ", "Then\nmore.\n\n", "A list:\n", "- one\n", "- two\n",
    ]  # fmt: skip


def test_endless_text_is_cut_at_clauses_then_blanks_then_anywhere() -> None:
    clauses = split("some words here, and " * 100, max_pending=200)
    assert all(piece.text.endswith(", ") for piece in clauses[:-1])
    words = split("words " * 300, max_pending=200)
    assert all(piece.text.endswith(" ") for piece in words)
    accents = split("e\u0301" * 500, max_pending=201)
    assert len(accents) > 1
    assert not any(piece.text.startswith("\u0301") for piece in accents)


def test_memory_is_bounded() -> None:
    segmenter = Segmenter()
    for _ in range(2000):
        segmenter.feed("word ")
        assert len(segmenter.pending) < 1300


@pytest.mark.parametrize(
    ("pending", "clause"),
    [
        ("Hello there, my friend", "Hello there, "),
        ("It costs 1,000 dollars", None),
        ("On Jan. 5, 2024 it was", None),
        ("Call `join(a, b)` then", None),
        ("Call join(a, b) then", None),
        ("See https://x.org/a,b;c now", None),
        ("well-known words", None),
        ("It is late — very late", "It is late — "),
        ("He said: go", "He said: "),
        ("第一，第二", "第一，"),
        ("نعم، أنا", "نعم، "),
        ("no clause", None),
        ("a comma,", None),
        ("", None),
    ],
)
def test_cut_clause(pending: str, clause: str | None) -> None:
    segmenter = Segmenter()
    segmenter.feed(pending)
    piece = segmenter.cut_clause()
    assert (piece and piece.text) == clause
    assert (clause or "") + segmenter.pending == pending


def test_cut_clause_first_and_last() -> None:
    text = "one, two, three, four"
    for last, expected in ((False, "one, two, "), (True, "one, two, three, ")):
        segmenter = Segmenter()
        segmenter.feed(text)
        piece = segmenter.cut_clause(6, last=last)
        assert piece == Piece(expected, Boundary.CLAUSE)


@pytest.mark.parametrize(
    ("pending", "end"),
    [("It ends.", Boundary.SENTENCE), ("Item\n", Boundary.SENTENCE), ("So,", Boundary.CLAUSE)],
)
def test_what_is_there_can_be_taken_when_the_writer_pauses(pending: str, end: Boundary) -> None:
    segmenter = Segmenter()
    segmenter.feed(pending)
    assert segmenter.cut_clause(last=True) == Piece(pending, end)
    assert [piece.text for piece in segmenter.feed("More. ") + segmenter.flush()] == ["More. "]


def test_a_number_may_still_grow_when_the_writer_pauses() -> None:
    segmenter = Segmenter()
    segmenter.feed("Pi is 3.")
    assert segmenter.cut_clause(last=True) is None


def test_a_long_line_goes_on_whatever_begins_the_next() -> None:
    long, short = "a line of plain text that is wrapped at its right margin by", "a short line"
    assert [piece.text for piece in split(f"{long}\nBerlin.", wrapped=True)] == [f"{long}\nBerlin."]
    assert len(split(f"{short}\nBerlin.", wrapped=True)) == 2
    assert len(split(f"{long}:\nBerlin.", wrapped=True)) == 2


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Das gilt z. B. auch hier. | Es gilt u. a. Dieses und i. d. R. Jenes. | Ja."),
        ("en", "Das gilt u. a. auch am 3. März usw. und evtl. auch nicht. | So ist es."),
        (
            "ru",
            "Он жил до 1990 г. и ушёл, т. е. исчез. | То было в 1991 г. | Он жив и т. д. | Всё.",
        ),
        (
            "en",
            "Find the x. | Then go. | He owns a BS. | It is old. | I saw it on Mon. at 9 and left.",
        ),
        ("vi", "Tôi gặp TS. Nam và BS. Lan. | Vâng."),
        ("fr", "Elle est née en 44 av. J.-C. à Rome, p. ex. ici. | Oui."),
        ("nl", "Hij is het, d. w. z. hier en dhr. Jansen. | Ja."),
        ("en", "all in small letters here. | and so it goes. | what? | yes."),
    ],
)
def test_abbreviations_are_those_of_the_language(language: str, text: str) -> None:
    pieces = split(text.replace("| ", ""), language)
    assert "| ".join(piece.text for piece in pieces) == text


def test_an_open_backtick_delays_a_sentence_and_does_not_join_it() -> None:
    assert len(split("Press the ` key. Then go.")) == 2
    assert len(split("Press `the key. Then go.")) == 2
    assert len(split("Press `the key. Then` go.")) == 1


def test_text_without_stops_is_cut_at_blanks() -> None:
    sizes = [len(piece.text) for piece in split("ผมชอบกินข้าวผัด " * 60)]
    assert max(sizes) <= MAX_PENDING
    assert min(sizes[:-1]) > MAX_PENDING / 2
