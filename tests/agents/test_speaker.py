"""The speaker of a session, in this process."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("no hooks there", allow_module_level=True)

from voicestream.agents import speaker
from voicestream.agents.speaker import SessionSpeaker


def test_it_ends_when_nothing_comes_and_loses_no_event_that_comes_just_then(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaker, "IDLE_S", 0.0)
    monkeypatch.chdir(short)
    path = str(short / "hook" / "session")
    Path(path).parent.mkdir()
    told: list[str] = []
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as hook:
        listener.bind(path)
        listener.listen()
        one = SessionSpeaker(path, [], told.append)
        hook.connect(path)  # it is idle, and has not looked
        hook.sendall(json.dumps({"do": "prompt"}).encode())
        hook.shutdown(socket.SHUT_WR)
        one.run(listener)
    assert told == ["told prompt, 0 characters"]
    assert not Path(path).exists()
