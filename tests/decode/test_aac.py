"""AAC in ADTS against FFmpeg's whole-file decoding, sample for sample."""

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
from tests.support.encode import aac, decode_at_once, speech
from voicestream.decode.aac import AacDecoder, parse_adts
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat

PRIMING = 1024
SOUND = speech(1.3)
FILE = aac(SOUND)


def frames(data: bytes) -> list[bytes]:
    result = []
    while data:
        header = parse_adts(data)
        assert header is not None
        result.append(data[: header.size_bytes])
        data = data[header.size_bytes :]
    return result


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_as_ffmpeg_decodes_it_without_the_priming(rate_hz: int, channels: int) -> None:
    sound = speech(0.7, rate_hz, channels)
    data = aac(sound, rate_hz)
    decoder = AacDecoder()
    got = decode_in_pieces(decoder, pieces(data, [1000]))
    _, reference = decode_at_once(data, "aac")
    assert np.array_equal(got, reference[PRIMING:])
    assert 0 <= len(got) - len(sound) < PRIMING  # ADTS cannot tell where in its frame it ends
    assert np.corrcoef(got[: len(sound), 0], sound[:, 0])[0, 1] > 0.9
    assert decoder.format == PcmFormat(rate_hz, channels, "f32")
    assert decoder.skipped == 0


@settings(max_examples=40)
@given(cuttings)
def test_the_cutting_does_not_matter(sizes: list[int]) -> None:
    assert np.array_equal(
        decode_in_pieces(AacDecoder(), pieces(FILE, sizes)), decode_in_pieces(AacDecoder(), [FILE])
    )


def test_the_first_sound_comes_with_the_second_frame() -> None:
    first, second, *_ = frames(FILE)
    assert bytes_to_first_sample(AacDecoder(), FILE) == len(first) + len(second)


def test_tags() -> None:
    id3 = b"ID3\x04\x00\x00\x00\x00\x01\x00" + b"\xff\xf1\x58\x40" * 32
    decoder = AacDecoder()
    got = decode_in_pieces(decoder, pieces(id3 + FILE + id3 + FILE, [77]))
    one = decode_in_pieces(AacDecoder(), [FILE])
    assert len(got) == 2 * len(one)
    assert np.array_equal(got[: len(one)], one)
    assert decoder.skipped == 0


@settings(max_examples=40)
@given(cuttings)
def test_junk_between_frames_is_skipped_and_counted(sizes: list[int]) -> None:
    parts = frames(FILE)
    data = b"".join(parts[:5]) + b"junk \xff\xf1 ID3 junk \xff" + b"".join(parts[5:])
    decoder = AacDecoder()
    assert np.array_equal(
        decode_in_pieces(decoder, pieces(data, sizes)), decode_in_pieces(AacDecoder(), [FILE])
    )
    assert decoder.skipped == 1


def test_a_reply_that_ends_in_the_middle_keeps_what_came() -> None:
    whole = decode_in_pieces(AacDecoder(), [FILE])
    decoder = AacDecoder()
    got = decode_in_pieces(decoder, [b"".join(frames(FILE)[:10]) + frames(FILE)[10][:-1]])
    assert np.array_equal(got, whole[: 9 * 1024])
    assert decoder.skipped == 1


@pytest.mark.parametrize("junk", [b"\xff" * 4096, b"\xff\xf1\x58\x40 no sound " * 300])
def test_endless_junk_ends_in_an_error(junk: bytes) -> None:
    with pytest.raises(DecodeError, match="without a frame of AAC"):
        decode_in_pieces(AacDecoder(), [junk] * 300)


def test_no_aac() -> None:
    with pytest.raises(DecodeError, match=r"no AAC sound.*Bad Gateway"):
        decode_in_pieces(AacDecoder(), [b"<h1>502 Bad Gateway</h1>"])
