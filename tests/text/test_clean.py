"""Controls and escape sequences are taken out, however the text is cut."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.printable import printable
from voicestream.text.clean import Cleaner

HOSTILE = "\b\b_+\u00ad"
HOSTILE += "\x1b\x9b\x9d[]()0;1mHJ\x07\\\n\r\t \x00\x7f\x85\u202e\u200b\u200d\u200cabک\u094d\ud800"


def clean(text: str) -> str:
    cleaner = Cleaner()
    return cleaner.feed(text) + cleaner.flush()


CASES = [
    ("plain text\n\tstays", "plain text\n\tstays"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x1b[1;38;5;200mx\x1b[K", "x"),
    ("\x1b]0;title\x07x", "x"),
    ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x1bPdevice\x1b\\x", "x"),
    ("\x1bcreset", "reset"),
    ("\x1b(Bx", "x"),
    ("\x9b31mx", "x"),
    ("\x9d0;title\x07x", "x"),
    ("a\x9dquoted by mistake\x9c b", "aquoted by mistake b"),
    ("\x1b]never ends\nnext line", "never ends\nnext line"),
    ("a\x1b", "a"),
    ("a\x1b[12", "a12"),
    ("a\r\nb\rc\n\rd", "a\nb\nc\n\nd"),
    ("a\x0bb\x0cc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
    ("a\x00\x07\x08\x7f\x80b", "ab"),
    ("a\u202eb\u2066c\u200fd\ufeffe\u200bf\u00adg", "abcdefg"),
    ("\ud800a\udfff", "a"),
    ("tag\U000e0041\U000e007f", "tag"),
    ("a\u200db\u200cc", "abc"),
    ("می\u200cخواهم", "می\u200cخواهم"),
    ("क\u094d\u200dष", "क\u094d\u200dष"),
    ("ന\u0d4d\u200d.", "ന\u0d4d\u200d."),
    ("می\u200c خ", "می خ"),
    ("N\bNA\bA _\bi_\bt +\bo d\b_e", "NA it o de"),
    ("a_b+\b+ c++ _", "a_b+ c++ _"),
    ("di\u00ad\r\nvided wo\u00adrd", "di-\nvided word"),
    ("می\u200c\u200cخ", "میخ"),
]


@pytest.mark.parametrize(("dirty", "expected"), CASES)
def test_clean(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


@pytest.mark.parametrize(("dirty", "expected"), CASES)
def test_every_character_alone(dirty: str, expected: str) -> None:
    cleaner = Cleaner()
    assert "".join(map(cleaner.feed, dirty)) + cleaner.flush() == expected


@given(st.lists(st.text(HOSTILE, max_size=6)))
def test_chunking_changes_nothing(chunks: list[str]) -> None:
    cleaner = Cleaner()
    assert "".join(map(cleaner.feed, chunks)) + cleaner.flush() == clean("".join(chunks))


@given(st.text(HOSTILE) | st.text())
def test_nothing_raw_comes_through(text: str) -> None:
    for char in clean(text):
        assert char in "\n\t\u200c\u200d" or unicodedata.category(char) not in ("Cc", "Cs"), char
        assert not "\u202a" <= char <= "\u202e"
    line = printable(text)
    assert "\n" not in line
    assert "\x1b" not in line
    assert "\t" not in line


def test_an_unfinished_sequence_is_bounded() -> None:
    cleaner = Cleaner()
    assert cleaner.feed("\x1b]" + "x" * 5000) == "x" * 5000


def test_plain_text_is_not_held_back() -> None:
    assert Cleaner().feed("Hello ") == "Hello "


def test_printable_is_one_short_line() -> None:
    assert printable(" a\n\n b\tc\r\nd \x1b[31me") == "a b c d e"
    assert printable("abcdef", limit=4) == "abc…"
    assert printable("abcd", limit=4) == "abcd"
