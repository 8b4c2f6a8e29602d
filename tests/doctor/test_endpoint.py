"""What is said of endpoints that are well, slow, closed, false, or not there."""

from __future__ import annotations

import json
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import tones
from tests.support.canary import KEY
from tests.support.encode import wav_header
from tests.support.realtime_events import Asked, Step, speak
from tests.support.realtime_server import RealtimeServer
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer, tls_context
from voicestream.doctor.endpoint import check_endpoints
from voicestream.doctor.finding import Finding, exit_code
from voicestream.doctor.sentence import SENTENCE
from voicestream.settings.gone import keep_gone
from voicestream.settings.table import Settings, load

SAMPLES = tones.speech(SENTENCE, 1.0)
SOUND = SAMPLES.tobytes()
LIST = {"data": [{"id": "gpt-4o-mini-tts"}, {"id": "other"}]}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy, and nothing learnt before."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def settings_for(url: str, tmp_path: Path, **more: object) -> Settings:
    flags = {"base_url": url, "api_key": KEY, "timeout_s": "2", **more}
    return load(flags, {"XDG_STATE_HOME": str(tmp_path)}, tmp_path, tmp_path / "none.toml")


def speaks(script: Script, models: object = LIST) -> ScriptedServer:
    """A server that speaks as scripted, and lists its models."""

    def answer(request: Request) -> Script:
        return Script.error(200, models) if request.path.endswith("/models") else script

    return ScriptedServer(answer)


def found(settings: Settings, free: bool = False) -> list[Finding]:
    findings = list(check_endpoints(settings, free))
    assert KEY not in json.dumps([finding.to_dict() for finding in findings])
    return findings


def test_whether_it_tells_the_times_of_words_is_said(tmp_path: Path) -> None:
    told = [{"word": "This", "start_time": 0.1, "end_time": 0.2}]
    line = json.dumps({"audio": b64encode(SOUND).decode(), "timestamps": told}).encode()
    for content_type, body in (("application/json", line), ("audio/pcm", SOUND)):
        with speaks(Script(body, content_type=content_type)) as server:
            findings = found(settings_for(server.url, tmp_path, stream_format="captions"))
        assert ("no times" in marked(findings)) == (body is SOUND)


def marked(findings: list[Finding]) -> str:
    """What is not good, in words."""
    return "\n".join(f"{f.what} -> {f.todo}" for f in findings if f.verdict != "good")


def test_a_good_endpoint_is_asked_once_and_told_of(tmp_path: Path) -> None:
    with speaks(Script(SOUND, rate_bytes_per_s=4 * 48_000)) as server:
        findings = found(settings_for(server.url, tmp_path))
        asked = [request for request in server.requests if request.method == "POST"]
    assert marked(findings) == ""
    assert exit_code(findings) == 0
    assert [request.json["input"] for request in asked] == [SENTENCE]
    (speed,) = (f.figures for f in findings if "rate" in f.figures)
    assert speed["format"] == "pcm"
    assert speed["audio_s"] == pytest.approx(len(SAMPLES) / 24_000, abs=0.001)
    assert 2 < speed["rate"] < 20


def refusing() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}/v1"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://no-such-host.invalid/v1", "no address found for no-such-host.invalid:443"),
        ("", "Is the server running, on that port?"),
    ],
)
def test_where_nobody_answers_the_way_is_what_is_broken(
    url: str, says: str, tmp_path: Path
) -> None:
    findings = found(settings_for(url or refusing(), tmp_path))
    assert says in marked(findings)
    assert [finding.verdict for finding in findings] == ["broken"]
    assert exit_code(findings) == 3


def test_a_silent_server_is_waited_for_a_few_seconds_unless_more_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicestream.doctor.endpoint._SILENT_S", 0.2)
    with speaks(Script(SOUND, header_delay_s=0.6)) as server:
        soon = found(settings_for(server.url, tmp_path, timeout_s=None))
        patient = found(settings_for(server.url, tmp_path, timeout_s="20"))
    assert "sent nothing for 0.2 s" in marked(soon)
    assert "doctor --timeout 60" in marked(soon)
    assert exit_code(soon) == 3
    assert exit_code(patient) == 0


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with speaks(Script(SOUND, header_delay_s=30)) as server:
        findings = found(settings_for(server.url, tmp_path, timeout_s="0.3"))
    assert "sent nothing for 0.3 s" in marked(findings)
    assert exit_code(findings) == 3


def test_a_refused_key_is_named_by_its_source_and_ends_with_4(tmp_path: Path) -> None:
    script = Script.error(401, {"error": {"message": f"Incorrect API key provided: {KEY}."}})
    with ScriptedServer(lambda _: script) as server:
        findings = found(settings_for(server.url, tmp_path))
        free = found(settings_for(server.url, tmp_path), free=True)
    for told in (findings, free):
        assert "refused the key" in marked(told)
        assert "--api-key-file" in marked(told)
        assert exit_code(told) == 4


def test_tls_that_is_none_never_comes_or_is_not_trusted(tmp_path: Path) -> None:
    with ScriptedServer(Script(SOUND)) as silent:  # it waits for the rest of a request
        secure = silent.url.replace("http:", "https:")
        findings = found(settings_for(secure, tmp_path, connect_timeout_s="0.3"))
    assert "Does it speak https on that port?" in marked(findings)
    assert exit_code(findings) == 3
    with plain_server() as secure:
        findings = found(settings_for(secure, tmp_path))
    assert "no TLS with" in marked(findings)
    assert exit_code(findings) == 3
    with ScriptedServer(Script(SOUND), tls=True) as server:
        findings = found(settings_for(server.url, tmp_path))
    assert "SSL_CERT_FILE" in marked(findings)
    assert exit_code(findings) == 3


