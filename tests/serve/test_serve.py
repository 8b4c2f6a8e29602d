"""The embedded voice as a server, with the clients that people have."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.cli.command import Call, run
from tests.serve.conftest import serving
from tests.servers.said import Int16, say_at, speak_at
from tests.support import encode
from tests.support.canary import KEY
from voicestream.errors import EndpointError, UsageError
from voicestream.pcm import Samples, to_int16
from voicestream.serve.admission import Admission, is_loopback
from voicestream.serve.app import make_app
from voicestream.serve.asked import SERVED_FORMATS
from voicestream.serve.run import serve

TEXT = "Hello there."
SLACK_FRAMES = {"mp3": 2 * 1152, "aac": 3 * 1024, "opus": 0}


def post(
    url: str, body: bytes | dict[str, Any], **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a POST to the speech route."""
    return ask(url, "POST", "/audio/speech", body, **headers)


def ask(
    url: str, method: str, route: str, body: bytes | dict[str, Any] = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    sent = json.dumps(body).encode() if isinstance(body, dict) else body
    given = {"content-type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, parts.path + route, sent, given)
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    result = answer.status, found, answer.read()
    connection.close()
    return result


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


def test_its_health_is_told_without_a_key() -> None:
    class Endpoint:
        loaded: bool | EndpointError = False

        def ready(self) -> bool:
            if isinstance(self.loaded, EndpointError):
                raise self.loaded
            return self.loaded

    endpoint = Endpoint()
    client = TestClient(make_app(Admission(KEY), endpoint), "http://127.0.0.1")  # type: ignore[arg-type]
    assert client.get("/v1/models").status_code == 401
    assert client.get("/health").status_code == 503
    assert client.get("/health", headers={"host": "evil.example"}).status_code == 403
    endpoint.loaded = EndpointError("cannot be loaded")
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "cannot be loaded"})
    endpoint.loaded = True
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


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


def test_a_web_page_cannot_make_it_speak(server_url: str) -> None:
    body = {"input": TEXT, "voice": "heart"}
    for origin in ("http://evil.example", "null", "http://localhost:1", "", "http://["):
        # what a page may send without being asked for leave among them
        for kind in ("application/json", "text/plain; x=application/json", "text/plain"):
            status, headers, answer = post(server_url, body, origin=origin, content_type=kind)
            assert (status, json.loads(answer)["error"]["code"]) == (403, "foreign_origin")
            assert "access-control-allow-origin" not in headers
        asked = {"origin": origin, "access_control_request_method": "POST"}
        status, headers, _ = ask(server_url, "OPTIONS", "/audio/speech", **asked)
        assert status == 204
        assert not any(name.startswith("access-control") for name in headers)
    # a name of a stranger that leads to this machine
    for host in ("evil.example:80", "x@127.0.0.1", "127.0.0.1@evil.example:80", "10.0.0.1"):
        status, _, answer = post(server_url, body, host=host)
        assert (status, json.loads(answer)["error"]["code"]) == (403, "unknown_host")
    assert ask(server_url, "GET", "/models", host="LOCALHOST.:1")[0] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_program_may_leave_the_content_type_out(kind: str, server_url: str) -> None:
    status, _, sound = post(server_url, {"input": "Hi.", "voice": "heart"}, content_type=kind)
    assert status == 200
    assert len(sound) > 1000


def test_names_and_pages_are_let_in_by_flags(tmp_path: Path) -> None:
    page, body = "http://localhost:3000", {"input": "Hi.", "response_format": "pcm"}
    (tmp_path / "key").write_text(KEY)
    flags = ("--allow-host", "host.docker.internal", "--allow-origin", page)
    with serving(tmp_path, *flags, "--api-key-file", "key") as (url, _):
        known = {"authorization": f"Bearer {KEY}", "origin": page}
        status, headers, sound = post(url, body, host="host.docker.internal:8790", **known)
        assert (status, headers["access-control-allow-origin"]) == (200, page)
        assert "x-voicestream-voice" in headers["access-control-expose-headers"]
        assert len(sound) > 1000
        status, _, answer = post(url, body, host="other.internal", **known)
        assert (status, "--allow-host other.internal" in answer.decode()) == (403, True)
        # a page reads why it is refused
        status, headers, _ = post(url, body, origin=page)
        assert (status, headers["access-control-allow-origin"]) == (401, page)
        wanted = {"access_control_request_headers": "authorization,content-type"}
        asked = {"origin": page, "access_control_request_method": "POST", **wanted}
        status, headers, _ = ask(url, "OPTIONS", "/audio/speech", **asked)
        assert (status, headers["access-control-allow-origin"]) == (200, page)
        assert headers["access-control-allow-headers"] == "authorization,content-type"


@pytest.mark.parametrize(
    ("listens", "host", "allowed"),
    [
        *(("0.0.0.0", "192.168.1.2:8790", True), ("0.0.0.0", "localhost", True)),
        *(("::", "[fe80::1]:8790", True), ("0.0.0.0", "evil.example", False)),
        *(("192.168.1.2", "192.168.1.2", True), ("0.0.0.0", "", False)),
        *(("0.0.0.0", "192.168.1.2@evil.example", False), ("a.example", "A.Example:1", True)),
        *(("0.0.0.0", "box.lan:1", True), ("127.0.0.1", "192.168.1.2", False)),
        *(("::1", "[::1]:1", True), ("127.0.0.1", "box.lan.", True)),
    ],
)
def test_it_goes_by_addresses_and_by_names_that_it_knows(
    listens: str, host: str, allowed: bool
) -> None:
    refusal = Admission.at(listens, allowed=["Box.lan"]).refusal({"host": host})
    assert (refusal is None) is allowed


@pytest.mark.parametrize(
    "flags", [{"allowed": ["a:80"]}, {"origins": ["*"]}, {"origins": ["localhost:3000"]}]
)
def test_a_malformed_name_or_origin_is_told(flags: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError):
        Admission.at("127.0.0.1", **flags)  # type: ignore[arg-type]


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


def test_a_key_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    with serving(tmp_path, "--api-key-file", "key") as (url, process):
        body = {"input": "Hi.", "voice": "heart"}
        for headers in ({}, {"authorization": "Bearer sk-wrong"}):
            status, _, answer = post(url, body, **headers)
            assert (status, json.loads(answer)["error"]["code"]) == (401, "invalid_api_key")
        assert post(url, body, authorization=f"Bearer {KEY}")[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_it_listens_on_this_machine_only(server_url: str) -> None:
    port = f"{urlsplit(server_url).port:04X}"
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {row[1] for row in sockets if row[3] == "0A" and row[1].endswith(f":{port}")}
    assert listening == {f"0100007F:{port}"}
    assert urlsplit(server_url).hostname == "127.0.0.1"


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


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *(("127.0.0.1", True), ("127.9.9.9", True), ("localhost", True), ("::1", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.1.2", False), ("a.example", False)),
    ],
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
