"""What is told besides: slips in names of variables, surprises, and the log."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.command import Call, run
from tests.support.canary import KEY
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.cli.log import Log
from voicestream.redact import remember_key
from voicestream.settings.table import load
from voicestream.settings.told import first_today
from voicestream.settings.unknown import unknown_variables


def test_unknown_variables_have_their_nearest(tmp_path: Path) -> None:
    environ = {
        "VOICESTREAM_VOISE": "a",
        "VOICESTREAM_KEY_B": "b",
        "VOICESTREAM_XYZ": "",
        "PATH": "",
    }
    urls = "https://a.example/v1|VOICESTREAM_KEY_B"
    settings = load({"base_urls": urls}, environ, tmp_path, tmp_path / "none.toml")
    (tmp_path / ".env").write_text("VOICESTREAM_TEMPPO=2\nVOICESTREAM_TEMPO=2\nTEMPO=1\n")
    assert unknown_variables(settings, environ, tmp_path) == {
        "VOICESTREAM_VOISE": "VOICESTREAM_VOICE",
        "VOICESTREAM_XYZ": "",
        ".env VOICESTREAM_TEMPPO": "VOICESTREAM_TEMPO",
    }


def test_a_notice_comes_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert first_today("a")
    assert first_today("b")
    assert not first_today("a")
    (tmp_path / "voicestream" / "told.json").write_text("[1")
    assert first_today("a")


def test_what_may_surprise_is_told_once(tmp_path: Path) -> None:
    environ = {
        "VOICESTREAM_DEVCE": "null",
        "VOICESTREAM_DEVICE": "null",
        "VOICESTREAM_API_KEY": None,
    }
    first, second = (run(Call(["Hi."], environ), tmp_path).err for _ in range(2))
    assert first.count("embedded voices") == 1
    assert first.count("VOICESTREAM_DEVCE is no setting; did you mean VOICESTREAM_DEVICE?") == 1
    assert "embedded voices" not in second
    assert "DEVCE" not in second


def test_the_log_tells_what_happened_and_no_key(tmp_path: Path) -> None:
    with ScriptedServer(Script.error(401, {"error": f"bad key {KEY}"})) as server:
        failing = ["Hi.", "--base-url", server.url, "--log", "log.txt", "--device", "null"]
        assert run(Call(failing), tmp_path).code == 4
    with ScriptedServer(Script(b"\x11\x01" * 4800)) as server:
        going = ["Hi there.", "--base-url", server.url, "--log", "log.txt", "--device", "null"]
        assert run(Call(going), tmp_path).code == 0
    log = (tmp_path / "log.txt").read_text()
    assert KEY not in log
    for words in ("(the key)", "exit code 4", "exit code 0", "segment_done 0", "word 0", "heard 0"):
        assert words in log
    assert stat.S_IMODE((tmp_path / "log.txt").stat().st_mode) == 0o600


def test_a_log_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    ended = run(Call(["Hi.", "--log", "no/log.txt"]), tmp_path)
    assert (ended.code, len(ended.errors)) == (1, 1)
    assert "no/log.txt cannot be written" in ended.errors[0]


def test_no_key_gets_into_the_log(tmp_path: Path) -> None:
    remember_key(KEY)
    log = Log(str(tmp_path / "log.txt"), 0.0)
    log.note(f"asked with {KEY} \x1b[2J\nand so on")
    log.close()
    written = (tmp_path / "log.txt").read_text()
    assert written.endswith("asked with (the key) and so on\n")
