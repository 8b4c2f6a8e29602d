"""Bytes become the text that was written, or are refused; however they are cut."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.errors import UsageError
from voicestream.text.encoding import TextDecoder
from voicestream.text.source import argument, open_file, read_pieces

TEXT = "Grüße, Жанна: 你好 🎉\n"
MARKED = {
    "utf-8-sig": b"",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
    "utf-32-le": b"\xff\xfe\0\0",
    "utf-32-be": b"\0\0\xfe\xff",
}
BINARY = {
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "picture": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "ZIP": b"PK\x03\x04\x14\x00",
    "RTF": b"{\\rtf1\\ansi Hello}",
    "sound": b"OggS\x00\x02",
    "gzip": b"\x1f\x8b\x08\x00",
    "Office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "program": b"\x7fELF\x02\x01\x01",
    "it is a picture": b"BM\x36\x30\x00\x00\x00\x00\x00\x00\x36\x00",
    "bytes that no text has": b"abc" + bytes(range(1, 32)) * 2,
}


def decoded(data: bytes, size: int, doubts: list[str] | None = None) -> str | None:
    """The text of these bytes fed ``size`` at a time; None if they are refused."""
    decoder = TextDecoder(None if doubts is None else doubts.append)
    try:
        parts = [decoder.feed(data[at : at + size]) for at in range(0, len(data), size)]
        return "".join(parts) + decoder.flush()
    except UsageError:
        return None


@pytest.mark.parametrize("encoding", MARKED)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_byte_order_mark_tells_the_encoding(encoding: str, size: int) -> None:
    doubts: list[str] = []
    assert decoded(MARKED[encoding] + TEXT.encode(encoding), size, doubts) == TEXT
    assert not doubts


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_utf_16_without_a_mark_is_known_by_its_zeros(encoding: str, size: int) -> None:
    doubts: list[str] = []
    assert decoded(("So " + TEXT).encode(encoding), size, doubts) == "So " + TEXT
    assert len(doubts) == 1
    assert "UTF-16" in doubts[0]


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_an_old_encoding_keeps_its_letters_and_is_told(size: int) -> None:
    doubts: list[str] = []
    text = "Ein café für „Jürgen“, 5 €"
    assert decoded(text.encode("cp1252"), size, doubts) == text
    assert len(doubts) == 1
    assert "Windows-1252" in doubts[0]


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_broken_byte_in_utf_8_is_no_other_encoding(size: int) -> None:
    doubts: list[str] = []
    data = "schön ".encode() + b"\xff\xfe then \xc3"
    assert decoded(data, size, doubts) == "schön \ufffd\ufffd then \ufffd"
    assert len(doubts) == 1
    assert "replacement" in doubts[0]


HEADS = st.sampled_from(
    [b"", b"a", *(mark for mark in MARKED.values() if mark), b"\0a", b"a\0", b"\x80\0", b"%PDF-"]
)


@given(HEADS, st.binary(max_size=60) | st.text(max_size=20).map(str.encode), st.integers(1, 5))
def test_chunking_changes_nothing(head: bytes, data: bytes, size: int) -> None:
    assert decoded(head + data, size) == decoded(head + data, 100)


@given(st.text(max_size=40).filter(lambda text: "\0" not in text))
def test_utf_8_is_read_as_it_is(text: str) -> None:
    controls = sum(ord(char) < 32 for char in text)
    if controls <= 8 and not text.startswith("\ufeff"):
        assert decoded(text.encode("utf-8", "ignore"), 7) == text.encode("utf-8", "ignore").decode()


@pytest.mark.parametrize("kind", BINARY)
def test_what_is_no_text_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "thing"
    path.write_bytes(BINARY[kind])
    with pytest.raises(UsageError) as refused:
        open_file(path)
    assert "thing is not a text file" in str(refused.value)
    assert kind in str(refused.value)
    with pytest.raises(UsageError, match="this is no text"):
        list(read_pieces(io.BytesIO(BINARY[kind])))
    assert decoded(BINARY[kind], 1) is None


@pytest.mark.parametrize("start", ["line\n" * 300, "Grüße\n" * 300])
@pytest.mark.parametrize("size", [1, 50, 9000])
def test_a_text_that_turns_into_something_else_is_refused_there(start: str, size: int) -> None:
    binary = bytes(range(256)) * 4
    assert decoded(start.encode() + binary, size) is None
    decoder = TextDecoder(name="x")
    decoder.feed(start.encode())
    with pytest.raises(UsageError, match="after 1024 characters it holds bytes"):
        decoder.feed(binary)
    with pytest.raises(UsageError, match="bytes that no text has"):
        argument(os.fsdecode(start.encode() + binary[1:]), print)


def test_controls_far_into_a_text_do_not_end_it() -> None:
    text = "line\n" * 300 + "\0\x01 end"
    assert decoded(text.encode(), 50) == text