@contextmanager
def plain_server() -> Iterator[str]:
    """The https URL of a server that answers whatever comes with plain HTTP."""

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            client.recv(4096)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/v1"


def test_a_certificate_that_ends_soon_is_worth_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path / "own.pem"
    context = tls_context(certificate)  # good for two days
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def honest(asked: Asked) -> Iterator[Step]:
        return speak(asked, SOUND)

    with RealtimeServer(honest, tls=context) as server:
        findings = found(settings_for(server.url, tmp_path))
    assert "its certificate ends on" in marked(findings)
    assert exit_code(findings) == 0
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        (
            Script(wav_header(len(SOUND)) + SOUND, content_type="audio/wav"),
            0,
            "asked for pcm and sent wav",
        ),
        (Script(SOUND, rate_bytes_per_s=40_000), 0, "It will stop while it speaks"),
        (Script(b"<html>Hello", content_type="text/html"), 3, "right base URL"),
        (Script(SOUND, cut_after_bytes=3000), 3, "broke off"),
        (Script(SOUND, headers={"Sunset": "Wed, 06 Jan 2027 00:00:00 GMT"}), 0, "06 Jan 2027"),
        (Script(raw=b"SSH-2.0-x\r\n"), 3, "before the reply"),
    ],
    ids=["another format", "slow", "a page", "breaks off", "sunset", "no HTTP"],
)
def test_what_is_wrong_with_a_reply_is_said(
    script: Script, code: int, says: str, tmp_path: Path
) -> None:
    with speaks(script) as server:
        findings = found(settings_for(server.url, tmp_path))
    assert says in marked(findings)
    assert exit_code(findings) == code


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"deprecation": {"inference": 1798761600}}, "2027-01-01"),
        ({"shutdown_date": "2027-01-06"}, "2027-01-06"),
        ({"deprecated": True}, "deprecated"),
        ({"expiration_date": None, "deprecated": False, "created": 1798761600}, ""),
    ],
)
def test_the_end_of_a_model_is_what_the_list_says(
    entry: dict[str, object], says: str, tmp_path: Path
) -> None:
    with speaks(Script(SOUND), {"data": [{"id": "gpt-4o-mini-tts", **entry}]}) as server:
        settings = settings_for(server.url, tmp_path)
        for free in (True, False):
            told = marked([f for f in found(settings, free) if "--free" not in f.todo])
            assert says in told
            assert bool(told) == bool(says)


def test_a_model_that_is_known_to_be_gone_is_told(tmp_path: Path) -> None:
    with speaks(Script(SOUND)) as server:
        keep_gone(server.url, "gpt-4o-mini-tts")
        findings = found(settings_for(server.url, tmp_path), free=True)
    assert "gpt-4o-mini-tts was shut down there" in marked(findings)


def test_free_asks_for_no_speech(tmp_path: Path) -> None:
    with speaks(Script(SOUND)) as server:
        findings = found(settings_for(server.url, tmp_path, model="mine"), free=True)
        assert [request.method for request in server.requests] == ["GET"]
    assert "mine is not in its list (gpt-4o-mini-tts, other)" in marked(findings)
    assert exit_code(findings) == 0


def test_where_another_endpoint_stands_in_it_can_speak(tmp_path: Path) -> None:
    with speaks(Script(SOUND)) as second, speaks(Script(SOUND)) as third:
        listed = f"{refusing()},{second.url}||mine|ash,{third.url}"
        findings = found(settings_for("", tmp_path, base_urls=listed))
        assert [r.json["model"] for r in second.requests if r.method == "POST"] == ["mine"]
        assert third.requests == []
    port = third.url.split(":")[2].partition("/")[0]
    assert any(f"127.0.0.1:{port} answers" in finding.what for finding in findings)
    assert "refused the connection" in marked(findings)
    assert exit_code(findings) == 0


def test_each_named_endpoint_is_asked_alone_and_with_what_is_its_own(tmp_path: Path) -> None:
    dead = refusing()
    with speaks(Script(SOUND)) as server:
        config = tmp_path / "config.toml"
        config.write_text(
            f'[endpoint.dead]\nbase_url = "{dead}"\nheaders = {{X-Tenant = "dead"}}\n'
            f'[endpoint.live]\nbase_url = "{server.url}"\nkey_variable = "LIVE_KEY"\n'
            'model = "other"\nformat = "wav"\nheaders = {X-Tenant = "live"}\nbody = {lang = "e"}\n'
        )
        environ = {"XDG_STATE_HOME": str(tmp_path), "LIVE_KEY": KEY}
        settings = load({"endpoint": "dead,live,embedded"}, environ, tmp_path, config)
        findings = found(settings)
        asked = [request for request in server.requests if request.method == "POST"]
    assert [request.headers["x-tenant"] for request in asked] == ["live"]
    assert asked[0].headers["authorization"] == f"Bearer {KEY}"
    told = asked[0].json
    assert (told["model"], told["response_format"], told["lang"]) == ("other", "wav", "e")
    assert "refused the connection" in marked(findings)
    assert any("from LIVE_KEY" in finding.what for finding in findings)
    places = {"dead": dead, "live": server.url, "embedded": "embedded:"}
    for finding in findings:
        name, address = finding.figures["profile"], finding.figures["endpoint"]
        assert finding.what.startswith(name)
        assert address == places[name]
        assert (address.partition("://")[2].partition("/")[0]) in finding.what
    assert {finding.figures["profile"] for finding in findings} == {"dead", "live"}
    assert exit_code(findings) == 0


def test_other_words_of_a_realtime_api_are_told(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        return speak(asked, SOUND, "This is a toast.")

    with RealtimeServer(answer) as server:
        findings = found(settings_for(server.url, tmp_path))
    assert 'said "toast" for "test"' in marked(findings)
