"""Text is taken as it comes, and a read that waits can be ended."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from voicestream.errors import UsageError
from voicestream.text.source import open_file, read_pieces
from voicestream.waiting import Interrupt


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    read_fd, write_fd = os.pipe()
    with open(read_fd, "rb") as reader, open(write_fd, "wb", buffering=0) as writer:
        yield reader, writer


def test_what_is_there_is_given_out_at_once(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, writer = pipe
    with Interrupt() as interrupt:
        pieces = read_pieces(reader, interrupt=interrupt)
        for text in ("a", "Xin chào", "\n", "今天"):
            writer.write(text.encode())
            assert next(pieces) == text
        writer.close()
        assert list(pieces) == []


def test_a_character_cut_in_two_waits_for_its_rest(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, writer = pipe
    pieces = read_pieces(reader)
    writer.write(b"a\xc3")
    assert next(pieces) == "a"
    writer.write(b"\xa9")
    assert next(pieces) == "é"


def test_an_interrupt_ends_a_silent_read_without_cpu(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, writer = pipe
    writer.write(b"begun")
    got: list[str] = []
    used_s: list[float] = []
    begun = threading.Event()

    with Interrupt() as interrupt:

        def read() -> None:
            for piece in read_pieces(reader, interrupt=interrupt):
                got.append(piece)
                begun.set()
            used_s.append(time.thread_time())

        thread = threading.Thread(target=read)
        thread.start()
        assert begun.wait(10)
        time.sleep(0.2)
        assert thread.is_alive()
        interrupt.set()
        interrupt.set()
        thread.join(10)
        assert not thread.is_alive()
        assert list(read_pieces(reader, interrupt=interrupt)) == []
    interrupt.set()  # after the end it does no harm
    assert got == ["begun"]
    assert used_s[0] < 0.1


def test_a_pipe_made_non_blocking_by_someone_else(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, writer = pipe
    os.set_blocking(reader.fileno(), False)
    threading.Timer(0.05, lambda: writer.write(b"late")).start()
    assert next(read_pieces(reader)) == "late"


def test_a_chunk_is_an_upper_bound(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("abcdef")
    with open_file(path) as stream:
        assert list(read_pieces(stream, chunk_bytes=4)) == ["abcd", "ef"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UsageError):
            open_file(path)
