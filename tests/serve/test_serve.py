"""The embedded voice as a server, with the clients that people have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.cli.command import Call, run
from tests.serve.asking import TEXT, ask, post
from tests.servers.said import Int16, say_at, speak_at
from tests.support import encode
from voicestream.errors import UsageError
from voicestream.pcm import Samples, to_int16
from voicestream.serve.admission import Admission
from voicestream.serve.asked import SERVED_FORMATS
from voicestream.serve.run import serve

SLACK_FRAMES = {"mp3": 2 * 1152, "aac": 3 * 1024, "opus": 0}


@pytest.fixture(scope="module")
def own() -> Int16:
    """The voice without a server between."""
    from hibari import Hibari

    made: Samples = Hibari()(TEXT, seed=0)
    return to_int16(made)


@pytest.mark.parametrize("form", SERVED_FORMATS)
def test_voicestream_hears_its_own_voice(
    form: str, server_url: str, own: Int16, tmp_path: Path
) -> None:
    plain = ("--no-trim", "--no-normalize", "--format", form)
    by_command = form in ("pcm", "opus")
    said = (say_at if by_command else speak_at)(server_url, tmp_path, *plain, text=TEXT)
    assert said.run.errors == []
    heard = said.samples[:, 0]
    assert_same(heard[:: said.rate_hz // 24_000], own, SLACK_FRAMES.get(form))


def assert_same(heard: Int16, own: Int16, slack_frames: int | None) -> None:
    """Sample for sample; with ``slack_frames`` to within a codec's rounding."""
    if slack_frames is None:
        assert np.array_equal(heard, own)
        return
    assert abs(len(heard) - len(own)) <= slack_frames
    shared = min(len(heard), len(own))
    likeness = np.corrcoef(heard[:shared].astype(float), own[:shared].astype(float))[0, 1]
    assert likeness > 0.95


def test_voicestream_hears_events(server_url: str, own: Int16, tmp_path: Path) -> None:
    plain = ("--no-trim", "--no-normalize", "--stream-format", "sse")
    said = speak_at(server_url, tmp_path, *plain, text=TEXT)
    assert said.run.errors == []
    assert np.array_equal(said.samples[:, 0], own)


def test_the_openai_sdk_talks_to_it(server_url: str, own: Int16) -> None:
    import openai

    with openai.OpenAI(api_key="none", base_url=server_url, max_retries=0) as client:
        asked: Any = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": TEXT}
        speech = client.audio.speech
        with speech.with_streaming_response.create(**asked, response_format="pcm") as reply:
            sound = b"".join(reply.iter_bytes())
        assert sound == own.tobytes()
        rate_hz, samples = encode.decode_at_once(speech.create(**asked).content, "mp3")
        assert rate_hz == 24_000
        assert abs(len(samples) - len(own)) <= 3 * 1152
        with pytest.raises(openai.BadRequestError, match="'speed' must be"):
            speech.create(**asked, speed=9)
        assert [model.id for model in client.models.list()] == ["hibari"]
        assert client.models.retrieve("hibari").id == "hibari"
        with pytest.raises(openai.NotFoundError, match="called 'hibari'"):
            client.models.retrieve("gpt-9")


def test_curl_talks_to_it(server_url: str, own: Int16) -> None:
    body = json.dumps({"input": TEXT, "voice": "heart", "response_format": "wav"})
    done = subprocess.run(
        [
            *("curl", "-sS", "--noproxy", "*", f"{server_url}/audio/speech"),
            *("-H", "Content-Type: application/json", "-d", body, "-D", "/dev/stderr"),
        ],
        capture_output=True,
        check=True,
        timeout=30,
    )
    head = done.stderr.decode().lower()
    assert "200 ok" in head
    assert "content-type: audio/wav" in head
    assert "transfer-encoding: chunked" in head
    assert done.stdout[44:] == own.tobytes()


def test_speed_changes_the_length(server_url: str, own: Int16) -> None:
    asked = {"input": TEXT, "voice": "heart", "response_format": "pcm", "speed": 2.0}
    _, _, sound = post(server_url, asked)
    assert 0.3 < len(sound) / 2 / len(own) < 0.8


def test_its_voices_are_listed(server_url: str, tmp_path: Path) -> None:
    ended = run(Call(["voices", "--base-url", server_url]), tmp_path)
    first, *others = ended.out.decode().splitlines()
    own = "heart en-US · neural, 24 kHz · hibari-tts, inside the package · Apache-2.0"
    assert " ".join(first.split()) == own
    told = {line.split()[0]: line.split()[1] for line in others}
    assert told == {
        "pico-en-gb": "en-GB",
        "pico-de": "de-DE",
        "pico-fr": "fr-FR",
        "pico-es": "es-ES",
        "pico-it": "it-IT",
    }


