"""Pauses that a text asks for: the same however it is cut, and only where tags are read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.text.pieces import Piece, Segment, SegmentLimits
from voicestream.text.pipeline import TextPipeline
from voicestream.text.segment_queue import SegmentQueue


def pieces(chunks: list[str], **options: Any) -> list[Piece]:
    pipeline = TextPipeline(tags=True, **options)
    found = [piece for chunk in chunks for piece in pipeline.feed(chunk)]
    return found + pipeline.flush()


def segments(text: str) -> tuple[list[tuple[str, int | None]], int]:
    queue = SegmentQueue(SegmentLimits(), TextPipeline(tags=True))
    queue.feed(text)
    queue.close()
    found: list[Segment] = []
    while segment := queue.poll(9.0):
        found.append(segment)
    return [(it.spoken, it.pause_ms) for it in found], queue.trailing_ms


@pytest.mark.parametrize(
    ("text", "expected", "trailing"),
    [
        ("One. [pause 500ms] Two.", [("One.", None), ("Two.", 500)], 0),
        ("One <break time='1.5s'/> two", [("One", None), ("two", 1500)], 0),
        ('[PAUSE 2 s]One.<Break time = "20ms">', [("One.", 2000)], 20),
        ("One [pause 1s], [pause 1s] two.", [("One ,", None), ("two.", 2000)], 0),
        ("One. [pause 0ms] Two. Three.", [("One.", None), ("Two. Three.", 0)], 0),
        ("One. [pause 99s] Two.", [("One.", None), ("Two.", 10_000)], 0),
        ("**One**[pause 9ms] *two*", [("One", None), ("two", 9)], 0),
        ("One.\n\n```\n[pause 1s]\n```\n\nTwo.", None, 0),
        ("[pause] and [pause me] and [pause 5] and [pause -5ms]", None, 0),
        ("One. \U000f0010 Two.", [("One.  Two.", None)], 0),
    ],
)
def test_what_is_a_pause(
    text: str, expected: list[tuple[str, int | None]] | None, trailing: int
) -> None:
    found, after = segments(text)
    assert after == trailing
    if expected is None:
        assert all(pause is None for _, pause in found)
    else:
        assert found == expected


def test_a_speaker_may_change_after_a_pause() -> None:
    found = pieces(["Yes [pause 5ms] [nova] No"])
    assert [(it.text.strip(), it.voice, it.pause_ms) for it in found if it.text.strip()] == [
        ("Yes", None, None),
        ("No", "nova", None),
    ]


TEXTS = st.lists(
    st.sampled_from(
        [
            *("Hello. ", "a b", "[pause 5ms]", "[pause 12", "ms]", "<break time=", '"3s"', "/>"),
            *("[", "<", "\n", "*", "`", "]", " ", "pause", "<break time='1s'/>", "[nova] "),
            "[pause" + " " * 44,
        ]
    ),
    max_size=30,
)


@given(TEXTS, st.booleans())
def test_chunking_changes_nothing(chunks: list[str], plain: bool) -> None:
    whole = "".join(chunks)
    assert pieces(chunks, plain=plain) == pieces([whole], plain=plain)
    assert pieces(list(whole), plain=plain) == pieces([whole], plain=plain)


def test_without_tags_it_is_text() -> None:
    pipeline = TextPipeline()
    found = pipeline.feed("One. [pause 500ms] Two.") + pipeline.flush()
    assert "".join(piece.text for piece in found) == "One. [pause 500ms] Two."
