"""What Windows lacks is told, or done without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import command, sound
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.notices import Notices
from voicestream.session.outputs import make_turn
from voicestream.settings.table import Settings


def run(home: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command where what Windows lacks is not there."""
    return subprocess.run(
        [sys.executable, "-m", "tests.support.windows", *arguments],
        env=command.environment(home),
        cwd=home,
        input=stdin,
        capture_output=True,
        timeout=50,
        check=False,
        text=True,
    )


def test_it_speaks_what_is_piped_and_saves_it(tmp_path: Path) -> None:
    spoken = sound.speechlike(0.5).tobytes()
    with ScriptedServer(Script(spoken)) as server:
        told = ("--base-url", server.url, "--device", "null", "--save", "kept.wav")
        done = run(tmp_path, "say", *told, stdin="Hello there.")
    assert done.returncode == 0, done.stderr
    assert "heard 0.5 s" in done.stderr
    assert (tmp_path / "kept.wav").stat().st_size >= len(spoken)


def test_verbs_say_why_there_are_none(tmp_path: Path) -> None:
    done = run(tmp_path, "pause")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "voicestream: Windows has no control socket. Press Ctrl-C where it speaks.\n"
    )


def test_that_voices_may_overlap_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "win32")
    first, second = Notices(), Notices()
    assert make_turn(Settings(), 0.0, first) is None
    assert make_turn(Settings(), 0.0, second) is None
    assert first.warnings == [
        "other voices may be heard at the same time: Windows has no floor, and no verbs"
    ]
    assert second.warnings == []
