"""What a person sees: the real command on terminals of several sizes, and while they change."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.support import command, sound
from tests.support.script import Script
from tests.support.server import ScriptedServer

TEXT = (
    "The sky is blue because of the way air scatters sunlight, which is a mixture of all colours. "
    "Blue comes in shorter waves. Red comes in longer ones. The evening sky is red."
)


class Watched:
    """The command on a terminal, and what the terminal shows."""

    def __init__(self, columns: int, rows: int, arguments: list[str], home: Path) -> None:
        self.screen = pyte.HistoryScreen(columns, rows)
        self._feed = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "voicestream", *arguments],
            env=command.environment(home, {"TERM": "linux", "LANG": "C.UTF-8"}),
            cwd=str(home),
            dimensions=(rows, columns),
        )

    @property
    def lines(self) -> list[str]:
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip().split("\n")

    def until(self, seen: Callable[[list[str]], bool]) -> list[str]:
        """The lines once they are as wanted, or the command has ended."""
        ends_s = time.monotonic() + 30.0
        while time.monotonic() < ends_s:
            try:
                self._feed.feed(self.child.read_nonblocking(4096, timeout=0.1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                return self.lines
            if seen(self.lines):
                return self.lines
        raise AssertionError("\n".join(self.lines))

    def end(self) -> list[str]:
        """What is left when the speech was stopped."""
        self.child.send("q")
        return self.until(lambda _lines: False)

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)


@contextmanager
def watched(columns: int, rows: int, home: Path, *arguments: str) -> Iterator[Watched]:
    """The command speaking ``TEXT``, longer than anybody looks, from a server at 4x realtime."""
    speech = sound.speechlike(30.0).tobytes()
    with ScriptedServer(Script(speech, rate_bytes_per_s=4 * 48_000)) as server:
        words = [TEXT, "--device", "null", "--base-url", server.url, *arguments]
        seen = Watched(columns, rows, words, home)
        try:
            yield seen
        finally:
            if seen.child.isalive():
                seen.child.kill(signal.SIGKILL)
                seen.child.wait()
            seen.child.close()


def speaks(lines: list[str]) -> bool:
    text = "\n".join(lines)
    return "● speaking" in text and "hole" in text and "%" in text


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 10), (200, 60)])
def test_the_panel_fits_and_tells_what_matters(columns: int, rows: int, tmp_path: Path) -> None:
    with watched(columns, rows, tmp_path) as seen:
        lines = seen.until(speaks)
        text = "\n".join(lines)
        assert "The sky is blue" in text
        assert "buffer" in text
        assert "hole" in text
        assert ("first sound" in text) == (columns > 50)
        assert len(lines) <= min(rows - 1, 13)
        assert all(len(line) < columns for line in lines)
        lines = seen.end()
        assert not seen.screen.history.top, "nothing was pushed out of reach"
    whole = "".join(lines)
    assert whole.startswith("stopped: heard ")
    assert "hole" in whole  # of the simulated card, on a busy machine
    assert "●" not in whole


def test_no_resize_leaves_a_stale_line(tmp_path: Path) -> None:
    with watched(80, 24, tmp_path) as seen:
        seen.until(speaks)
        for columns, rows in [(40, 10), (200, 60), (20, 5), (120, 12), (44, 40), (80, 24)]:
            seen.resize(columns, rows)

            def redrawn(lines: list[str], wide: int = columns) -> bool:
                # the last line, too: half a picture may have come
                if wide <= 44:
                    return lines[0].startswith("●") and "hole" in lines[-1]
                framed = lines[0].startswith("╭") and lines[-1].endswith("╯")
                return framed and len(lines[0]) == len(lines[-1]) == min(wide - 1, 88)

            lines = seen.until(redrawn)
            assert sum("speaking" in line or "waiting" in line for line in lines) == 1, lines
            assert sum("voicestream" in line for line in lines) == (columns > 44)
        lines = seen.end()
    assert "".join(lines).startswith("stopped: heard ")
    assert "●" not in "".join(lines)


def test_f_shows_all_figures_and_hides_them(tmp_path: Path) -> None:
    with watched(90, 30, tmp_path) as seen:
        quiet = seen.until(speaks)
        assert "jitter" not in "\n".join(quiet)
        seen.child.send("f")
        full = seen.until(lambda lines: "jitter" in "\n".join(lines))
        seen.child.send("f")
        again = seen.until(lambda lines: "jitter" not in "\n".join(lines) and speaks(lines))
        assert len(again) < len(full)  # by how much depends on the sentence


def test_the_full_panel_is_there_from_the_start(tmp_path: Path) -> None:
    with watched(90, 30, tmp_path, "--panel", "full") as seen:
        seen.until(lambda lines: "jitter" in "\n".join(lines) and "starts at" in "\n".join(lines))
