"""What servers in the wild do, each by a real socket; one of each kind by the real command."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.servers.said import assert_heard, assert_like, say, speak
from tests.support import encode, sound
from tests.support.script import Request, Script

RAMP = sound.ramp(1200)
PCM = RAMP.tobytes()
SPEECH = sound.speechlike(0.2)
HALF, REST = RAMP[:600], RAMP[600:]


def pcm(body: bytes = PCM, **more: object) -> Script:
    return Script(body, **more)  # type: ignore[arg-type]


def wav(body: bytes, **more: object) -> Script:
    return Script(body, content_type="audio/wav", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("script", "form"),
    [
        (
            pcm(headers={"X-Audio-Sample-Rate": "24000"}, piece_bytes=(1, 99), framing="length"),
            "pcm",
        ),
        (pcm(content_type=None, framing="close"), "pcm"),
        (pcm(gzip.compress(PCM), headers={"Content-Encoding": "gzip"}, piece_bytes=100), "pcm"),
        (wav(sound.wav(RAMP, extra_chunk=True) + b"\x7f" * 99), "wav"),
        (wav(sound.wav(HALF, sizes="max") + sound.wav(REST, sizes="zero"), piece_bytes=7), "mp3"),
    ],
    ids=["hint and odd pieces", "no type, closed", "gzip", "WAV with junk", "WAV by the sentence"],
)
def test_the_command_plays(script: Script, form: str, tmp_path: Path) -> None:
    assert_heard(say(script, tmp_path, "--format", form), RAMP)


@pytest.mark.parametrize(
    ("script", "rate_hz"),
    [
        (pcm(headers={"X-Audio-Sample-Rate": "16000"}), 16_000),
        (pcm(headers={"x-sample-rate": "22050"}), 22_050),
        (pcm(headers={"Audio-Sampling-Rate": "16 kHz"}), 16_000),
        (pcm(headers={"X-TTS-SampleRate": "16000 Hz"}), 16_000),
        (pcm(headers={"X-Sample-Rate-Hertz": "16000"}), 16_000),
        (pcm(content_type="audio/x-raw, format=S16LE, sampling_rate=16000"), 16_000),
        (pcm(headers={"X-Rate-Limit": "60", "X-RateLimit-Rate": "9000"}), 24_000),
        (pcm(content_type="audio/pcm; rate=16000"), 16_000),
        (pcm(content_type="audio/L16;rate=22050;channels=1"), 22_050),
        # what describes the bytes themselves is stronger than what a proxy may have added
        (pcm(content_type="audio/pcm;rate=16000", headers={"X-Sample-Rate": "24000"}), 16_000),
        (pcm(headers={"X-Sample-Rate": "fast"}), 24_000),
    ],
)
def test_the_rate_that_is_hinted_at_is_the_pitch(
    script: Script, rate_hz: int, tmp_path: Path
) -> None:
    assert_heard(speak(script, tmp_path), RAMP, rate_hz)


@pytest.mark.parametrize("hint", ["7", "999999999"])
def test_a_rate_that_cannot_be_is_told(hint: str, tmp_path: Path) -> None:
    said = speak(pcm(headers={"X-Sample-Rate": hint}), tmp_path)
    assert said.run.code == 3
    assert hint in said.run.errors[0]


@pytest.mark.parametrize(
    ("sizes", "extra_chunk"),
    [("true", True), ("zero", False), ("max", True), ("signed_max", False)],
)
def test_a_wav_whose_sizes_cannot_be_true_is_whole(
    sizes: sound.WavSizes, extra_chunk: bool, tmp_path: Path
) -> None:
    body = sound.wav(RAMP, sizes=sizes, extra_chunk=extra_chunk)
    assert_heard(speak(wav(body, piece_bytes=(1, 43, 777)), tmp_path, "--format", "wav"), RAMP)


def test_a_riff_header_for_each_sentence_is_not_heard(tmp_path: Path) -> None:
    body = sound.wav(HALF, sizes="max") + sound.wav(REST, sizes="max", extra_chunk=True)
    assert_heard(speak(wav(body, piece_bytes=333), tmp_path, "--format", "wav"), RAMP)


def test_junk_behind_a_wav_is_not_heard(tmp_path: Path) -> None:
    junk = b"LIST\x08\x00\x00\x00INFOabcd" + b"\x7f" * 100
    assert_heard(speak(wav(sound.wav(RAMP) + junk), tmp_path, "--format", "wav"), RAMP)


def test_a_header_alone_is_no_sound_yet(tmp_path: Path) -> None:
    """The header comes at once, the sound 0.3 s later: the gate must not count the header."""
    body = sound.wav(RAMP, sizes="max")
    script = wav(body, arrivals=[(0.0, 44), (0.3, len(body))])
    said = speak(script, tmp_path, "--format", "wav", "--json")
    assert_heard(said, RAMP)
    assert b'"underruns": 0' in said.run.out


@pytest.mark.parametrize("sizes", [1, (1, 2, 3), (3, 1021), 100_000])
def test_pieces_of_any_size_join_to_the_same_sound(
    sizes: int | tuple[int, ...], tmp_path: Path
) -> None:
    assert_heard(speak(pcm(piece_bytes=sizes), tmp_path), RAMP)


@pytest.mark.parametrize("kind", [None, "application/octet-stream", "audio/mpeg", "binary"])
def test_pcm_plays_under_any_name(kind: str | None, tmp_path: Path) -> None:
    assert_heard(speak(pcm(content_type=kind), tmp_path), RAMP)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [(None, "pcm"), ("audio/mpeg", "pcm"), ("application/octet-stream", "mp3"), ("x", "flac")],
)
def test_a_wav_that_nobody_asked_for_plays_under_any_name(
    kind: str | None, asked: str, tmp_path: Path
) -> None:
    """Servers that know only WAV, whatever is asked for."""
    script = Script(sound.wav(RAMP, sizes="max"), content_type=kind, piece_bytes=(1, 500))
    assert_heard(speak(script, tmp_path, "--format", asked), RAMP)


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_every_way_to_tell_the_end(framing: str, tmp_path: Path) -> None:
    assert_heard(speak(pcm(framing=framing), tmp_path), RAMP)


@pytest.mark.parametrize("framing", ["length"])
def test_a_connection_closed_instead_of_ended_is_told_and_what_came_is_heard(
    framing: str, tmp_path: Path
) -> None:
    script = pcm(framing=framing, cut_after_bytes=1200)
    said = speak(script, tmp_path)
    assert said.run.code == 3
    assert "after 1200 bytes" in said.run.errors[0]
    assert np.array_equal(said.samples.ravel(), RAMP[:600])


@pytest.mark.parametrize(
    ("script", "form", "asked"),
    [
        # what the header says is all there: it is whole
        (
            wav(
                sound.wav(RAMP),
                framing="length",
                declared_bytes=len(PCM) + 88,
                cut_after_bytes=len(PCM) + 44,
            ),
            "wav",
            1,
        ),
        (wav(sound.wav(RAMP), cut_after_bytes=len(PCM) + 44), "wav", 1),
        # raw samples tell nothing: a server that ends there again has no more
        (pcm(cut_after_bytes=len(PCM)), "pcm", 2),
        (
            pcm(framing="length", declared_bytes=len(PCM) + 44, cut_after_bytes=len(PCM)),
            "pcm",
            2,
        ),
    ],
    ids=["WAV, length", "WAV, chunked", "PCM, chunked", "PCM, length"],
)
def test_a_reply_that_is_whole_but_for_its_end(
    script: Script, form: str, asked: int, tmp_path: Path
) -> None:
    said = say(script, tmp_path, "--format", form, "--retries", "3")
    assert said.run.code == 0
    assert len(said.requests) == asked
    assert np.array_equal(said.samples.ravel(), RAMP)
    assert ('taken for whole: "Hello there."' in said.run.err) == (asked == 2)


def test_a_server_that_can_end_its_replies_has_more(tmp_path: Path) -> None:
    def answer(request: Request) -> Script:
        first = request.json["input"].startswith("Hello")
        return pcm() if first else pcm(cut_after_bytes=1200)

    said = say(answer, tmp_path, "--retries", "3", "--lookahead", "0", text="Hello.\n\nThere.")
    assert said.run.code == 3
    assert "after 1200 bytes" in said.run.errors[0]


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("gzip", gzip.compress(PCM)),
        ("x-gzip", gzip.compress(PCM[:1000]) + gzip.compress(PCM[1000:]) + b"junk"),
        ("deflate", zlib.compress(PCM)),
        ("deflate", zlib.compress(PCM)[2:-4]),
        ("identity", PCM),
    ],
    ids=["gzip", "members and junk", "zlib", "bare deflate", "identity"],
)
def test_a_body_that_is_compressed_unasked_plays(name: str, packed: bytes, tmp_path: Path) -> None:
    script = pcm(packed, headers={"Content-Encoding": name}, piece_bytes=(1, 100))
    said = speak(script, tmp_path)
    assert said.requests[0].headers["accept-encoding"] == "identity"
    assert_heard(said, RAMP)


def test_a_compressed_body_plays_while_it_arrives(tmp_path: Path) -> None:
    machine = zlib.compressobj(wbits=31)
    long = sound.ramp(24_000).tobytes()
    first = machine.compress(long[:24_000]) + machine.flush(zlib.Z_SYNC_FLUSH)
    body = first + machine.compress(long[24_000:]) + machine.flush()
    script = pcm(
        body,
        headers={"Content-Encoding": "gzip"},
        arrivals=[(0.0, len(first)), (20.0, len(body))],
    )
    said = speak(script, tmp_path, "--stall-timeout", "0.5", "--retries", "0")
    assert said.run.code == 3
    assert np.array_equal(said.samples.ravel(), sound.ramp(12_000))


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("br", PCM, "compressed (br)"),
        ("gzip", PCM, "not the gzip it claims to be"),
        ("gzip", gzip.compress(PCM)[:-30], "its gzip has no end"),
    ],
)
def test_a_compressed_body_that_cannot_be_read_is_told(
    name: str, body: bytes, words: str, tmp_path: Path
) -> None:
    said = speak(pcm(body, headers={"Content-Encoding": name}), tmp_path)
    assert said.run.code == 3
    assert words in said.run.errors[0]


def test_a_compressed_refusal_can_be_read(tmp_path: Path) -> None:
    body = gzip.compress(b'{"error": {"message": "no such voice"}}')
    script = Script(body, 404, "application/json", headers={"Content-Encoding": "gzip"})
    said = speak(script, tmp_path)
    assert "no such voice" in said.run.errors[0]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Script(b""), ["empty body"]),
        (Script(b"", framing="length"), ["empty body"]),
        (Script(b"", content_type=None, framing="close"), ["empty body"]),
        (Script(b'{"error":"no voice"}', content_type="application/json"), ["json", "no voice"]),
        (Script(b"<html>Welcome</html>", content_type="text/html"), ["text/html", "Welcome"]),
        (Script(b'{"error":{"message":"no voice"}}', piece_bytes=3), ["a message", "no voice"]),
        (Script(b"<!DOCTYPE html><p>Hi", content_type=None), ["a message", "Hi"]),
        (Script(b'{"detail":"busy"}', content_type="audio/mpeg"), ["a message", "busy"]),
    ],
)
def test_status_200_without_speech_is_told(
    script: Script, words: list[str], tmp_path: Path
) -> None:
    said = speak(script, tmp_path)
    assert said.run.code == 3
    assert all(word in said.run.errors[0] for word in words), said.run.errors
    assert not len(said.samples)


@pytest.mark.parametrize("head", [b"{", b"{\x00", b"<h", b'{"err0r"', b"[1"])
def test_sound_that_begins_like_a_message_is_sound(head: bytes, tmp_path: Path) -> None:
    body = head + PCM[len(head) :]
    assert_heard(speak(pcm(body, piece_bytes=1), tmp_path), np.frombuffer(body, "<i2"))


@pytest.mark.parametrize(
    ("form", "kind", "slack_frames"),
    [
        ("wav", "audio/x-wav", 0),
        ("flac", "audio/flac", 0),
        ("mp3", "audio/mpeg", 1152),
        ("aac", "audio/aac", 2048),
        ("opus", "audio/ogg; codecs=opus", 0),
        ("buffered", "audio/mp4", 2048),
    ],
)
def test_every_format_is_heard_at_the_right_pitch(
    form: str, kind: str, slack_frames: int, tmp_path: Path
) -> None:
    rate_hz = 48_000 if form == "opus" else 24_000
    voice = sound.speechlike(0.2, rate_hz)
    body = encode.every_format((voice / 32768).astype(np.float32)[:, None])[form]
    asked = "mp3" if form == "buffered" else form
    said = speak(Script(body, content_type=kind), tmp_path, "--format", asked)
    assert said.rate_hz == rate_hz
    assert_like(said, voice, slack_frames)
    assert not said.run.warnings
