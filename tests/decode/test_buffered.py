"""Containers are played while they arrive, or with a note when they have come whole."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.decoding import decode_in_pieces, pieces
from tests.support.encode import decode_at_once, encode, speech
from voicestream.decode import buffered
from voicestream.decode.buffered import BufferedDecoder
from voicestream.decode.registry import open_decoder
from voicestream.errors import DecodeError

SOUND = speech(0.7)


@pytest.mark.parametrize(
    ("codec", "container", "content_type"),
    [
        ("aac", "mp4", "audio/mp4"),
        ("aac", "mp4", "audio/aac"),
        ("aac", "mp4", ""),
        ("aac", "adts", "audio/x-something"),
        ("libopus", "webm", "audio/webm"),
        ("libopus", "webm", ""),
        ("flac", "ogg", "audio/ogg"),
        ("pcm_s16be", "aiff", ""),
        ("pcm_s16be", "aiff", "audio/aiff"),
        ("pcm_s16le", "caf", ""),
        ("pcm_s16be", "au", ""),
        ("pcm_s16le", "asf", ""),
    ],
)
def test_container(codec: str, container: str, content_type: str) -> None:
    rate_hz = 48_000 if codec == "libopus" else 24_000
    data = encode(SOUND, rate_hz, codec, container)
    decoder = open_decoder(content_type, "mp3")
    got = decode_in_pieces(decoder, pieces(data, [999]))
    reference_rate_hz, reference = decode_at_once(data)
    if container != "adts":
        assert ("cannot be streamed" in decoder.note) == (container in ("mp4", "au"))
        assert np.array_equal(got, reference)
    assert decoder.format is not None
    assert decoder.format.rate_hz == reference_rate_hz
    assert abs(len(got) - len(SOUND)) < 2048


def test_formats_that_stream_have_no_note() -> None:
    decoder = open_decoder("audio/wav", "wav")
    decoder.feed(b"RIFF0000WAVELIST")
    assert decoder.note == ""


def test_a_broken_container_is_an_error() -> None:
    data = encode(SOUND, 24_000, "aac", "mp4")
    with pytest.raises(DecodeError, match="cannot be decoded"):
        decode_in_pieces(open_decoder("audio/mp4", "mp3"), [data[:200]])


@pytest.mark.parametrize(("codec", "container"), [("libopus", "webm"), ("flac", "ogg")])
def test_a_container_that_ends_in_its_head_breaks_off(codec: str, container: str) -> None:
    data = encode(SOUND, 48_000, codec, container)
    with pytest.raises(DecodeError, match="breaks off before its first sound"):
        decode_in_pieces(BufferedDecoder(), [data[:300]])


def test_a_film_without_sound_is_told() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=5)
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
    with pytest.raises(DecodeError, match="there is no sound in it"):
        decode_in_pieces(BufferedDecoder(), pieces(file.getvalue(), [99]))


@pytest.mark.parametrize(
    "lines",
    [
        ["ffconcat version 1.0", "file named.wav"],
        ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:0.7,", "named.wav", "#EXT-X-ENDLIST"],
    ],
)
def test_a_playlist_is_not_followed(
    lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg would open what it names."""
    monkeypatch.chdir(tmp_path)
    Path("named.wav").write_bytes(encode(SOUND, 24_000, "pcm_s16le", "wav"))
    with pytest.raises(DecodeError, match="cannot be decoded"):
        decode_in_pieces(BufferedDecoder(), ["\n".join(lines).encode()])


def test_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffered, "MAX_BYTES", 5_000_000)
    decoder = BufferedDecoder()
    decoder.feed(b"\0" * 5_000_000)
    with pytest.raises(DecodeError, match="longer than 5 MB"):
        decoder.feed(b"\0")


@pytest.mark.parametrize("size", [97, 5000])
@pytest.mark.parametrize("container", ["mp4", "matroska", "caf"])
def test_what_can_be_streamed_is(container: str, size: int) -> None:
    codec = "pcm_s16le" if container == "caf" else "aac"
    parts = {"movflags": "frag_keyframe+empty_moov", "frag_duration": 100_000}
    data = encode(SOUND, 24_000, codec, container, **(parts if container == "mp4" else {}))
    decoder, got = BufferedDecoder(), []
    for begin in range(0, len(data), size):
        got.append(decoder.feed(data[begin : begin + size]))
    early = sum(map(len, got))
    got.append(decoder.flush())
    assert early > len(SOUND) // 3
    assert decoder.note == ""
    _, reference = decode_at_once(data)
    assert np.array_equal(np.concatenate([it for it in got if len(it)]), reference)


def test_what_is_given_up_leaves_no_thread() -> None:
    decoder = BufferedDecoder()
    decoder.feed(encode(SOUND, 24_000, "aac", "matroska")[:2000])
    pump = decoder._pump
    assert pump is not None
    assert pump._thread.is_alive()
    del decoder
    pump._thread.join(30)
    assert not pump._thread.is_alive()
