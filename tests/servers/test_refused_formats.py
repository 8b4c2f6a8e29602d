"""A format that is ignored or refused: asked again at most as often as it can help."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.said import assert_heard, assert_like, say, speak
from tests.support import encode, sound
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.pcm import from_int16
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.endpoint import HttpEndpoint
from voicestream.speech.http.negotiate import Agreement

RAMP = sound.ramp(1200)
WAV = Script(sound.wav(RAMP, sizes="max"), content_type="audio/wav")
SPEECH = sound.speechlike(0.2)
MP3 = sound.mp3(SPEECH)


def accepting(*known: str | None, message: Any) -> Callable[[Request], Script]:
    """A server that knows only these formats (None: the field left out)."""

    def answer(request: Request) -> Script:
        asked = request.json.get("response_format")
        if asked not in known:
            return Script.error(400 if isinstance(message, str) else 422, message)
        body = {"wav": WAV, "mp3": Script(MP3, content_type="audio/mpeg")}
        return body.get(str(asked), WAV)

    return answer


FASTAPI = {
    "detail": [
        {
            "type": "literal_error",
            "loc": ["body", "response_format"],
            "msg": "Input should be 'mp3' or 'wav'",
            "input": "pcm",
        }
    ]
}


@pytest.mark.parametrize(
    ("known", "message", "asked"),
    [
        ([None], "Unknown parameter: response_format", ["pcm", None]),
        ([None], {"error": {"message": "pcm output is not supported"}}, ["pcm", None]),
        (["wav", "mp3"], FASTAPI, ["pcm", "wav"]),
        (["wav"], "response_format must be one of: mp3, wav", ["pcm", "wav"]),
        (["mp3"], "unsupported audio format", ["pcm", None, "mp3"]),
        (
            ["mp3"],
            {"detail": "response_format is required and must be known"},
            ["pcm", None, "mp3"],
        ),
    ],
)
def test_what_is_refused_is_asked_for_differently(
    known: list[str | None], message: Any, asked: list[str | None], tmp_path: Path
) -> None:
    said = speak(accepting(*known, message=message), tmp_path)
    assert said.formats == asked
    if asked[-1] == "mp3":
        assert_like(said, SPEECH, 1152)
    else:
        assert_heard(said, RAMP)


@pytest.mark.parametrize(
    "message",
    [
        "voice 'alloy' is not supported",
        {"error": {"message": "model not found", "param": "model"}},
        # the whole request is repeated, which says nothing of its format
        {
            "detail": [
                {"loc": ["body", "voice"], "msg": "should be one of a, b", "input": {"x": "pcm"}}
            ]
        },
        {"error": "Input is too long: at most 200 characters are supported"},
    ],
)
def test_a_refusal_of_something_else_is_not_repeated(message: Any, tmp_path: Path) -> None:
    said = speak(Script.error(422, message), tmp_path)
    assert said.formats == ["pcm"]
    assert said.run.code == 3


def test_a_server_that_refuses_everything_is_asked_a_few_times_only(tmp_path: Path) -> None:
    said = speak(Script.error(400, "unsupported response_format"), tmp_path)
    assert said.formats == ["pcm", None, "mp3", "wav"]
    assert said.run.code == 3
    assert "unsupported response_format" in said.run.errors[0]


@pytest.mark.parametrize("good", [0, 1])
def test_a_key_that_is_refused_is_refused_for_all_that_follows(good: int, tmp_path: Path) -> None:
    """What is in flight by then cannot be called back: two beyond the one that is heard."""
    answers = [Script(sound.ramp(2400).tobytes())] * good + [Script.error(401, "no")] * 20
    text = " ".join(f"This is sentence number {number}." for number in range(12))
    said = speak(answers, tmp_path, "--lookahead", "2", "--batch-chars", "1", text=text)
    assert said.run.code == 4
    assert good < len(said.requests) <= good + 3


@pytest.mark.parametrize("status", [401, 404, 429])
def test_other_statuses_are_never_about_the_format(status: int) -> None:
    asked = SpeechRequest("Hi.", "model", "voice", "pcm")
    assert not Agreement().learn(asked, status, b"unsupported response_format")
    assert Agreement().learn(asked, 400, b"unsupported response_format")
    assert Agreement().learn(asked, 500, b"Unsupported format: pcm")
    assert Agreement().learn(asked, 502, b'{"error": "codec not implemented"}')
    assert Agreement().learn(asked, 502, b"pcm is not implemented")
    assert not Agreement().learn(asked, 500, b"Internal Server Error")
    assert not Agreement().learn(asked, 502, b"Bad Gateway: this method is not implemented")


def test_what_was_refused_once_is_remembered_for_the_endpoint(tmp_path: Path) -> None:
    said = say(accepting(None, message="no response_format"), tmp_path, text="One. Two. Three.")
    assert said.run.code == 0
    assert said.formats.count("pcm") <= 3  # the first ones may be on their way together
    with ScriptedServer(accepting("wav", message="response_format must be wav")) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url))
        for model in ("a", "a", "b"):
            assert list(endpoint.open(SpeechRequest("Hi.", model, "voice", "pcm")))
        endpoint.close()
        endpoint = HttpEndpoint(EndpointConfig(server.url))  # who knows who listens there by then
        assert list(endpoint.open(SpeechRequest("Hi.", "a", "voice", "pcm")))
        endpoint.close()
        formats = [request.json["response_format"] for request in server.requests]
    # another model may know others
    assert formats == ["pcm", "wav", "wav", "pcm", "wav", "pcm", "wav"]


def test_a_reply_without_a_name_is_what_was_asked_for_instead(tmp_path: Path) -> None:
    """MP3 without a content type and without a tag, where PCM was wanted at first."""

    def answer(request: Request) -> Script:
        if "response_format" in request.json:
            return Script.error(400, "unknown field response_format")
        return Script(bare, content_type=None)

    voice = from_int16(SPEECH[:, None])
    bare = encode.mp3(voice, bit_rate=128_000, write_xing=0, id3v2_version=0)
    assert_like(speak(answer, tmp_path), SPEECH, 2 * 1152)


def test_an_agreement_never_goes_round_in_circles() -> None:
    agreement = Agreement()
    asked = SpeechRequest("Hi.", "model", "voice", "opus")
    body = json.dumps({"error": "response_format: only pcm, wav, mp3, opus, flac, aac"}).encode()
    seen = [asked.format]
    while agreement.learn(asked, 400, body):
        asked = agreement.adapt(SpeechRequest("Hi.", "model", "voice", "opus"))
        seen.append(asked.format)
    assert seen == ["opus", "pcm", "wav", "mp3", "flac", "aac", ""]
