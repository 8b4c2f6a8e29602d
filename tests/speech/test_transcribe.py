"""What was said, written down by a scripted server."""

from __future__ import annotations

import io
import json
import re
import wave

import pytest

from tests.support.canary import KEY
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.errors import EndpointError
from voicestream.pcm import PcmFormat
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.retry import RetryPolicy
from voicestream.speech.transcribe import Transcriber

PCM = PcmFormat(16_000)
SOUND = bytes(range(256)) * 40


def written(server: ScriptedServer, language: str = "", retries: int = 0) -> str:
    policy = RetryPolicy(retries, first_s=0.001)
    config = EndpointConfig(server.url, KEY, "a test")
    transcriber = Transcriber(config, policy, "listener", language)
    try:
        return transcriber.text_of(SOUND, PCM)
    finally:
        transcriber.close()


def reply(told: object) -> Script:
    return Script(json.dumps(told).encode(), content_type="application/json")


def test_the_sound_goes_as_a_file_in_a_form() -> None:
    with ScriptedServer(reply({"text": " Wait a moment. "})) as server:
        assert written(server, "de") == "Wait a moment."
    (asked,) = server.requests
    assert asked.path == "/v1/audio/transcriptions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    boundary = asked.headers["content-type"].removeprefix("multipart/form-data; boundary=")
    before, *parts, after = asked.body.split(b"--" + boundary.encode())
    assert (before, after) == (b"", b"--\r\n")
    fields = dict(part.strip(b"\r\n").split(b"\r\n\r\n", 1) for part in parts[:-1])
    names = {re.findall(b'name="(.+?)"', head)[0]: held for head, held in fields.items()}
    assert names == {b"model": b"listener", b"response_format": b"json", b"language": b"de"}
    head, _, file = parts[-1].partition(b"\r\n\r\n")
    assert b'name="file"; filename="turn.wav"' in head
    with wave.open(io.BytesIO(file[:-2])) as sound:
        assert sound.getparams()[:3] == (1, 2, 16_000)
        assert sound.readframes(sound.getnframes()) == SOUND


def test_plain_text_and_nothing_are_answers_too_and_a_busy_server_is_asked_again() -> None:
    scripts = [
        Script.error(503, {"error": "busy"}),
        Script(b"Plain words.\n", content_type="text/plain"),
    ]
    with ScriptedServer(scripts) as server:
        assert written(server, retries=1) == "Plain words."
    with ScriptedServer(reply({"text": ""})) as server:
        assert written(server) == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Script.error(401, {"error": {"message": f"bad key {KEY}"}}), "VOICESTREAM_API_KEY"),
        (Script.error(404, {"error": {"code": "model_not_found"}}), "--transcribe-model"),
        (Script.error(404, {"detail": "Not Found"}), "--transcribe-base-url"),
        (Script.error(400, {"error": "bad file"}), "--transcribe-base-url"),
        (reply({"error": {"message": "no ears"}}), "no ears"),
        (Script(b"<html>", content_type="text/html"), "does not tell"),
        (Script(b"Half", cut_after_bytes=2), "broke off"),
    ],
)
def test_what_went_wrong_is_told(answer: Script, words: str) -> None:
    with ScriptedServer(answer) as server, pytest.raises(EndpointError) as raised:
        written(server)
    assert words in str(raised.value)
