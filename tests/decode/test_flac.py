"""FLAC: lossless, so the samples are those that were encoded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from tests.support.decoding import (
    bytes_to_first_sample,
    cuttings,
    decode_in_pieces,
    pieces,
)
from tests.support.encode import decode_at_once, flac, speech
from voicestream.decode.flac import FlacDecoder, StreamInfo, crc8, parse_frame_header
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat, Samples, from_int16

RATE_HZ = 24_000


def noisy(seconds: float, rate_hz: int = RATE_HZ, channels: int = 1) -> Samples:
    """Speech exactly as 16 bits hold it."""
    return from_int16(np.rint(speech(seconds, rate_hz, channels) * 32767).astype(np.int16))


SOUND = noisy(1.3)
FILE = flac(SOUND)
FRAMES_AT = [at for at in range(len(FILE)) if FILE.startswith(b"\xff\xf8", at)]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 12_345])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_sample_is_there(rate_hz: int, channels: int) -> None:
    sound = noisy(0.7, rate_hz, channels)
    decoder = FlacDecoder()
    got = decode_in_pieces(decoder, pieces(flac(sound, rate_hz), [1000]))
    assert np.array_equal(got, sound)
    assert decoder.format == PcmFormat(rate_hz, channels, "f32")
    assert decoder.skipped == 0


@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize("level", [0, 8, 12])
def test_every_kind_of_frame(seekable: bool, level: int) -> None:
    data = flac(SOUND, compression_level=level, seekable=seekable)
    assert np.array_equal(decode_in_pieces(FlacDecoder(), pieces(data, [777])), SOUND)
    assert np.array_equal(decode_at_once(data)[1], SOUND)


@settings(max_examples=40)
@given(cuttings)
def test_the_cutting_does_not_matter(sizes: list[int]) -> None:
    assert np.array_equal(decode_in_pieces(FlacDecoder(), pieces(FILE, sizes)), SOUND)


def test_the_first_sound_comes_when_the_second_frame_begins() -> None:
    first = bytes_to_first_sample(FlacDecoder(), FILE)
    assert first <= 17_000
    assert any(at < first <= at + 16 for at in FRAMES_AT[1:4])


def test_files_on_end_go_on() -> None:
    other = flac(SOUND[: RATE_HZ // 2], compression_level=0)
    decoder = FlacDecoder()
    got = decode_in_pieces(decoder, pieces(FILE + other + FILE, [900]))
    assert np.array_equal(got, np.concatenate((SOUND, SOUND[: RATE_HZ // 2], SOUND)))
    assert decoder.skipped == 0


@settings(max_examples=40)
@given(cuttings)
def test_a_broken_frame_is_left_out_and_counted(sizes: list[int]) -> None:
    data = bytearray(FILE)
    data[len(FILE) // 2] ^= 0x10
    decoder = FlacDecoder()
    got = decode_in_pieces(decoder, pieces(bytes(data), sizes))
    lost = len(SOUND) - len(got)
    assert decoder.skipped == 1
    assert 0 < lost <= 4608
    start = next(at for at in range(len(got)) if got[at] != SOUND[at])
    assert np.array_equal(got[start:], SOUND[start + lost :])


def test_junk_behind_the_last_frame_does_not_cost_the_last_word() -> None:
    decoder = FlacDecoder()
    got = decode_in_pieces(decoder, pieces(FILE + b"TAG" + b"\xff" * 125, [900]))
    assert np.array_equal(got, SOUND)


def test_junk_between_frames() -> None:
    """Even a header is no frame's end when its number does not follow."""
    first, second, *_ = (at for at in FRAMES_AT if parse_frame_header(FILE[at : at + 16], INFO))
    junk = b"junk\xff\xf8junk" + FILE[first : first + 16]
    decoder = FlacDecoder()
    got = decode_in_pieces(decoder, [FILE[:second] + junk + FILE[second:]])
    assert np.array_equal(got, SOUND)
    assert decoder.skipped == 0


def test_a_frame_that_is_lost_costs_nothing_but_itself() -> None:
    _, second, third, *_ = (at for at in FRAMES_AT if parse_frame_header(FILE[at : at + 16], INFO))
    block = INFO.max_block
    got = decode_in_pieces(FlacDecoder(), pieces(FILE[:second] + FILE[third:], [900]))
    assert np.array_equal(got, np.concatenate((SOUND[:block], SOUND[2 * block :])))


def test_a_reply_that_ends_in_the_middle_keeps_what_came() -> None:
    decoder = FlacDecoder()
    got = decode_in_pieces(decoder, pieces(FILE[: len(FILE) // 2], [100]))
    assert np.array_equal(got, SOUND[: len(got)])
    assert len(got) > len(SOUND) // 4
    assert decoder.skipped == 1


INFO = StreamInfo.parse(FILE[8:42])


def test_frame_headers_with_long_numbers() -> None:
    """Numbers are coded like UTF-8, up to seven bytes."""
    for number in (0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x1FFFFF, 0x3FFFFFF, 0x7FFFFFFF):
        tail = []
        rest, limit = number, 0x80
        while rest >= limit:
            tail.insert(0, 0x80 | rest & 0x3F)
            rest >>= 6
            limit = 1 << (6 - len(tail))
        lead = (0xFF << (7 - len(tail)) & 0xFF | rest) if tail else rest
        head = bytes([0xFF, 0xF8, 0xC7, 0x08, lead, *tail])
        parsed = parse_frame_header(head + bytes([crc8(head)]) + b"\0" * 4, INFO)
        assert parsed is not None
        assert (parsed.number, parsed.next_number) == (number, number + 1)
        assert parse_frame_header(head + bytes([crc8(head) ^ 1]) + b"\0" * 4, INFO) is None


@pytest.mark.parametrize("junk", [b"\xff\xf8\xc7\x08" * 1000, b"no sound" * 500])
def test_endless_junk_ends_in_an_error(junk: bytes) -> None:
    for start in (b"", FILE[:60], FILE[:20_000]):
        with pytest.raises(DecodeError, match="without a frame of FLAC"):
            decode_in_pieces(FlacDecoder(), [start, *[junk] * 400])


def test_no_flac() -> None:
    with pytest.raises(DecodeError, match=r"no FLAC sound.*Bad Gateway"):
        decode_in_pieces(FlacDecoder(), [b"<h1>502 Bad Gateway</h1>"])
