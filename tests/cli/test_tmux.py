"""The panel in a real tmux, which folds what is there and hides rows before anybody is told."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.test_screen import TEXT
from tests.support import command, sound
from tests.support.script import Script
from tests.support.server import ScriptedServer

LINES_BEFORE = 30


class Tmux:
    """A tmux server of its own, with one pane."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._socket = str(folder / "tmux")
        self._env = command.environment(folder, {"TERM": "xterm-256color", "LANG": "C.UTF-8"})
        size = ("-x", "80", "-y", "24")
        self.run("-f", os.devnull, "new-session", "-d", *size, shlex.join(words))
        self.run("set", "-g", "status", "off")

    def run(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words], env=self._env, capture_output=True, check=True
        )
        return done.stdout.decode()

    def until(self, seen: Callable[[list[str]], bool]) -> list[str]:
        """What the pane shows, without what is scrolled away, once that is as wanted."""
        ends_s = time.monotonic() + 30.0
        while time.monotonic() < ends_s:
            lines = self.run("capture-pane", "-p").rstrip("\n").split("\n")
            if seen(lines):
                return lines
            time.sleep(0.02)
        raise AssertionError("\n".join(lines))


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Tmux]:
    speech = sound.speechlike(2.0).tobytes()
    with ScriptedServer(Script(speech, rate_bytes_per_s=4 * 48_000)) as server:
        said = (sys.executable, "-m", "voicestream", TEXT, "--device", "null")
        spoken = shlex.join([*said, "--base-url", server.url])
        tmux = Tmux(tmp_path, "sh", "-c", f"seq {LINES_BEFORE}; {spoken}; echo end; read wait")
        try:
            yield tmux
        finally:
            tmux.run("kill-server")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no tmux")
def test_no_resize_leaves_a_stale_line_in_sight(pane: Tmux) -> None:
    pane.until(lambda lines: "speaking" in "\n".join(lines))
    for columns, rows in [(40, 24), (80, 24), (124, 12), (33, 26), (30, 23), (117, 30)]:
        pane.run("resize-window", "-x", str(columns), "-y", str(rows))

        def redrawn(lines: list[str], wide: int = columns) -> bool:
            if wide < 44:
                return lines[-1].startswith("buffer") and "●" in "".join(lines)
            return len(lines[-1]) == min(wide - 1, 88)

        lines = pane.until(redrawn)
        assert sum("●" in line for line in lines) == 1, lines
    pane.run("send-keys", "q")
    lines = pane.until(lambda lines: lines[-1] == "end")
    said = "".join(line for line in lines[:-1] if not line.isdecimal())
    assert said.startswith("stopped: heard "), lines