def test_each_sentence_is_spoken_in_its_language(server_url: str) -> None:
    """What two languages make of one text is what each makes of its sentences."""
    whole, english, german = (
        post(server_url, {"input": text, "response_format": "pcm"})[2]
        for text in (
            "Hello there, my friend. Guten Morgen, mein Freund.",
            "Hello there, my friend.",
            "Guten Morgen, mein Freund.",
        )
    )
    assert len(german) > 24_000
    assert whole == english + german


@pytest.mark.parametrize("voice", ["heart", "alloy", "af_bella", "nobody", {"id": "voice_1"}, None])
@pytest.mark.parametrize("model", ["hibari", "kokoro", None])
def test_whoever_is_asked_for_the_reply_says_who_speaks(
    voice: Any, model: str | None, server_url: str
) -> None:
    asked = {"input": "Hi.", "voice": voice, "model": model, "response_format": "pcm"}
    status, headers, _ = post(server_url, asked)
    assert status == 200
    assert headers["x-voicestream-voice"] == "heart"
    assert headers["x-voicestream-model"] == "hibari"


@pytest.mark.parametrize(
    ("body", "status", "param", "words"),
    [
        (b"{", 400, None, "not JSON"),
        (b"[1]", 422, None, "JSON object"),
        ({}, 422, "input", "missing"),
        ({"input": 3}, 422, "input", "must be text"),
        ({"input": " \n"}, 400, "input", "nothing to speak"),
        ({"input": "Hi", "voice": 7}, 422, "voice", "must be text"),
        ({"input": "Hi", "voice": {"id": 7}}, 422, "id", "must be text"),
        ({"input": "Hi", "model": []}, 422, "model", "must be text"),
        ({"input": "Hi", "response_format": "ogg"}, 400, "response_format", "opus"),
        ({"input": "Hi", "stream_format": "ws"}, 400, "stream_format", "sse"),
        ({"input": "Hi", "speed": 9}, 400, "speed", "0.25"),
        ({"input": "Hi", "speed": "fast"}, 422, "speed", "number"),
        ({"input": "Hi", "speed": float("nan")}, 400, "speed", "0.25"),
        (b"[" * 100_000, 400, None, "not JSON"),
        (b" " * 9_000_000, 413, None, "larger"),
    ],
)
def test_what_cannot_be_is_told_in_openais_shape(
    body: bytes | dict[str, Any], status: int, param: str | None, words: str, server_url: str
) -> None:
    found, headers, answer = post(server_url, body)
    assert found == status
    assert headers["content-type"] == "application/json"
    error = json.loads(answer)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert words in error["message"]
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"


def test_other_routes_and_methods_are_refused_in_the_same_shape(server_url: str) -> None:
    for method, route, status in [("GET", "/nothing", 404), ("GET", "/audio/speech", 405)]:
        found, _, answer = ask(server_url, method, route)
        assert found == status
        assert route in json.loads(answer)["error"]["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_program_may_leave_the_content_type_out(kind: str, server_url: str) -> None:
    status, _, sound = post(server_url, {"input": "Hi.", "voice": "heart"}, content_type=kind)
    assert status == 200
    assert len(sound) > 1000


@pytest.mark.parametrize("events", [False, True])
@pytest.mark.parametrize(
    ("text", "named"),
    [
        # Cherokee, which no voice of any system has
        ("\u13a3\u13cf\u13f2, \u13e3\u13b3\u13a9.", "\u13a3\u13cf\u13f2, \u13e3\u13b3\u13a9"),
        ("The word \u13a3\u13cf\u13f2 means hello.", "\u13a3\u13cf\u13f2"),
        ("\U0001f600 \U0001f600", "this text"),
        ("---", "this text"),
    ],
)
def test_what_cannot_be_spoken_is_refused_and_named(
    text: str, named: str, events: bool, server_url: str
) -> None:
    asked = {"input": text, "stream_format": "sse" if events else "audio"}
    status, _, answer = post(server_url, asked)
    error = json.loads(answer)["error"]
    assert (status, error["param"]) == (400, "input")
    assert f"no sounds for {named}:" in error["message"]


def test_a_port_in_use_is_told(server_url: str, tmp_path: Path) -> None:
    ended = run(Call(["serve", "--port", str(urlsplit(server_url).port)]), tmp_path)
    assert ended.code == 1
    assert "cannot listen" in ended.errors[0]
    assert "--port" in ended.errors[0]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "voicestream.serve.connections", raising=False)
    with pytest.raises(UsageError, match=r"pip install 'voicestream\[serve\]'"):
        serve("127.0.0.1", 0, Admission(), print, print)
