"""Real endpoints by name: what each is sent, and who speaks when one is dead."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest

import voicestream
from tests.cli.command import Call, Run, run
from tests.servers.said import saved
from tests.support import sound
from tests.support.canary import KEY
from tests.support.realtime_events import speak as speak_realtime
from tests.support.realtime_server import RealtimeServer
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

RAMP = sound.ramp(1200)
PCM = RAMP.tobytes()
CONFIG = ".config/voicestream/config.toml"
TEXT = "Hello there.\n\nGood-bye now."


@pytest.fixture
def dead() -> str:
    """A base URL where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{bound.getsockname()[1]}/v1"


def tables(**urls: str) -> str:
    return "".join(
        f"""
[endpoint.{name}]
base_url = "{url}"
key_variable = "{name.upper()}_KEY"
model = "model-{name}"
voice = "voice-{name}"
headers = {{X-Tenant = "tenant {name}"}}
body = {{lang = "{name}"}}
"""
        for name, url in urls.items()
    )


def speak(folder: Path, config: str, *arguments: str, text: str = TEXT) -> Run:
    environ = {"DEAD_KEY": KEY + "d", "LIVE_KEY": KEY + "l", "VOICESTREAM_API_KEY": KEY}
    more = ["--device", "null", "--save", "out.wav", "--no-trim", "--json", *arguments]
    return run(Call(["say", text, *more], environ, {CONFIG: config}), folder)


def test_the_first_name_is_asked_for_what_is_its_own(tmp_path: Path) -> None:
    """Early, before an HTTP library is loaded, and later: the same but for the text."""
    with ScriptedServer(Script(PCM)) as server:
        ended = speak(tmp_path, tables(live=server.url), "-e", "live")
        assert ended.code == 0, ended.err
        first, second = server.requests
    for request in (first, second):
        check(request, "live")
    assert first.headers == {**second.headers, "content-length": first.headers["content-length"]}
    assert json.loads(ended.out)["completed"]
    assert json.loads(ended.out)["endpoint"] == server.url


def check(request: Request, name: str) -> None:
    assert request.headers["authorization"] == f"Bearer {KEY}{name[0]}"
    assert request.headers["x-tenant"] == f"tenant {name}"
    assert (request.json["model"], request.json["voice"]) == (f"model-{name}", f"voice-{name}")
    assert request.json["lang"] == name


def test_a_dead_name_is_followed_by_a_live_one_and_that_by_the_embedded_voice(
    tmp_path: Path, dead: str
) -> None:
    """The live one has its own key, headers and fields, speaks once, and dies."""
    scripts = [Script(PCM)]  # then status 500
    with ScriptedServer(scripts) as server:
        config = tables(dead=dead, live=server.url)
        ended = speak(
            tmp_path, config, "--endpoint", "dead,live,embedded", "--lookahead", "0", "--no-hedge"
        )
        requests = list(server.requests)
    assert ended.code == 0, ended.err
    check(requests[0], "live")
    dies, takes_over = ended.warnings
    assert "dead failed" in dies
    assert "live speaks from here on" in dies
    assert "live failed" in takes_over
    assert "embedded speaks from here on" in takes_over
    samples, _rate_hz = saved(tmp_path / "out.wav")
    assert np.array_equal(samples[: len(RAMP), 0], RAMP)
    assert len(samples) > 2 * len(RAMP)  # and a sentence of a real voice
    assert np.abs(samples[2 * len(RAMP) :]).max() > 1000
    assert json.loads(ended.out)["completed"]


@pytest.mark.parametrize("names", ["live", "dead,live"])
def test_a_realtime_api_by_name_gets_its_headers_and_its_sessions_fields(
    names: str, tmp_path: Path, dead: str
) -> None:
    """As the first, where the early connection carries them, and as one that stands in."""
    with RealtimeServer(lambda asked: speak_realtime(asked, PCM)) as server:
        body = "lang = ", 'tracing = "auto", lang = '
        config = tables(dead=dead, live=server.url).replace(*body)
        ended = speak(tmp_path, config, "-e", names, "--no-hedge")
        assert ended.code == 0, ended.err
        assert len(server.asked) == 2
    for handshake in server.handshakes:
        assert handshake.headers["authorization"] == f"Bearer {KEY}l"
        assert handshake.headers["x-tenant"] == "tenant live"
        assert handshake.path.endswith("?model=model-live")
    assert len(server.sessions) == len(server.handshakes) == 1  # the early one was taken
    session = server.sessions[0]["session"]
    assert (session["tracing"], session["lang"]) == ("auto", "live")
    assert session["audio"]["output"]["voice"] == "voice-live"
    assert session["type"] == "realtime"


def test_a_slow_name_is_helped_by_the_next_with_what_is_that_ones_own(tmp_path: Path) -> None:
    with (
        ScriptedServer(Script(PCM, header_delay_s=20)) as slow,
        ScriptedServer(Script(PCM)) as quick,
    ):
        config = tables(dead=slow.url, live=quick.url)
        ended = speak(tmp_path, config, "-e", "dead,live", text="Hello there.")
        check(slow.requests[0], "dead") if slow.requests else None
        check(quick.requests[0], "live")
    assert ended.code == 0, ended.err
    assert any("dead is slow to answer; live is asked too" in told for told in ended.warnings)


def test_voices_of_a_named_endpoint(tmp_path: Path) -> None:
    listed = Script(b'{"voices": ["a", "b"]}', content_type="application/json")
    with ScriptedServer(listed) as server:
        call = Call(
            ["voices", "-e", "live"], {"LIVE_KEY": KEY + "l"}, {CONFIG: tables(live=server.url)}
        )
        ended = run(call, tmp_path)
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}l"
    assert ended.out.split() == [b"a", b"b"]


def test_the_environment_names_endpoints(tmp_path: Path) -> None:
    with ScriptedServer(Script(PCM)) as server:
        call = Call(
            ["say", "Hello there.", "--device", "null"],
            {"VOICESTREAM_ENDPOINT": "live", "LIVE_KEY": KEY + "l"},
            {CONFIG: tables(live=server.url)},
        )
        ended = run(call, tmp_path)
        assert ended.code == 0, ended.err
        check(server.requests[0], "live")


def test_a_program_gives_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "voicestream").mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("LIVE_KEY", KEY + "l")
    monkeypatch.setenv("VOICESTREAM_DEVICE", "null")
    monkeypatch.chdir(tmp_path)
    with ScriptedServer(Script(PCM)) as server:
        (tmp_path / "voicestream" / "config.toml").write_text(tables(live=server.url))
        assert voicestream.say("Hello there.", endpoint="live,embedded").completed
        check(server.requests[0], "live")
