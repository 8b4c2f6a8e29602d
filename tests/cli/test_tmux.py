"""The panel in a real tmux, which folds what is there and hides rows before anybody is told."""

from __future__ import annotations

import os
import random
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cli.test_screen import TEXT
from tests.support import command, sound
from tests.support.script import Script
from tests.support.server import ScriptedServer

LINES_BEFORE = 30
BEFORE = [f"{number} x" + "x" * (number * 7 % 100) for number in range(LINES_BEFORE)]


class Tmux:
    """A tmux server of its own, with one pane."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._socket = str(folder / "tmux")
        self._env = command.environment(folder, {"TERM": "xterm-256color", "LANG": "C.UTF-8"})
        size = ("-x", "80", "-y", "24")
        self.run("-f", os.devnull, "new-session", "-d", "-c", str(folder), *size, shlex.join(words))
        self.run("set", "-g", "status", "off")

    def run(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words], env=self._env, capture_output=True, check=True
        )
        return done.stdout.decode()

    def history(self) -> list[str]:
        """What the pane has shown, without the folds."""
        lines = self.run("capture-pane", "-p", "-J", "-S", "-").split("\n")
        return [line.rstrip() for line in lines]

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
    speech = sound.speechlike(12.0).tobytes()
    with ScriptedServer(Script(speech, rate_bytes_per_s=4 * 48_000)) as server:
        said = (sys.executable, "-m", "voicestream", TEXT, "--device", "null")
        spoken = shlex.join([*said, "--base-url", server.url])
        (tmp_path / "before").write_text("\n".join(BEFORE) + "\n")
        tmux = Tmux(tmp_path, "sh", "-c", f"cat before; {spoken}; echo end; read wait")
        try:
            yield tmux
        finally:
            tmux.run("kill-server")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no tmux")
def test_a_resize_erases_the_panel_and_nothing_else(pane: Tmux) -> None:
    pane.until(lambda lines: "speaking" in "\n".join(lines))
    for columns, rows in [(40, 24), (80, 24), (124, 12), (60, 26), (117, 30)]:
        pane.run("resize-window", "-x", str(columns), "-y", str(rows))
        lines = pane.until(partial(redrawn, columns))
        assert sum("●" in line for line in lines) == 1, lines
    assert pane.history()[:LINES_BEFORE] == BEFORE

    # whatever comes meanwhile, and however fast: what is not ours is not erased
    sizes = random.Random(14)
    for _ in range(24):
        columns, rows = sizes.randint(20, 150), sizes.randint(6, 40)
        pane.run("resize-window", "-x", str(columns), "-y", str(rows))
        time.sleep(sizes.choice([0.0, 0.03, 0.1]))
    pane.run("resize-window", "-x", "150", "-y", "40")
    pane.until(partial(redrawn, 150))
    assert pane.history()[:LINES_BEFORE] == BEFORE
    pane.run("send-keys", "q")
    lines = pane.until(lambda lines: lines[-1] == "end")
    assert pane.history()[:LINES_BEFORE] == BEFORE
    # of two lines where a busy machine has more to tell; behind it is nothing of the panel
    said = [number for number, line in enumerate(lines) if line.startswith("stopped: heard ")]
    assert len(said) == 1, lines
    assert len(lines) - said[0] in (2, 3), lines


def redrawn(columns: int, lines: list[str]) -> bool:
    """Whether the panel is there in the width that a terminal of that one asks for."""
    if columns <= 44:
        return lines[-1].startswith("buffer") and "●" in "".join(lines)
    return len(lines[-1]) == min(columns - 1, 88)
