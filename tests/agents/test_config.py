"""Hooks in the configuration of an agent: put in, taken out, and all else as it was."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from voicestream.cli.entry import run

CONFIG = """{
    "model": "opus",
    "größe": 1,
    "half": "\\ud83d",
    "hooks": {
        "Stop": [{"matcher": "", "hooks": [{"type": "command", "command": "notify-send done"}]}],
        "PreToolUse": []
    }
}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_install_and_uninstall_leave_everything_else(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".claude/settings.json"
    file.parent.mkdir()
    file.write_text(CONFIG)
    file.chmod(0o600)
    assert run(["hook", "install", "claude", "--yes", "--voice-list", "nova,a b"]) == 0
    shown = capsys.readouterr().out
    assert "+" in shown
    assert not [line for line in shown.splitlines() if line.startswith("-") and "opus" in line]
    config = json.loads(file.read_text())
    hooks = config.pop("hooks")
    assert config == {"model": "opus", "größe": 1, "half": "\ud83d"}
    first, ours = hooks["Stop"]
    assert first["hooks"][0]["command"] == "notify-send done"
    assert ours["hooks"][0]["command"].endswith("voicestream hook --voice-list 'nova,a b'")
    assert set(hooks) > {"MessageDisplay", "UserPromptSubmit", "Notification", "PreToolUse"}
    assert file.stat().st_mode & 0o777 == 0o600
    assert run(["hook", "install", "claude", "--yes"]) == 0  # in place of the other
    assert "nova" not in file.read_text()
    written = file.read_text()
    assert run(["hook", "install", "claude"]) == 0  # there is nothing to ask
    assert file.read_text() == written
    assert run(["hook", "uninstall", "claude", "--yes"]) == 0
    assert json.loads(file.read_text()) == json.loads(CONFIG)

    file.write_bytes(CONFIG.replace("\n", "\r\n").encode())  # an editor on Windows wrote it
    assert run(["hook", "install", "claude", "--yes"]) == 0
    assert file.read_bytes().count(b"\n") == file.read_bytes().count(b"\r\n") > 10


@pytest.mark.parametrize(
    ("agent", "file"), [("codex", ".codex/hooks.json"), ("gemini", ".gemini/settings.json")]
)
def test_a_project_has_hooks_of_its_own(
    home: Path, agent: str, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = home / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    assert run(["hook", "install", agent, "--project", "--yes"]) == 0
    hooks = json.loads((project / file).read_text())["hooks"]
    commands = {group["hooks"][0]["command"] for groups in hooks.values() for group in groups}
    assert commands == {"voicestream hook"}
    assert not (home / file).exists()
    assert run(["hook", "uninstall", agent, "--project", "--yes"]) == 0
    assert json.loads((project / file).read_text()) == {}


@pytest.mark.parametrize(
    "content",
    [
        *(
            '{"hooks": ',
            "[]",
            '{"hooks": []}',
            '{"hooks": {"Stop": {}}}',
            '{"hooks": {"Stop": [1]}}',
        ),
        *(
            '{"a": 1e999}',
            '{"a": 1, "a": 2}',
            "{// a comment\n}",
            '{"hooks": {"Stop": [{"hooks": [3]}]}}',
        ),
    ],
)
def test_a_malformed_file_is_left_as_it_is(
    home: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".claude/settings.json"
    file.parent.mkdir()
    file.write_text(content)
    for action in ("install", "uninstall"):
        assert run(["hook", action, "claude", "--yes"]) == 2
        assert "is left as it is" in capsys.readouterr().err
    assert file.read_text() == content


def test_nothing_is_written_unless_somebody_agrees(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["hook", "install", "claude"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert not list(home.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_on_a_full_disk_the_file_stays_as_it_was(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import resource

    file = home / ".claude/settings.json"
    file.parent.mkdir()
    file.write_text(CONFIG)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        assert run(["hook", "install", "claude", "--yes"]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"{file} cannot be written" in capsys.readouterr().err
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.read_text() == CONFIG
