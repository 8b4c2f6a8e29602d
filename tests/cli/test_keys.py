"""Keys on the panel, as a person types them on a terminal."""

from __future__ import annotations

import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import command, sound
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.ui.keys import keys_of


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[pexpect.spawn]:
    """The command speaking one minute of sound under its panel."""
    minute = sound.speechlike(1.0).tobytes() * 60
    env = command.environment(tmp_path, {"TERM": "xterm-256color", "LANG": "C.UTF-8"})
    with ScriptedServer(Script(minute, rate_bytes_per_s=4 * 48_000)) as server:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "voicestream", "say", "Hello.", "--device", "null", "--base-url", server.url],
            env=env,
            cwd=str(tmp_path),
            dimensions=(24, 80),
            timeout=20,
            encoding="utf-8",
        )
        yield child
        child.kill(signal.SIGKILL)
        child.wait()
        child.close()


def echoes(child: pexpect.spawn) -> bool:
    return bool(termios.tcgetattr(child.child_fd)[3] & termios.ECHO)


def test_space_pauses_and_goes_on_and_q_ends_it(terminal: pexpect.spawn) -> None:
    terminal.expect("speaking")
    assert not echoes(terminal)
    terminal.send(" ")
    terminal.expect("paused")
    terminal.send(" ")
    terminal.expect("speaking")
    terminal.send("?")
    terminal.expect("space pause")
    terminal.send("q")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 130
    assert echoes(terminal)


def test_what_is_typed_means_nothing_else(terminal: pexpect.spawn) -> None:
    terminal.expect("speaking")
    terminal.send("x\x1b[31;1~\x1b[5~ü\x00 ")
    terminal.expect("paused")


@given(st.text())
def test_any_text_is_keys_and_nothing_of_a_sequence_is_a_letter(typed: str) -> None:
    assert all(key in typed or len(key) > 1 for key in keys_of(typed))
    assert keys_of(f"\x1b[D{typed}")[0] == "left"
    assert keys_of("\x1bOC\x1b[1;5A\x1b[3~a") == ["right", "up", "a"]
