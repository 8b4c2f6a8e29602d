"""Several voices: who says what, whatever the chunking."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.errors import UsageError
from voicestream.text.pieces import Piece
from voicestream.text.pipeline import TextPipeline
from voicestream.text.speakers import QuotedSpeech, SpeakerTags

QUOTED: list[tuple[str, list[tuple[str, str]]]] = [
    (
        'He said, "Go!" and left. "No," she said, "I stay." "Why?"',
        [
            ("N", "He said, "), ("A", '"Go!" '), ("N", "and left. "), ("B", '"No," '),
            ("N", "she said, "), ("B", '"I stay." '), ("A", '"Why?"'),
        ],
    ),
    ("“One.” “Two.”", [("A", "“One.” "), ("B", "“Two.”")]),
    ("„Eins.“ Er: «Deux.»", [("A", "„Eins.“ "), ("N", "Er: "), ("B", "«Deux.»")]),
    ("「はい。」と言った。", [("A", "「はい。」"), ("N", "と言った。")]),
    ('"Open\n\nNot quoted', [("A", '"Open\n\n'), ("N", "Not quoted")]),
    ('A 5" pipe isn\'t "big".', [("N", "A 5\" pipe isn't "), ("A", '"big"'), ("N", ".")]),
]  # fmt: skip

TAGGED: list[tuple[str, list[tuple[str | None, str]]]] = [
    ("[alloy] Hello. [nova] Hi!", [("alloy", "Hello. "), ("nova", "Hi!")]),
    ("Before.\n[a-b_1]\nAfter", [(None, "Before.\n"), ("a-b_1", "\nAfter")]),
    ("See [alloy] here. [1] ref", [(None, "See [alloy] here. [1] ref")]),
    ("[not a tag] x. [open", [(None, "[not a tag] x. [open")]),
    ('"Hi." [b] You.', [(None, '"Hi." '), ("b", "You.")]),
    ("好。[b]是", [(None, "好。"), ("b", "是")]),
    ("a.b[c] d", [(None, "a.b[c] d")]),
]


def runs(speakers: QuotedSpeech | SpeakerTags, chunks: list[str]) -> list[tuple[str | None, str]]:
    joined: list[tuple[str | None, str]] = []
    fed = [run for chunk in chunks for run in speakers.feed(chunk)]
    for voice, text in fed + speakers.flush():
        if joined and joined[-1][0] == voice:
            joined[-1] = (voice, joined[-1][1] + text)
        else:
            joined.append((voice, text))
    return joined


@pytest.mark.parametrize(("text", "expected"), QUOTED)
def test_quoted_speech_in_turns(text: str, expected: list[tuple[str, str]]) -> None:
    assert runs(QuotedSpeech("N", ["A", "B"]), [text]) == expected
    assert runs(QuotedSpeech("N", ["A", "B"]), list(text)) == expected


@pytest.mark.parametrize(("text", "expected"), TAGGED)
def test_tags(text: str, expected: list[tuple[str | None, str]]) -> None:
    assert runs(SpeakerTags(), [text]) == expected
    assert runs(SpeakerTags(), list(text)) == expected


def pieces(chunks: list[str], **options: Any) -> list[Piece]:
    pipeline = TextPipeline(**options)
    return [piece for chunk in chunks for piece in pipeline.feed(chunk)] + pipeline.flush()


MIXED = st.lists(
    st.sampled_from(
        ['"', "“", "”", "「", "」", "[alloy]", "[", "]", " ", ". ", "! ", "\n", "\n\n", "Word",
         " word", ", ", "**", "\x1b[1m", "。", "と", "1", "[nova] ", "Dr. "]
    ),
    max_size=40,
)  # fmt: skip


@given(MIXED, st.sampled_from([{"voices": ("N", "A", "B")}, {"tags": True}, {"plain": True}, {}]))
def test_chunking_changes_nothing(chunks: list[str], options: dict[str, Any]) -> None:
    text = "".join(chunks)
    assert pieces(chunks, **options) == pieces([text], **options) == pieces(list(text), **options)


def test_a_change_of_voice_ends_the_piece() -> None:
    said = pieces(["**[a]** x. [b] one [b] two"], tags=True)
    assert [(piece.voice, piece.text) for piece in pieces(["[a] Yes, [b] No"], tags=True)] == [
        ("a", "Yes, [b] No")
    ]
    assert said[-1].voice == "b"


def test_plain_text_keeps_its_marks() -> None:
    assert [piece.text for piece in pieces(["**a** `b`"], plain=True)] == ["**a** `b`"]


def test_voices_and_tags_exclude_each_other() -> None:
    with pytest.raises(UsageError):
        TextPipeline(voices=("a", "b"), tags=True)
