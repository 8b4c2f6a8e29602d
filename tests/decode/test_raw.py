"""PCM and WAV: every sample, exactly, however the bytes come."""

from __future__ import annotations

import struct
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings

from tests.support.decoding import bytes_to_first_sample, cuttings, decode_in_pieces, joined, pieces
from tests.support.encode import encode, speech, wav_header
from voicestream.decode.raw import PcmDecoder
from voicestream.decode.wav import WavDecoder
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat, Samples, from_int16, to_int16

RAMP = np.arange(-3000, 3000, dtype="<i2")
UNKNOWN_SIZES = [0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFFFDB]
LIST = b"LIST" + struct.pack("<I", 27) + b"INFOISFT\x0f\x00\x00\x00Lavf60.16.100XX\x00"


def expected(values: np.ndarray, channels: int = 1) -> Samples:
    return from_int16(values.reshape(-1, channels))


@given(cuttings)
def test_pcm_is_the_same_under_any_cutting(sizes: list[int]) -> None:
    decoder = PcmDecoder(PcmFormat(24_000))
    got = decode_in_pieces(decoder, pieces(RAMP.tobytes(), sizes))
    assert np.array_equal(got, expected(RAMP))
    assert decoder.skipped == 0


def test_pcm_drops_and_counts_a_half_frame_at_the_end() -> None:
    decoder = PcmDecoder(PcmFormat(16_000, 2))
    got = decode_in_pieces(decoder, [RAMP.tobytes() + b"\x01\x02\x03"])
    assert np.array_equal(got, expected(RAMP, 2))
    assert decoder.skipped == 1


def test_pcm_big_endian() -> None:
    decoder = PcmDecoder(PcmFormat(24_000), big_endian=True)
    got = decode_in_pieces(decoder, pieces(RAMP.astype(">i2").tobytes(), [3, 5, 8]))
    assert np.array_equal(got, expected(RAMP))


@pytest.mark.parametrize("encoding", ["f32", "f64"])
def test_floats_that_are_no_sound_are_bounded(encoding: Literal["f32", "f64"]) -> None:
    values = np.array([0.5, np.nan, np.inf, -np.inf, 3e38, -3e38])
    data = values.astype("<f4" if encoding == "f32" else "<f8").tobytes()
    samples = to_int16(PcmDecoder(PcmFormat(24_000, 1, encoding)).feed(data))
    assert samples[:, 0].tolist() == [16_384, 0, 32_767, -32_768, 32_767, -32_768]


@pytest.mark.parametrize(("rate_hz", "channels"), [(7999, 1), (192_001, 1), (24_000, 9)])
def test_pcm_bounds(rate_hz: int, channels: int) -> None:
    with pytest.raises(DecodeError, match="only"):
        PcmDecoder(PcmFormat(rate_hz, channels))


@pytest.mark.parametrize("size", [*UNKNOWN_SIZES, None])
@settings(max_examples=12)
@given(sizes=cuttings)
def test_wav_sizes_that_nobody_knew(size: int | None, sizes: list[int]) -> None:
    data = RAMP.tobytes()
    header = wav_header(len(data) if size is None else size, before_data=LIST)
    got = decode_in_pieces(WavDecoder(), pieces(header + data, sizes))
    assert np.array_equal(got, expected(RAMP))


@pytest.mark.parametrize(
    ("codec", "tolerance"),
    [
        ("pcm_u8", 1 / 128),
        ("pcm_s16le", 1 / 32768),
        ("pcm_s24le", 1 / 8e6),
        ("pcm_s32le", 1e-7),
        ("pcm_f32le", 0),
        ("pcm_f64le", 0),
        ("pcm_alaw", 1 / 64),
        ("pcm_mulaw", 1 / 64),
    ],
)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_wav_encodings_of_a_real_encoder(codec: str, tolerance: float, channels: int) -> None:
    sound = speech(0.3, 22_050, channels)
    decoder = WavDecoder()
    got = decode_in_pieces(decoder, pieces(encode(sound, 22_050, codec, "wav"), [1, 700, 33]))
    assert decoder.format == PcmFormat(22_050, channels, "f32")
    assert got.shape == sound.shape
    assert np.abs(got - sound).max() <= tolerance
    assert decoder.skipped == 0


def test_wav_law_tables_are_those_of_the_standard() -> None:
    # Known codes of G.711: the ends and the smallest steps.
    for tag, codes in (
        (6, {0xD5: 8, 0x55: -8, 0xAA: 32256, 0x2A: -32256}),
        (7, {0xFF: 0, 0x7F: 0, 0x80: 32124, 0x00: -32124, 0xFE: 8}),
    ):
        header = wav_header(0, bits=8, tag=tag)
        got = decode_in_pieces(WavDecoder(), [header + bytes(codes)])
        assert (got[:, 0] * 32768).tolist() == list(codes.values())


