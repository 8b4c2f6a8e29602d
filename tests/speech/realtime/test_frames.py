"""Frames as a client reads and writes them, beside a library that does the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, SERVER, Protocol

from tests.support.realtime_server import SILENT
from voicestream.speech.realtime.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameError,
    FrameReader,
    close_frame,
    masked,
    text_frame,
)

MAX_BYTES = 70_000
Read = list[tuple[int, bytes]]


def ours(data: bytes, cuts: list[int]) -> tuple[Read, bool]:
    """What is read, and whether it ends in an error, however the bytes are cut."""
    reader, found = FrameReader(MAX_BYTES), Read()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    try:
        for start, end in pairwise(places):
            for message in reader.feed(data[start:end]):
                found.append((message.kind, message.data))
                if message.kind == CLOSE:
                    return found, False
    except FrameError:
        return found, True
    return found, False


def theirs(data: bytes) -> tuple[Read, bool]:
    protocol = Protocol(CLIENT, state=OPEN, max_size=MAX_BYTES, logger=SILENT)
    protocol.receive_data(data)
    found, kind, parts = Read(), 0, b""
    for frame in protocol.events_received():
        assert isinstance(frame, Frame)
        if frame.opcode >= Opcode.CLOSE:
            found.append((frame.opcode, bytes(frame.data)))
            continue
        kind, parts = kind or int(frame.opcode), parts + bytes(frame.data)
        if frame.fin:
            found.append((kind, parts))
            kind, parts = 0, b""
    return found, protocol.parser_exc is not None


KINDS = st.sampled_from([0, TEXT, BINARY, PING, PONG])
BODIES = st.one_of(st.binary(max_size=130), st.sampled_from([125, 126, 65_536]).map(bytes))


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """One frame of a server, mostly a proper one."""
    kind, body = draw(KINDS), draw(BODIES)
    last = draw(st.booleans()) if kind < PING else True
    body = body[:125] if kind >= PING else body
    plain = Frame(Opcode(kind), body, last).serialize(mask=False)
    return draw(st.sampled_from([plain] * 9 + [plain[:-1], b"\xf1\x00", plain + b"\x00"]))


@given(st.lists(frames(), max_size=6).map(b"".join), st.lists(st.integers(0, 70_000), max_size=5))
def test_the_same_is_read_as_by_the_library(data: bytes, cuts: list[int]) -> None:
    found, is_refused = ours(data, cuts)
    expected, is_broken = theirs(data)
    assert found == expected
    assert is_refused or not is_broken  # what is out of order shows before its last byte is here


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=4))
def test_whatever_comes_is_read_or_refused(data: bytes, cuts: list[int]) -> None:
    assert ours(data, cuts)[0] == ours(data, [])[0]


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\x80\x00\x00\x00\x00",  # masked
        b"\xc1\x00",  # a reserved bit
        b"\x83\x00",  # an unknown kind
        b"\x80\x00",  # goes on with nothing
        b"\x01\x01a\x81\x01b",  # a message within a message
        b"\x09\x00",  # a ping in parts
        b"\x89\x7e\x00\x7e",  # a ping that is too long
        b"\x88\x01\x03",  # half a code
        b"\x81\x7f" + (MAX_BYTES + 1).to_bytes(8, "big"),
        b"\x01\x7e\xff\xff" + bytes(65_535) + b"\x80\x7e\xff\xff",  # too long altogether
    ],
)
def test_what_is_wrong_is_refused_as_soon_as_it_shows(data: bytes) -> None:
    assert ours(data, []) == ([], True)
    assert ours(data, list(range(12))) == ([], True)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_what_is_written_is_read_by_the_library(size: int) -> None:
    server = Protocol(SERVER, state=OPEN, max_size=None)
    text = "ä" * (size // 2) + "x" * (size % 2)
    server.receive_data(text_frame(text) + masked(PING, b"?") + close_frame(1000))
    first, ping, _close = server.events_received()
    assert isinstance(first, Frame)
    assert isinstance(ping, Frame)
    assert bytes(first.data).decode() == text
    assert bytes(ping.data) == b"?"
    assert server.close_rcvd is not None
    assert server.close_rcvd.code == 1000
