"""Front matter is not read out, divided words are whole; however the text is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.text.pipeline import TextPipeline

NOTE = "---\ntitle: A note\naliases:\n  - one\n- two\n# why\n\nkey: [a,\n b]\n---\n\nHello you."
FRONT = [
    (NOTE, "Hello you."),
    ("+++\ntitle = 'x'\n[params]\na = 1\n+++\nHello.", "Hello."),
    ("---\ndraft: true\n...\nHello.", "Hello."),
    ("---\nFirst comes this.\n\n---\nThen that.", "First comes this.\n\n|Then that."),
    ("---\n\ntitle: x\n---\nHello.", "title: x\n|Hello."),
    ("---\nNote: nothing closes this", "Note: nothing closes this"),
    ("--- a dash", "--- a dash"),
    ("Text\n---\na: b\n---\n", "Text\n|a: b\n"),
    ('{\n "title": {\n  "a": 1\n }\n}\n\nHi.', "Hi."),
    ('{\n "a": 1\n}\n', '{\n|"a": 1\n|}\n'),
    ('{\n"a": 1\n}\n{\n"a": 2\n}\n', '{\n|"a": 1\n|}\n|{\n|"a": 2\n|}\n'),
    ('{\n"a": b\n}\nHi.', '{\n|"a": b\n|}\n|Hi.'),
    ("{ it } is. Yes.", "{ it } is. |Yes."),
    ("Thinking...\nHm. He\n\nasks.\n...done thinking.\n\nYes. No.", "Yes. |No."),
    ("Thinking...\nHm. Never done", "Thinking...\n|Hm. |Never done"),
    ("Thinking... it over. So", "Thinking... it over. |So"),
]
LONG = "a line that is long enough to have been filled by a "
DIVIDED = [
    (f"{LONG}ma-\nchine here", f"{LONG}machine here"),
    (f"{LONG}ma\u2010\n   chine here", f"{LONG}machine here"),
    (f"> {LONG}ma-\n> chine here", f"{LONG}machine here"),
    (f"{LONG}well-\nknown way", f"{LONG}well-known way"),
    (f"{LONG}state-of-\nthe-art", f"{LONG}state-of-the-art"),
    ("a short-\nlived line", "a short-lived line"),
    ("so ma-\nny short-\nlived li-\nnes here", "so ma-ny short-lived li-nes here"),
    ("eine Hin-\nund Rückfahrt", "eine Hin- und Rückfahrt"),
    (f"{LONG}pre-\n- item", f"{LONG}pre-\n|item"),
    (f"{LONG}pre-\nTest", f"{LONG}pre- Test"),
    ("ends with pre-", "ends with pre-"),
    ("1990-\nago x -\ny", "1990- ago x - y"),
]
PARTS = st.sampled_from(
    [
        "---",
        "Thinking...\n",
        "...done thinking.\n",
        "+++",
        "\n",
        "title",
        ": ",
        " = ",
        "- a",
        "#",
        "...",
        "word",
        "-",
        "\u2010",
        "and",
        "or",
        " ",
        "\n> ",
        "Big",
        "{\n",
        '"a": 1',
        "\n}\n",
        LONG,
        "well",
        "o",
        "\n\n",
        "1.",
    ]
)


def pieces(chunks: list[str] | str, plain: bool = False) -> str:
    pipeline = TextPipeline(plain=plain)
    out = [piece for chunk in chunks for piece in pipeline.feed(chunk)]
    return "|".join(piece.text for piece in out + pipeline.flush())


@pytest.mark.parametrize(("text", "spoken"), FRONT + DIVIDED)
def test_expected_pieces(text: str, spoken: str) -> None:
    assert pieces([text]) == spoken
    assert pieces(text) == spoken


def test_plain_text_keeps_its_top_and_its_words_whole() -> None:
    assert pieces(["---\na: b\n---\nHi."], plain=True) == "---\na: b\n|---\n|Hi."
    assert pieces([f"{LONG}ma-\nchine"], plain=True) == f"{LONG}machine"


@given(st.lists(PARTS, max_size=24), st.booleans())
def test_chunking_changes_nothing(chunks: list[str], plain: bool) -> None:
    whole = pieces(["".join(chunks)], plain)
    assert pieces(chunks, plain) == whole
    assert pieces("".join(chunks), plain) == whole


def test_a_pause_lets_go_of_what_looks_like_front_matter_or_a_divided_word() -> None:
    pipeline = TextPipeline()
    assert pipeline.feed("---\nNote: it works.\n") == []
    pipeline.settle()
    assert pipeline.pending == "Note: it works.\n"
    pipeline = TextPipeline(plain=True)
    pipeline.feed("A dash-\n")
    pipeline.settle()
    assert pipeline.pending == "A dash-\n"


def test_front_matter_that_never_ends_takes_no_room() -> None:
    pipeline = TextPipeline()
    got = sum(len(pipeline.feed("a: b\n" if at else "---\n")) for at in range(10_000))
    assert got > 50