@given(cuttings)
def test_wav_header_alone_is_no_sound(sizes: list[int]) -> None:
    decoder = WavDecoder()
    got = decode_in_pieces(decoder, pieces(wav_header(0xFFFFFFFF, 16_000), sizes))
    assert len(got) == 0
    assert decoder.format == PcmFormat(16_000, 1, "f32")


@pytest.mark.parametrize("size", [*UNKNOWN_SIZES, None])
@settings(max_examples=12)
@given(sizes=cuttings)
def test_wav_with_a_header_for_each_sentence(size: int | None, sizes: list[int]) -> None:
    data = RAMP.tobytes()
    one = wav_header(len(data) if size is None else size) + data
    decoder = WavDecoder()
    got = decode_in_pieces(decoder, pieces(one * 3, sizes))
    assert np.array_equal(got, expected(np.tile(RAMP, 3)))
    assert decoder.skipped == 0


@given(cuttings)
def test_wav_goes_on_behind_junk_at_the_next_header(sizes: list[int]) -> None:
    data = RAMP.tobytes()
    one = wav_header(len(data)) + data
    stereo = wav_header(len(data), channels=2) + np.repeat(RAMP[:3000], 2).tobytes()
    got = decode_in_pieces(WavDecoder(), pieces(one + LIST + b"RIFFRI" + stereo, sizes))
    assert np.array_equal(got, expected(np.concatenate((RAMP, RAMP[:3000]))))


@given(cuttings)
def test_wav_sound_that_looks_like_the_begin_of_a_header(sizes: list[int]) -> None:
    values = np.frombuffer(b"RIFF1234WAVx" * 5 + b"RIFF1234WAVE\x01fmt" * 2 + b"RIFF12", "<i2")
    for size in (0, values.nbytes):
        got = decode_in_pieces(WavDecoder(), pieces(wav_header(size) + values.tobytes(), sizes))
        assert np.array_equal(got, expected(values))


def test_wav_trailing_junk_is_not_played() -> None:
    data = RAMP.tobytes()
    got = decode_in_pieces(WavDecoder(), [wav_header(len(data)) + data + LIST + b"junk" * 99])
    assert np.array_equal(got, expected(RAMP))


def test_wav_extensible_and_padded_bits() -> None:
    form = struct.pack("<HHIIHH", 0xFFFE, 1, 48_000, 48_000 * 4, 4, 20)
    form += struct.pack("<HHI", 22, 20, 4) + b"\x01\x00" + b"\x00" * 14
    values = np.arange(-500, 500, dtype="<i4") << 12
    data = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(form)) + form
    data += b"data\xff\xff\xff\xff" + values.tobytes()
    got = decode_in_pieces(WavDecoder(), pieces(data, [7]))
    assert np.array_equal(got[:, 0], (values / 2.0**31).astype(np.float32))


def test_wav_sound_comes_with_the_first_byte_behind_the_header() -> None:
    assert bytes_to_first_sample(WavDecoder(), wav_header(0) + b"\x01\x00\x02\x00") == 46


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<html><body>no</body></html>", "not a WAV"),
        (wav_header(0, rate_hz=4000) + b"\0" * 99, "4000 Hz"),
        (wav_header(0, channels=9) + b"\0" * 99, "9 channels"),
        (wav_header(0, bits=12) + b"\0" * 99, None),
        (wav_header(0, tag=0x55) + b"\0" * 99, "0x0055"),
        (wav_header(0, bits=0) + b"\0" * 99, "0 bits"),
        (wav_header(0)[:12] + b"data\0\0\0\0" + b"\0" * 99, "before its format"),
        (wav_header(0)[:12] + b"fmt \xff\xff\xff\xff" + b"\0" * 99, "4294967295 bytes"),
        (wav_header(0)[:30], "WAV"),
        (b"RIFF", "WAV"),
        (wav_header(0)[:36] + b"LIST\xff\xff\xff\x7f" + b"\0" * 2_000_000, "without a frame"),
        (wav_header(4) + b"\0\0\0\0" + b"\1" * 2_000_000, "without a frame"),
    ],
)
def test_wav_says_what_is_wrong(data: bytes, message: str | None) -> None:
    decoder = WavDecoder()
    if message is None:
        decode_in_pieces(decoder, [data])
        return
    with pytest.raises(DecodeError, match=message):
        decode_in_pieces(decoder, pieces(data, [65_536]))


def test_sound_before_an_error_is_given_out_first() -> None:
    decoder = WavDecoder()
    blocks = [decoder.feed(wav_header(0) + b"\1\0\2\0" + wav_header(0, tag=0x55))]
    with pytest.raises(DecodeError):
        decoder.flush()
    assert (joined(blocks)[:, 0] * 32768).tolist() == [1, 2]
