"""MP3 against FFmpeg's whole-file decoding, sample for sample."""

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
from tests.support.encode import decode_at_once, mp3, speech
from voicestream.decode.mp3 import Mp3Decoder
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat

DELAY = 1105
SOUND = speech(1.3)
FILE = mp3(SOUND)
STREAMED = mp3(SOUND, seekable=False)
BARE = mp3(SOUND, seekable=False, id3v2_version=0)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_as_ffmpeg_decodes_it_and_as_long_as_the_sound_was(rate_hz: int, channels: int) -> None:
    sound = speech(0.7, rate_hz, channels)
    data = mp3(sound, rate_hz)
    decoder = Mp3Decoder()
    got = decode_in_pieces(decoder, pieces(data, [1000]))
    _, reference = decode_at_once(data, "mp3")
    assert np.array_equal(got, reference)
    assert got.shape == sound.shape
    assert decoder.format == PcmFormat(rate_hz, channels, "f32")
    assert decoder.skipped == 0


@pytest.mark.parametrize("data", [STREAMED, BARE])
def test_without_an_info_frame_the_usual_delay_is_trimmed(data: bytes) -> None:
    got = decode_in_pieces(Mp3Decoder(), pieces(data, [1000]))
    _, reference = decode_at_once(data, "mp3")
    assert np.array_equal(got, reference[DELAY:])
    assert np.corrcoef(got[: len(SOUND), 0], SOUND[:, 0])[0, 1] > 0.9  # in step with the original


@settings(max_examples=40)
@given(cuttings)
def test_the_cutting_does_not_matter(sizes: list[int]) -> None:
    assert np.array_equal(
        decode_in_pieces(Mp3Decoder(), pieces(FILE, sizes)), decode_in_pieces(Mp3Decoder(), [FILE])
    )


def test_the_first_sound_comes_with_the_frame_it_is_in() -> None:
    # 192-byte frames of 576 samples; the first 1105 samples are the codec's delay.
    assert bytes_to_first_sample(Mp3Decoder(), BARE) == 384
    assert bytes_to_first_sample(Mp3Decoder(), STREAMED) <= 500


def test_files_on_end_are_joined_without_their_delays() -> None:
    got = decode_in_pieces(Mp3Decoder(), pieces(FILE * 3, [700]))
    one = decode_in_pieces(Mp3Decoder(), [FILE])
    assert got.shape == (3 * len(one), 1)
    assert np.array_equal(got[: len(one)], one)
    # The codec's state is the last file's: only what hears it can differ, and it is trimmed.
    assert np.abs(got[len(one) :] - np.tile(one, (2, 1))).max() < 0.01


def test_an_info_frame_alone_begins_a_file() -> None:
    data = mp3(SOUND, id3v2_version=0)
    assert data[0] == 0xFF
    assert len(decode_in_pieces(Mp3Decoder(), [data * 2])) == 2 * len(SOUND)


def test_tags_before_between_and_behind() -> None:
    id3 = b"ID3\x04\x00\x00\x00\x00\x01\x00" + b"\xff\xfb\x90\xc4" * 32
    id3v1 = b"TAG" + b"\xff" * 125
    decoder = Mp3Decoder()
    got = decode_in_pieces(decoder, pieces(id3 + FILE + id3v1 + id3 + FILE + id3v1, [77]))
    assert len(got) == 2 * len(SOUND)
    assert decoder.skipped == 0


@settings(max_examples=40)
@given(cuttings)
def test_junk_between_frames_is_skipped_and_counted(sizes: list[int]) -> None:
    junk = b" \xff\xf3\x84\xc4 not a frame \xff\xfb ID3 \xff"
    data = BARE[: 192 * 10] + junk + BARE[192 * 10 :]
    decoder = Mp3Decoder()
    got = decode_in_pieces(decoder, pieces(data, sizes))
    assert np.array_equal(got, decode_in_pieces(Mp3Decoder(), [BARE]))
    assert decoder.skipped == 1


def test_a_broken_frame_costs_no_more_than_itself_and_its_neighbours() -> None:
    whole = decode_in_pieces(Mp3Decoder(), [BARE])
    data = bytearray(BARE)
    data[192 * 20 : 192 * 20 + 4] = b"\x00\x00\x00\x00"
    decoder = Mp3Decoder()
    got = decode_in_pieces(decoder, [bytes(data)])
    assert decoder.skipped >= 1
    assert len(whole) - 3 * 576 <= len(got) < len(whole)
    assert np.array_equal(got[: 576 * 18 - DELAY], whole[: 576 * 18 - DELAY])
    assert np.abs(got[-576 * 20 :] - whole[-576 * 20 :]).max() < 1e-5


def test_a_reply_that_ends_in_the_middle_keeps_what_came() -> None:
    whole = decode_in_pieces(Mp3Decoder(), [BARE])
    decoder = Mp3Decoder()
    got = decode_in_pieces(decoder, [BARE[: 192 * 20 + 50]])
    assert np.array_equal(got, whole[: 576 * 20 - DELAY])
    assert decoder.skipped == 1


@pytest.mark.parametrize("junk", [b"\xff" * 4096, b"no sound " * 700])
def test_endless_junk_ends_in_an_error(junk: bytes) -> None:
    decoder = Mp3Decoder()
    with pytest.raises(DecodeError, match="without a frame of MP3"):
        decode_in_pieces(decoder, [junk] * 300)


def test_a_picture_before_the_sound_is_no_silence() -> None:
    picture = bytes(3_000_000)
    size = bytes(len(picture) >> shift & 0x7F for shift in (21, 14, 7, 0))
    tag = b"ID3\x04\x00\x00" + size + picture
    plain = FILE
    wanted = Mp3Decoder().feed(plain)
    assert np.array_equal(Mp3Decoder().feed(tag + plain), wanted)
