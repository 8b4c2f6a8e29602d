"""Replies that are sound although something speaks against it, and refusals worth understanding."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.said import assert_heard, speak
from tests.support import sound
from tests.support.canary import KEY
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.errors import ConnectionFailedError, ResponseError
from voicestream.speech.base import SpeechRequest
from voicestream.speech.failover import ResilientEndpoint, Route
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.endpoint import HttpEndpoint
from voicestream.speech.retry import RetryPolicy

RAMP = sound.ramp(1200)
PCM, WAV = RAMP.tobytes(), sound.wav(RAMP)
B64, PCM64 = base64.b64encode(WAV).decode(), base64.b64encode(PCM).decode()
LINES = b"".join(b'{"audio": "%s"}\n' % base64.b64encode(part) for part in (PCM[:1001], PCM[1001:]))
ASKED = SpeechRequest("Hello.", "model", "voice", "pcm")


def as_json(fields: Any) -> Script:
    return Script(json.dumps(fields).encode(), content_type="application/json")


@pytest.mark.parametrize(
    "script",
    [
        Script(PCM, status=201),
        Script(PCM, status=206),
        Script(WAV, content_type="application/json"),
        Script(WAV, content_type="text/html; charset=utf-8", piece_bytes=5000),
        Script(sound.wav(RAMP), content_type="audio/pcm"),
        as_json({"audio": B64}),
        as_json({"audio": PCM64, "sample_rate": 24000}),
        as_json({"data": {"audio": WAV.hex()}, "base_resp": {"status_code": 0}}),
        as_json({"audioContent": f"data:audio/wav;base64,{B64}"}),
        as_json({"result": {"b64_json": B64.rstrip("=")}}),
        as_json({"data": [{"b64_json": B64}]}),
        as_json(B64),
        as_json([{"choices": [{"message": {"audio": {"data": B64}}}]}]),
        as_json({"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": PCM64}}),
        Script(f"data:audio/wav;base64,{B64}".encode(), content_type="text/plain"),
        Script(LINES, content_type="application/x-ndjson", piece_bytes=999),
    ],
)
def test_what_is_sound_is_played(script: Script, tmp_path: Path) -> None:
    said = speak(script, tmp_path)
    assert_heard(said, RAMP)
    assert len(said.requests) == 1


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        (as_json({"audio_url": "https://far/x.mp3", "took": 3}), '"audio_url", "took"'),
        (as_json({"code": 7, "message": "no such voice"}), "no such voice"),
        (Script(b"\x01\x02\x00\x05" * 99, status=400), "396 bytes that are no text"),
        (Script(b"\x89PNG\r\n\x1a\n" + PCM, content_type="audio/mpeg"), "bytes that are no text"),
        (Script(b"%PDF-1.7\n" + PCM), "not with speech"),
        (Script(b"Der Dienst l\xc3\xa4uft.", content_type="audio/mpeg"), "Der Dienst läuft."),
        (Script(b'data: {"audio": "%s"}\n\n' % PCM64.encode()), "speech: data:"),
        (Script(b"\xff\xd8\xff\xe0\x00\x10JFIF" + PCM, content_type="audio/mpeg"), "no text"),
        (Script(PCM, content_type="audio/PCMU;rate=8000"), "the coding of telephones"),
        (as_json({"base_resp": {"status_code": 4, "status_msg": "bad login"}}), "bad login"),
        (Script(b"No voice of that name here. " * 9, piece_bytes=7), "speech: No voice of that"),
    ],
)
def test_what_is_none_is_named(script: Script, shown: str, tmp_path: Path) -> None:
    said = speak(script, tmp_path)
    assert said.run.code == 3
    assert shown in said.run.errors[0]


def moved(to: Callable[[Request], str], status: int = 307) -> Callable[[Request], Script]:
    def answer(request: Request) -> Script:
        if request.path.endswith("/new"):
            return Script(PCM)
        return Script(b"", status, None, headers={"Location": to(request)}, framing="length")

    return answer


@pytest.mark.parametrize(
    "to",
    [
        lambda _: "/v1/new",
        lambda _: "new",
        lambda request: f"http://{request.headers['host']}/a/new",
    ],
)
@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_within_the_server_is_followed_once(
    to: Callable[[Request], str], status: int
) -> None:
    with ScriptedServer(moved(to, status)) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url, KEY))
        for _ in range(2):
            assert b"".join(endpoint.open(ASKED)) == PCM
        endpoint.close()
        assert [request.headers["authorization"] for request in server.requests] == [
            f"Bearer {KEY}"
        ] * 3


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("http://127.0.0.1:9/v1/new", 307),
        ("https://{host}/v1/new", 308),
        ("http://user@{host}/v1/new", 307),
        ("/v1/new", 301),  # which asks for a GET
        ("/v1/new", 302),
        ("//127.0.0.2/new", 307),
        ("/v1/audio/speech", 307),  # in a circle
        ("http://[", 307),
    ],
)
def test_any_other_redirect_is_not(to: str, status: int) -> None:
    answer = moved(lambda request: to.format(host=request.headers["host"]), status)
    with ScriptedServer(answer) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url, KEY))
        with pytest.raises(ResponseError, match="redirects"):
            endpoint.open(ASKED)
        endpoint.close()
        assert len(server.requests) == 1


def patient(server: ScriptedServer, retries: int) -> ResilientEndpoint:
    """An endpoint that waits next to nothing between its tries."""
    policy = RetryPolicy(retries, budget_s=30.0, first_s=0.001, longest_s=0.001)
    return ResilientEndpoint(
        [Route("it", lambda: HttpEndpoint(EndpointConfig(server.url, KEY)))], policy
    )


@pytest.mark.parametrize(
    ("script", "asked"),
    [
        (Script.error(429, {"error": {"code": "insufficient_quota", "message": "no"}}), 1),
        (Script.error(402, {"error": {"message": "Insufficient credits"}}), 1),
        (Script.error(401, {"detail": {"status": "quota_exceeded", "message": "3 left"}}), 1),
        (Script.error(429, "This minute's quota exceeded"), 4),
        (Script.error(429, "slow down"), 4),
        (Script.error(503, "busy"), 4),
    ],
)
def test_a_refusal_is_asked_again_where_that_may_help(script: Script, asked: int) -> None:
    with ScriptedServer(script) as server:
        endpoint = patient(server, 3)
        with pytest.raises(ResponseError) as raised:
            endpoint.open(ASKED)
        endpoint.close()
        assert len(server.requests) == asked
    assert ("bills" in raised.value.hint) == (asked == 1)


def test_a_model_that_loads_is_waited_for_beyond_all_counting() -> None:
    loading = Script.error(503, {"error": "Model tts is currently loading", "estimated_time": 8})
    with ScriptedServer([loading] * 9 + [Script(PCM)]) as server:
        endpoint = patient(server, 2)
        assert b"".join(endpoint.open(ASKED)) == PCM
        endpoint.close()
    with ScriptedServer(loading) as server:
        endpoint = patient(server, 0)  # which was asked for
        with pytest.raises(ResponseError):
            endpoint.open(ASKED)
        endpoint.close()
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ({"detail": [{"loc": ["body", "voice"], "msg": "one of a, b"}]}, "Check --voice."),
        ({"error": {"message": "bad", "param": "speed"}}, "Check --speed."),
        ({"error": "bad"}, "--model, --voice"),
    ],
)
def test_the_setting_behind_a_refused_field_is_named(answer: Any, hint: str) -> None:
    with ScriptedServer(Script.error(422, answer)) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url))
        with pytest.raises(ResponseError) as raised:
            endpoint.open(ASKED)
        endpoint.close()
    assert hint in raised.value.hint


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_is_named_where_it_fails(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(f"{scheme}_proxy", "http://user:secret@127.0.0.1:9")
    endpoint = HttpEndpoint(EndpointConfig(f"{scheme}://far.invalid/v1", KEY))
    with pytest.raises(
        ConnectionFailedError, match=r"proxy http://127\.0\.0\.1:9 refused"
    ) as raised:
        endpoint.open(ASKED)
    endpoint.close()
    assert "secret" not in str(raised.value)
    with ScriptedServer(Script.error(407, "who?")) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.url.removesuffix("/v1"))
        endpoint = HttpEndpoint(EndpointConfig(f"{scheme}://far.invalid/v1", KEY))
        with pytest.raises(ResponseError, match="proxy wants to know"):
            endpoint.open(ASKED)
        endpoint.close()
