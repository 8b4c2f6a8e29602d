"""Compressed bodies: the same however they are cut, in small pieces, and within bounds."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.errors import EndpointError, ReplyError
from voicestream.speech.http.inflate import Inflater

_PACK = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "identity": lambda data: data,
}


def inflated(name: str, data: bytes, cut: int, piece_bytes: int = 4096) -> list[bytes]:
    inflater = Inflater(name, piece_bytes)
    pieces = [
        piece for at in range(0, len(data), cut) for piece in inflater.feed(data[at : at + cut])
    ]
    return [*pieces, *inflater.flush()]


@given(st.sampled_from(sorted(_PACK)), st.binary(max_size=500), st.integers(1, 50))
def test_any_cut_gives_the_same(name: str, data: bytes, cut: int) -> None:
    pieces = inflated(name, _PACK[name](data * 7), cut, 100)
    assert b"".join(pieces) == data * 7
    assert all(0 < len(piece) <= 100 for piece in pieces)


@given(st.sampled_from(["gzip", "deflate"]), st.binary(min_size=1))
def test_no_bytes_do_more_than_fail(name: str, data: bytes) -> None:
    with contextlib.suppress(EndpointError):
        inflated(name, data, 7)


def test_a_bomb_goes_off_in_small_pieces_and_not_for_long() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    inflater = Inflater("gzip", 4096)
    largest = total = 0
    with pytest.raises(ReplyError, match="without bound"):  # noqa: PT012  what came before counts
        for piece in inflater.feed(bomb):
            largest, total = max(largest, len(piece)), total + len(piece)
    assert largest <= 4096
    assert total < 32 << 20
