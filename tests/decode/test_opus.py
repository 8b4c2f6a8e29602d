"""Ogg/Opus against FFmpeg's whole-file decoding, sample for sample."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.decoding import (
    bytes_to_first_sample,
    cuttings,
    decode_in_pieces,
    pieces,
)
from tests.support.encode import decode_at_once, opus, speech
from voicestream.decode.opus import OpusDecoder, duration, is_intact, split_lacing
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat

SOUND = speech(1.3, 48_000)
FILE = opus(SOUND)


def pages(data: bytes) -> list[bytes]:
    result = []
    while data:
        size = 27 + data[26] + sum(data[27 : 27 + data[26]])
        result.append(data[:size])
        data = data[size:]
    return result


def sealed(page: bytes) -> bytes:
    """The page with the checksum it must have, by the definition in RFC 3533."""
    bare = page[:22] + b"\0\0\0\0" + page[26:]
    crc = 0
    for byte in bare:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc >> 31 else crc << 1) & 0xFFFFFFFF
    return page[:22] + struct.pack("<I", crc) + page[26:]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"page_duration": 20_000},
        {"application": "voip", "bit_rate": 12_000},
        {"frame_duration": 60},
        {"frame_duration": 2.5},
    ],
    ids=str,
)
def test_as_ffmpeg_decodes_it_and_as_long_as_the_sound_was(
    channels: int, options: dict[str, object]
) -> None:
    sound = speech(0.77, 48_000, channels)
    data = opus(sound, **options)
    decoder = OpusDecoder()
    got = decode_in_pieces(decoder, pieces(data, [333]))
    _, reference = decode_at_once(data)
    assert np.array_equal(got, reference)
    assert got.shape == sound.shape
    assert decoder.format == PcmFormat(48_000, channels, "f32")
    assert decoder.skipped == 0


def test_six_channels() -> None:
    sound = speech(0.5, 48_000, 6)
    got = decode_in_pieces(OpusDecoder(), pieces(opus(sound, bit_rate=128_000), [333]))
    assert got.shape == sound.shape


def test_the_sound_is_in_step_with_the_original() -> None:
    got = decode_in_pieces(OpusDecoder(), [FILE])
    assert np.corrcoef(got[:, 0], SOUND[:, 0])[0, 1] > 0.9


@settings(max_examples=40)
@given(cuttings)
def test_the_cutting_does_not_matter(sizes: list[int]) -> None:
    assert np.array_equal(
        decode_in_pieces(OpusDecoder(), pieces(FILE, sizes)),
        decode_in_pieces(OpusDecoder(), [FILE]),
    )


def test_the_first_sound_comes_long_before_the_end_of_its_page() -> None:
    head, tags, first, *_ = pages(FILE)
    assert bytes_to_first_sample(OpusDecoder(), FILE) < len(head) + len(tags) + len(first) / 4


def test_files_on_end_go_on() -> None:
    # Same serial number or another, with an end page or without.
    one = decode_in_pieces(OpusDecoder(), [FILE])
    other = b"".join(sealed(page[:14] + b"\1\2\3\4" + page[18:]) for page in pages(FILE))
    decoder = OpusDecoder()
    got = decode_in_pieces(decoder, pieces(FILE + FILE + other, [900]))
    assert np.array_equal(got, np.tile(one, (3, 1)))
    assert decoder.skipped == 0
    cut_short = b"".join(pages(FILE)[:3])
    got = decode_in_pieces(OpusDecoder(), pieces(cut_short + other, [900]))
    assert np.array_equal(got[-len(one) :], one)
    assert len(got) > len(one)


def test_other_streams_between_its_pages_are_ignored() -> None:
    begin = struct.pack("<4sBBqIIIB", b"OggS", 0, 2, 0, 99, 0, 0, 1) + b"\x07" + b"fishead"
    later = struct.pack("<4sBBqIIIB", b"OggS", 0, 0, 0, 99, 1, 0, 1) + b"\x07" + b"blabla!"
    head, *rest = pages(FILE)
    mixed = head + sealed(begin) + b"".join(sealed(later) + page for page in rest)
    decoder = OpusDecoder()
    got = decode_in_pieces(decoder, pieces(mixed, [11]))
    assert np.array_equal(got, decode_in_pieces(OpusDecoder(), [FILE]))
    assert decoder.skipped == 0


@settings(max_examples=40)
@given(cuttings)
def test_a_broken_page_costs_no_more_than_itself(sizes: list[int]) -> None:
    sound = decode_in_pieces(OpusDecoder(), [FILE])
    parts = pages(opus(SOUND, page_duration=20_000))
    no_page = b"OggS" + parts[19][4:-1] + b"?"  # its checksum does not fit
    bad = b"OggX" + parts[20][4:] + no_page
    broken = b"".join(parts[:20]) + bad + b"".join(parts[21:])
    decoder = OpusDecoder()
    got = decode_in_pieces(decoder, pieces(broken, sizes))
    assert decoder.skipped == 1
    assert len(sound) - len(got) == 960


def test_a_packet_over_two_pages() -> None:
    """Packets of 255 bytes and more may be cut by the end of a page."""
    data = opus(SOUND[:24_000], bit_rate=256_000)
    head, tags, *rest = pages(data)
    lacing = b"".join(page[27 : 27 + page[26]] for page in rest)
    body = b"".join(page[27 + page[26] :] for page in rest)
    cut, size = next((n, sum(lacing[:n])) for n in range(9, 99) if lacing[n - 1] == 255)
    start = bytearray(rest[0][:26])
    start[5] = 0
    start[6:14] = struct.pack("<q", sum(duration_of_whole(lacing[:cut], body)))
    end = bytearray(rest[-1][:26])
    end[5] = 1 | 4
    new = head + tags + sealed(bytes(start) + bytes([cut]) + lacing[:cut] + body[:size])
    new += sealed(bytes(end) + bytes([len(lacing) - cut]) + lacing[cut:] + body[size:])
    decoder = OpusDecoder()
    got = decode_in_pieces(decoder, pieces(new, [50]))
    assert np.array_equal(got, decode_in_pieces(OpusDecoder(), [data]))
    assert decoder.skipped == 0


def duration_of_whole(lacing: bytes, body: bytes) -> list[int]:
    result, at = [], 0
    for size, ends in split_lacing(lacing):
        if ends:
            result.append(duration(body[at : at + size]))
        at += size
    return result


def test_a_reply_that_ends_in_the_middle_keeps_what_came() -> None:
    whole = decode_in_pieces(OpusDecoder(), [FILE])
    got = decode_in_pieces(OpusDecoder(), pieces(FILE[: len(FILE) // 2], [100]))
    assert np.array_equal(got, whole[: len(got)])
    assert len(got) > len(whole) // 4


def test_headers_alone_are_no_sound_and_no_error() -> None:
    assert len(decode_in_pieces(OpusDecoder(), pages(FILE)[:2])) == 0


@pytest.mark.parametrize("data", [b"Not Ogg at all. " * 9, b"OggS", b"OggS\0\2" + b"\0" * 99])
def test_no_opus(data: bytes) -> None:
    with pytest.raises(DecodeError, match="no Ogg Opus sound"):
        decode_in_pieces(OpusDecoder(), [data])


@pytest.mark.parametrize("junk", [b"OggS" * 1000, b"OggS\0\0" + b"\0" * 20 + b"\xff" * 4000])
def test_endless_junk_ends_in_an_error(junk: bytes) -> None:
    with pytest.raises(DecodeError, match="without a frame"):
        decode_in_pieces(OpusDecoder(), [junk] * 600)


@given(st.binary(min_size=27, max_size=300))
def test_checksum(page: bytes) -> None:
    assert is_intact(sealed(page))
    assert not is_intact(sealed(page)[:-1] + bytes([page[-1] ^ 1]))


def test_checksums_of_the_real_encoder() -> None:
    assert all(is_intact(page) for page in pages(FILE))


@given(st.lists(st.integers(0, 255), max_size=255))
def test_lacing_adds_up(lacing: list[int]) -> None:
    got = split_lacing(bytes(lacing))
    assert sum(size for size, _ in got) == sum(lacing)
    assert sum(ends for _, ends in got) == sum(value < 255 for value in lacing)
