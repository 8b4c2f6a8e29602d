"""Verbs find whoever lives among those who speak, and those who were killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from voicestream.cli.verbs import run_verb
from voicestream.control.client import speakers, tell
from voicestream.control.lines import Message
from voicestream.control.server import ControlServer


@pytest.fixture
def folder(short: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOICESTREAM_RUNTIME_DIR", str(short))
    return short


def dead_socket(path: Path) -> None:
    """A socket as a process leaves it that was killed."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def answer(message: Message) -> Message:
    return {"ok": True, "heard": message["verb"]}


def test_nobody_is_there(folder: Path) -> None:
    assert tell("pause") == []
    assert os.listdir(folder) == []


def test_the_dead_are_passed_by_and_their_sockets_removed(folder: Path) -> None:
    dead = folder / f"{ended_process()}-1.sock"
    dead_socket(dead)
    server = ControlServer(str(folder / f"{os.getpid()}-7.sock"), answer)
    server.start()
    assert tell("pause") == [{"who": f"{os.getpid()}-7", "ok": True, "heard": "pause"}]
    assert tell("pause", everybody=True) == tell("pause")
    server.close()
    assert not dead.exists()


def test_who_lives_and_does_not_listen_yet_keeps_its_socket(folder: Path) -> None:
    ours, odd = folder / f"{os.getpid()}-1.sock", folder / "odd.sock"
    for path in (ours, odd):
        dead_socket(path)
    assert tell("pause") == []
    assert sorted(os.listdir(folder)) == sorted([ours.name, odd.name])


def test_the_queue_comes_before_those_who_speak_beside_it(folder: Path) -> None:
    (folder / "floor").mkdir()
    for name in ("2-0000000000000001-5-1", "0-0000000000000009-4-1", "holder", "2-x-1-1"):
        (folder / "floor" / name).touch()
    for name in ("3-1", "5-1"):
        (folder / f"{name}.sock").touch()
    assert speakers(str(folder)) == ["4-1", "5-1", "3-1"]


def test_verbs_are_heard_where_there_can_be_no_queue(folder: Path) -> None:
    (folder / "floor").touch()
    server = ControlServer(str(folder / f"{os.getpid()}-7.sock"), answer)
    server.start()
    assert tell("pause", everybody=True)[0]["ok"]
    server.close()


def test_two_verbs_may_meet_the_same_dead_socket(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (f"{ended_process()}-1", f"{10**30}-1"):
        dead_socket(folder / f"{name}.sock")

    def removed(path: str) -> None:
        raise FileNotFoundError(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", removed)
        assert tell("pause") == []


@pytest.mark.parametrize(
    ("answered", "code"), [({"ok": True, "played_s": None}, 0), ({"ok": False, "error": "no"}, 1)]
)
def test_another_version_may_answer_otherwise(
    folder: Path, capsys: pytest.CaptureFixture[str], answered: Message, code: int
) -> None:
    server = ControlServer(str(folder / f"{os.getpid()}-7.sock"), lambda _message: answered)
    server.start()
    assert run_verb(["status"]) == code
    assert len("".join(capsys.readouterr()).splitlines()) == 1
    server.close()
