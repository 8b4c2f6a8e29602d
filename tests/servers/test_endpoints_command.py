"""``endpoints``: who has a key, who answers, what each was like; nobody is waited for long."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Call, Run, run
from tests.support import sound
from tests.support.canary import KEY
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.session import named
from voicestream.settings.catalogue import catalogue
from voicestream.speech import system

PCM = sound.ramp(24_000).tobytes()
CONFIG = ".config/voicestream/config.toml"


def answer(request: Request) -> Script:
    """A server that speaks, and lists its models to who has the key."""
    if request.path == "/v1/audio/speech":
        return Script(PCM, arrivals=((0.0, 24_000), (1.5, 24_000)))  # two, however busy we are
    if request.headers.get("authorization") != f"Bearer {KEY}m":
        return Script.error(401, {"error": {"message": "no such key"}})
    listed = {"object": "list", "data": [{"id": "model-mine"}]}
    return Script(json.dumps(listed).encode(), content_type="application/json")


def table(name: str, url: str, *more: str) -> str:
    return "\n".join([f"[endpoint.{name}]", f'base_url = "{url}"', *more, ""])


MINE = 'key_variable = "MINE_KEY"', 'model = "model-mine"', 'headers = {X-Tenant = "tenant-x"}'


def endpoints(folder: Path, config: str, *more: str, **environ: str) -> Run:
    return run(Call(["endpoints", *more], environ, {CONFIG: config}), folder)


def listed(folder: Path, config: str, *more: str, **environ: str) -> dict[str, dict[str, Any]]:
    ended = endpoints(folder, config, "--json", *more, **environ)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["config_file"] == str(folder / CONFIG)
    return {each["name"]: each for each in found["endpoints"]}


def test_a_server_that_was_used_is_listed_with_what_it_was_like(tmp_path: Path) -> None:
    with ScriptedServer(answer) as server:
        config = '[endpoint]\nuse = "embedded,mine"\n' + table("mine", server.url, *MINE)
        spoken = Call(
            ["say", "Hello there.", "-e", "mine", "--device", "null"],
            {"MINE_KEY": KEY + "m"},
            {CONFIG: config},
        )
        assert run(spoken, tmp_path).code == 0
        found = listed(tmp_path, config, MINE_KEY=KEY + "m")
        refused = listed(tmp_path, config, MINE_KEY=KEY + "x")
        asked = [request for request in server.requests if request.path == "/v1/models"]
    mine = found["mine"]
    assert (mine["own"], mine["use"], mine["has_key"]) == (True, 2, True)
    assert (mine["answers"], mine["answer"]) == (True, None)
    assert mine["answer_ms"] > 0
    assert mine["replies"] == 1
    assert mine["rate"] > 0
    assert mine["first_byte_ms"] > 0
    assert list(found)[:2] == ["embedded", "mine"]
    assert asked[0].headers["x-tenant"] == "tenant-x"
    assert refused["mine"]["answer"] == "the key is refused"
    assert (found["openai"]["has_key"], found["openai"]["answers"]) == (True, None)  # the common
    assert (found["groq"]["has_key"], found["groq"]["answers"]) == (False, None)
    assert found["kokoro"]["has_key"] is None
    assert found["azure"]["base_url"] is None


def test_people_read_a_line_for_each(tmp_path: Path) -> None:
    with ScriptedServer(answer) as server:
        config = table("mine", server.url, 'model = "other"', 'key_variable = "MINE_KEY"')
        ended = endpoints(tmp_path, config, MINE_KEY=KEY + "m", VOICESTREAM_ENDPOINT="mine")
    lines = ended.out.decode().splitlines()
    host = server.url.partition("://")[2].partition("/")[0]
    assert lines[0].split("  ", 2)[:2] == ["1", "mine *"]
    assert f"{host}, MINE_KEY set" in lines[0]
    assert lines[0].endswith("yes: but it lists no other")
    assert any(line.split() == ["groq", "GROQ_API_KEY", "not", "set"] for line in lines)
    assert any("azure" in line and line.endswith("needs a base_url") for line in lines)
    assert "--check asks those with a key" in ended.err
    assert str(tmp_path / CONFIG) in ended.err


def test_one_of_them_is_told_whole(tmp_path: Path) -> None:
    config = table("mine", "http://127.0.0.1:9/v1", 'preset = "kokoro"', 'voice = "af_sky"')
    ended = endpoints(tmp_path, config, "mine", "groq")
    assert (ended.code, ended.err) == (0, "")
    pages = [
        dict(line.split(None, 1) for line in page.splitlines() if " " in line.strip())
        for page in ended.out.decode().split("\n\n")
    ]
    mine, groq = pages
    assert (mine["name"], mine["voice"], mine["model"]) == ("mine", "af_sky", "kokoro")
    assert mine["docs"].startswith("https://")
    assert "refused" in mine["answer"]
    assert (groq["key_variable"], groq["has_key"]) == ("GROQ_API_KEY", "false")
    assert (groq["voice"], groq["format"]) == ("autumn", "wav")
    assert "GROQ_API_KEY is not set" in groq["trouble"]
    unknown = endpoints(tmp_path, config, "grok")
    assert unknown.code == 2
    assert "Did you mean groq" in unknown.errors[0]


def test_a_far_one_with_a_key_is_asked_only_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(answer) as server:
        (tmp_path / "voicestream").mkdir()
        (tmp_path / "voicestream/config.toml").write_text(table("mine", server.url, *MINE))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("MINE_KEY", KEY + "m")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(named, "reach", lambda _url: "far")
        for check, expected in (False, None), (True, True):
            found = named.named_endpoints(catalogue(), check)
            (mine,) = [each for each in found if each.profile.name == "mine"]
            assert mine.answers is expected
            assert len(server.requests) == check


def test_the_silent_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several at once, each bounded."""
    monkeypatch.setattr(named, "_HERE_S", 0.4)
    with ScriptedServer(Script(PCM, header_delay_s=30)) as server:
        tables = [table(f"silent{number}", server.url) for number in range(8)]
        (tmp_path / "voicestream").mkdir()
        (tmp_path / "voicestream/config.toml").write_text("".join(tables))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(system, "system_voices", tuple)
        began_s = time.monotonic()
        found = named.named_endpoints(catalogue(), False)
        took_s = time.monotonic() - began_s
    silent = {each.profile.name: each for each in found if "silent" in each.profile.name}
    assert len(silent) == 8
    assert {(each.answers, each.answer) for each in silent.values()} == {
        (False, "nothing within 0.4 s")
    }
    assert took_s < 8 * 0.4
    here = {each.profile.name: each.answers for each in found}
    assert (here["embedded"], here["system"]) == (True, False)  # which has no voices


def test_a_name_in_use_that_nobody_has_is_told(tmp_path: Path) -> None:
    ended = endpoints(tmp_path, "", VOICESTREAM_ENDPOINT=f"kokro,groq,{KEY[:9]}4d1c8a")
    assert ended.code == 0
    slip, key = ended.warnings
    assert "no endpoint kokro. Did you mean kokoro?" in slip
    assert "no endpoint of that name" in key
    assert "4d1c8a" not in ended.err + ended.out.decode()
    assert ended.out.decode().splitlines()[0].split()[:2] == ["2", "groq"]


def test_a_bad_table_is_told(tmp_path: Path) -> None:
    ended = endpoints(tmp_path, f'[endpoint.mine]\nkey_variable = "{KEY}"\n')
    assert ended.code == 2
    (told,) = ended.errors
    assert "endpoint.mine.key_variable" in told
