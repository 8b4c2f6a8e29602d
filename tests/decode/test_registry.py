"""Which decoder a reply gets: content type, then first bytes, then what was asked for."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.decoding import cuttings, decode_in_pieces, pieces
from tests.support.encode import mp3, speech, wav_header
from voicestream.decode.registry import choose, open_decoder
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat, from_int16

MP3_HEAD = b"\xff\xf3\x84\xc4" + b"\0" * 60
ADTS_HEAD = b"\xff\xf1\x58\x40" + b"\0" * 60
OPUS_HEAD = b"OggS\0\x02" + b"\0" * 22 + b"OpusHead\x01\x01" + b"\0" * 30
VORBIS_HEAD = b"OggS\0\x02" + b"\0" * 22 + b"\x01vorbis\0" + b"\0" * 30
FLAC_HEAD = b"fLaC\0\0\0\x22" + b"\0" * 60
ID3_HEAD = b"ID3\x04\0\0\0\0\0\x23" + b"\0" * 60
MP4_HEAD = b"\0\0\0\x1cftypM4A " + b"\0" * 60
WEBM_HEAD = (
    b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
    + b"\0" * 40
)
WAV_HEAD = wav_header(0)
NOISE = bytes(range(7, 107))


@pytest.mark.parametrize(
    ("kind", "head", "requested", "name"),
    [
        # What the first bytes say beyond doubt.
        ("", WAV_HEAD, "pcm", "wav"),
        ("application/octet-stream", WAV_HEAD, "mp3", "wav"),
        ("audio/mpeg", WAV_HEAD, "mp3", "wav"),
        ("audio/mpeg", OPUS_HEAD, "mp3", "opus"),
        ("audio/wav", FLAC_HEAD, "wav", "flac"),
        ("", b"ID3\x04\0\0\0\0\0\x23" + MP3_HEAD, "pcm", "mp3"),
        ("audio/aac", ID3_HEAD, "aac", "aac"),
        ("audio/flac", ID3_HEAD, "mp3", "flac"),
        ("audio/wav", ID3_HEAD, "wav", "mp3"),
        ("audio/aac", MP4_HEAD, "aac", "buffered"),
        ("", WEBM_HEAD, "opus", "buffered"),
        ("audio/ogg", VORBIS_HEAD, "opus", "buffered"),
        ("audio/mp4", NOISE, "aac", "buffered"),
        # The content type, and two bytes that agree or correct it.
        ("audio/mpeg", MP3_HEAD, "pcm", "mp3"),
        ("audio/mpeg", ADTS_HEAD, "mp3", "aac"),
        ("audio/aac", MP3_HEAD, "aac", "mp3"),
        ("audio/flac", NOISE, "mp3", "flac"),
        ("audio/mpeg", NOISE, "mp3", "mp3"),
        # What was asked for.
        ("", NOISE, "mp3", "mp3"),
        ("", MP3_HEAD, "opus", "mp3"),
        ("text/plain", NOISE, "opus", "opus"),
        # PCM stays PCM.
        ("", NOISE, "pcm", "pcm"),
        ("", MP3_HEAD, "pcm", "pcm"),
        ("application/octet-stream", ADTS_HEAD, "pcm", "pcm"),
        ("audio/mpeg", NOISE, "pcm", "pcm"),
        ("audio/wav", NOISE, "pcm", "pcm"),
        ("audio/x-raw-speech", NOISE, "pcm", "pcm"),
        ("audio/mp4", MP4_HEAD, "pcm", "buffered"),
        ("", b"\0" * 64, "pcm", "pcm"),
        ("", b'{"a":1}' * 9, "pcm", "pcm"),
    ],
)
def test_choice(kind: str, head: bytes, requested: str, name: str) -> None:
    assert choose(head, kind, requested, ended=False) == name
    # With fewer bytes it is that, or undecided, but never another.
    undecided = {choose(head[:size], kind, requested, ended=False) for size in range(len(head))}
    assert undecided <= {None, name}


@given(st.binary(max_size=80), st.sampled_from(["", "application/octet-stream", "audio/mpeg"]))
def test_the_choice_does_not_change_with_more_bytes(head: bytes, kind: str) -> None:
    for requested in ("pcm", "mp3"):
        seen = [choose(head[:size], kind, requested, False) for size in range(len(head) + 1)]
        assert len({name for name in seen if name}) <= 1


@pytest.mark.parametrize(
    ("head", "name"), [(WAV_HEAD, "wav"), (OPUS_HEAD, "opus"), (FLAC_HEAD, "flac")]
)
def test_a_container_beats_a_reply_that_says_pcm(head: bytes, name: str) -> None:
    assert choose(head, "audio/pcm", "pcm", ended=False) == name


@pytest.mark.parametrize("head", [MP3_HEAD, b"RIFF\0\0\0\0WAV_", b"\xff\xf1", b"\xff"])
@pytest.mark.parametrize(
    "content_type", ["audio/pcm", "audio/L16; rate=24000", "audio/PCM;rate=24000"]
)
def test_a_reply_that_says_pcm_is_pcm(head: bytes, content_type: str) -> None:
    data = head[: len(head) // 2 * 2] * 2
    got = decode_in_pieces(open_decoder(content_type, "mp3"), pieces(data, [1]))
    assert np.array_equal(got[:, 0], from_int16(np.frombuffer(data, "<i2")))


@pytest.mark.parametrize(
    ("content_type", "rate_hz", "channels", "expected"),
    [
        ("audio/pcm", None, None, PcmFormat(24_000)),
        ("audio/pcm", 16_000, None, PcmFormat(16_000)),
        ("audio/pcm; rate=22050", 16_000, None, PcmFormat(22_050)),
        ('audio/pcm;rate="44100"; channels=2', None, 1, PcmFormat(44_100, 2)),
        ("audio/L16; rate=x; channels=1", None, 2, PcmFormat(24_000, 1)),
        ("audio/pcm; encoding=pcm_f32le", None, None, PcmFormat(24_000, 1, "f32")),
    ],
)
def test_pcm_parameters(
    content_type: str, rate_hz: int | None, channels: int | None, expected: PcmFormat
) -> None:
    decoder = open_decoder(content_type, "pcm", rate_hz, channels)
    decoder.feed(bytes(40))
    assert decoder.format == expected


def test_l16_is_little_endian_unless_it_says_otherwise() -> None:
    for content_type, value in (("audio/l16", 1), ("audio/l16; endianness=big-endian", 256)):
        got = decode_in_pieces(open_decoder(content_type, "pcm"), [b"\x01\x00"])
        assert got[0, 0] * 32768 == value


def test_an_absurd_rate_is_refused() -> None:
    with pytest.raises(DecodeError, match="999999999 Hz"):
        open_decoder("audio/pcm; rate=999999999", "pcm")


@given(cuttings)
def test_unlabelled_wav_where_pcm_was_asked_for(sizes: list[int]) -> None:
    values = np.arange(500, dtype="<i2")
    decoder = open_decoder("", "pcm")
    got = decode_in_pieces(decoder, pieces(wav_header(0, 16_000) + values.tobytes(), sizes))
    assert np.array_equal(got[:, 0], from_int16(values))
    assert decoder.format == PcmFormat(16_000, 1, "f32")


@given(st.binary(max_size=60), cuttings)
def test_short_replies_lose_nothing(data: bytes, sizes: list[int]) -> None:
    decoder = open_decoder("", "pcm")
    got = decode_in_pieces(decoder, pieces(b"\x01" + data, sizes))
    whole = (b"\x01" + data)[: (len(data) + 1) // 2 * 2]
    assert np.array_equal(got[:, 0], from_int16(np.frombuffer(whole, "<i2")))


def test_nothing_at_all_is_no_error_here() -> None:
    for requested in ("pcm", "wav", "mp3"):
        decoder = open_decoder("", requested)
        assert len(decoder.feed(b"")) == 0
        assert len(decoder.flush()) == 0


def test_an_unknown_content_says_what_was_seen() -> None:
    decoder = open_decoder("application/json", "mp3")
    with pytest.raises(DecodeError, match="quota"):
        decode_in_pieces(decoder, [b'{"error": "quota"}'])


def test_mp3_by_content_type_though_pcm_was_asked_for() -> None:
    data = mp3(speech(0.5), seekable=False, id3v2_version=0)
    assert data[0] == 0xFF
    decoder = open_decoder("audio/mpeg", "pcm")
    assert len(decode_in_pieces(decoder, pieces(data, [100]))) > 11_000


def test_pcm_and_wav_never_load_ffmpeg() -> None:
    script = (
        "import sys; from voicestream.decode.registry import open_decoder, preload\n"
        "preload('pcm'); preload('wav')\n"
        "open_decoder('audio/pcm', 'pcm').feed(b'1234')\n"
        "open_decoder('', 'pcm').feed(b'RIFF0000WAVELIST' * 3)\n"
        "sys.exit('av' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
