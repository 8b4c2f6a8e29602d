"""Jobs of a shell: whoever touches a terminal from the background would be stopped."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.support.command import ROOT, command, environment

SAY = ("say", "This is spoken in the background.", "--device", "null")
SPOKE = r"heard [0-9.]+ s"
STOPPED = "Stopped"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[pexpect.spawn[str]]:
    env = environment(tmp_path, {"TERM": "xterm", "VOICESTREAM_BASE_URL": "embedded:"})
    found = pexpect.spawn(
        "bash", ["--norc", "-i"], env=env, cwd=str(ROOT), timeout=25, encoding="utf-8"
    )
    yield found
    found.close(force=True)


def test_what_is_started_in_the_background_speaks(shell: pexpect.spawn[str]) -> None:
    shell.sendline(f"{shlex.join(command(*SAY))} &")
    assert shell.expect([SPOKE, STOPPED]) == 0


def test_what_was_stopped_goes_on_in_the_background(shell: pexpect.spawn[str]) -> None:
    shell.sendline(shlex.join(command(*SAY)))
    shell.expect("buffer")  # the panel is there
    shell.send("\x1a")
    shell.expect(STOPPED)
    shell.sendline("bg")
    shell.expect("&")
    assert shell.expect([SPOKE, STOPPED]) == 0
