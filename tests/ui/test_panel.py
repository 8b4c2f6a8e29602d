"""The panel on a real terminal: what a person would see on the screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.screen import Screen
from tests.ui.snapshots import PLAYING, playing
from voicestream.counters import Snapshot
from voicestream.state import State
from voicestream.ui.panel import Panel
from voicestream.ui.summary import summary_line


@pytest.fixture
def screen() -> Iterator[Screen]:
    screen = Screen()
    yield screen
    screen.close()


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def panel_on(
    screen: Screen, clock: Clock | None = None, full: bool = False, **environ: str
) -> Panel:
    environ = {"TERM": "linux", **environ}
    return Panel(lambda: PLAYING, screen.stream, clock=clock or Clock(), environ=environ, full=full)


def assert_whole(lines: list[str], columns: int) -> None:
    """``lines`` are one panel with a closed frame, and nothing else."""
    assert lines[0].startswith("╭─ voicestream")
    assert (lines[0][-1], lines[-1][0], lines[-1][-1]) == ("╮", "╰", "╯")
    assert {line[0] + line[-1] for line in lines[1:-1]} == {"││"}
    assert {len(line) for line in lines} == {min(columns - 1, 88)}


def test_the_panel_is_whole_and_goes_without_a_trace(screen: Screen) -> None:
    clock = Clock()
    screen.stream.write("$ voicestream say\n")
    with panel_on(screen, clock) as panel:
        for _ in range(5):
            clock.now_s += 1.0
            panel.tick()
            assert screen.lines[0] == "$ voicestream say"
            assert_whole(screen.lines[1:], 80)
        assert screen.cursor_hidden
        for later_s, is_drawn in ((0.5, False), (1.0, True)):  # the same, on the screen already
            before = screen.raw
            clock.now_s += later_s
            panel.tick()
            assert screen.lines
            assert (screen.raw != before) is is_drawn
    assert screen.lines == ["$ voicestream say"]
    assert not screen.cursor_hidden
    line = summary_line(playing(state=State.DONE))[:79]
    screen.stream.write(f"{line}\n")
    assert screen.lines == ["$ voicestream say", line]


def test_all_figures_come_and_go_without_a_trace(screen: Screen) -> None:
    clock = Clock()
    with panel_on(screen, clock) as panel:
        heights = []
        for full in (False, True, False):
            panel.full = full
            clock.now_s += 1.0
            panel.tick()
            assert_whole(screen.lines, 80)
            heights.append(len(screen.lines))
    assert heights[0] == heights[2] < heights[1]
    assert screen.lines == [""]


def test_an_error_inside_leaves_the_terminal_whole(screen: Screen) -> None:
    def fail() -> None:
        with panel_on(screen):
            assert screen.cursor_hidden
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert screen.lines == [""]
    assert not screen.cursor_hidden


@pytest.mark.parametrize("pictures", [0, 1])
def test_a_failing_snapshot_leaves_the_terminal_whole(screen: Screen, pictures: int) -> None:
    answers = [PLAYING] * pictures
    panel = Panel(answers.pop, screen.stream, clock=Clock(), environ={"TERM": "linux"})
    with pytest.raises(IndexError), panel:
        assert not answers
    assert screen.lines == [""]
    assert not screen.cursor_hidden


def test_a_picture_is_drawn_only_when_due(screen: Screen) -> None:
    clock = Clock()
    pulled: list[float] = []

    def snapshot() -> Snapshot:
        pulled.append(clock.now_s)
        return PLAYING

    panel = Panel(snapshot, screen.stream, rate_hz=8.0, clock=clock, environ={"TERM": "linux"})
    with panel:
        for _ in range(1_000):
            clock.now_s += 1.0 / 256.0
            panel.tick()
    assert len(pulled) == 1 + 1_000 // 32 + 1
    panel.tick()
    assert screen.lines == [""]


@pytest.mark.parametrize(("full", "height"), [(False, 5), (True, 8)])
def test_a_resized_terminal_keeps_no_debris(screen: Screen, full: bool, height: int) -> None:
    clock = Clock()
    screen.stream.write("$ say\n")
    with panel_on(screen, clock, full) as panel:
        for columns in (50, 30, 20, 120, 46):
            screen.resize(columns, 24)
            clock.now_s += 1.0
            panel.tick()
            assert screen.lines[0] == "$ say"
            if columns > 44:
                assert_whole(screen.lines[1:], columns)
            else:
                assert screen.lines[1].startswith("● speaking")
                assert len(screen.lines) == 1 + height
    assert screen.lines == ["$ say"]


@pytest.mark.parametrize(("columns", "rows"), [(100, 14), (80, 8), (80, 2), (20, 6), (2, 3)])
def test_a_small_terminal_keeps_no_debris(columns: int, rows: int) -> None:
    screen = Screen(columns, rows)
    clock = Clock()
    with panel_on(screen, clock) as panel:
        first = screen.lines
        clock.now_s += 1.0
        panel.tick()
        assert screen.lines == first
        assert first[0]
    assert screen.lines == [""]
    assert not screen.screen.history.top  # nothing was pushed out of reach
    screen.close()


def test_what_is_printed_meanwhile_stands_above(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", screen.stream)
    clock = Clock()
    with panel_on(screen, clock) as panel:
        sys.stderr.write("a [red]stranger's[/red] line\n")
        clock.now_s += 1.0
        panel.tick()
        assert screen.lines[0] == "a [red]stranger's[/red] line"
        assert_whole(screen.lines[1:], 80)
    assert screen.lines == ["a [red]stranger's[/red] line"]


def test_no_color_means_none(screen: Screen) -> None:
    with panel_on(screen, full=True, NO_COLOR="1", TERM="xterm-256color"):
        assert_whole(screen.lines, 80)
        assert any("█ start-up 61" in line for line in screen.lines)
    for sequence in screen.raw.split(b"\x1b[")[1:]:
        if sequence.partition(b"m")[0].replace(b";", b"").isdigit():
            codes = sequence.partition(b"m")[0].split(b";")
            assert not [code for code in codes if code not in (b"0", b"1", b"2")]


def test_there_is_colour_elsewhere(screen: Screen) -> None:
    with panel_on(screen, TERM="xterm-256color"):
        assert screen.lines
    assert b"\x1b[32m" in screen.raw


def test_an_ascii_terminal_gets_ascii() -> None:
    screen = Screen(encoding="ascii")
    with panel_on(screen):
        lines = screen.lines
        assert lines[0].startswith("+- voicestream")
        assert {len(line) for line in lines} == {79}
    screen.close()
    assert screen.raw.isascii()


def test_a_terminal_that_went_away_is_left_alone() -> None:
    reading, writing = os.pipe()
    clock = Clock()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        panel = Panel(lambda: PLAYING, stream, clock=clock, environ={"TERM": "linux"})
        with panel:
            os.close(reading)
            for _ in range(3):
                clock.now_s += 1.0
                panel.tick()
        # What Python still holds back must not fail at the close.
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)


_CHILD = """
import os, select, sys
from tests.ui.snapshots import PLAYING
from voicestream.ui.panel import Panel
for number in range(30):
    print("line", number, file=sys.stderr)
with Panel(lambda: PLAYING, sys.stderr, rate_hz=50) as panel:
    while not select.select([sys.stdin], [], [], panel.interval_s)[0]:
        panel.tick()
print("summary", file=sys.stderr, flush=True)
sys.stdin.readline()
sys.stdin.readline()
"""


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_a_terminal_that_folds_old_lines_keeps_no_debris(tmp_path: Path) -> None:
    def tmux(*words: str) -> str:
        command = ["tmux", "-f", os.devnull, "-S", str(tmp_path / "tmux"), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def shown_when(found: str, width: int) -> list[str]:
        deadline_s = time.monotonic() + 20.0
        while time.monotonic() < deadline_s:
            lines = tmux("capture-pane", "-p", "-S", "-").rstrip().split("\n")
            if any(line.startswith(found) and len(line) <= width for line in lines):
                return lines
            time.sleep(0.02)
        raise AssertionError(lines)

    # They fill the screen: what a fold pushes out at the top is them and not the picture.
    earlier = [f"line {number}" for number in range(30)]
    child = tmp_path / "child.py"
    child.write_text(_CHILD)
    root = Path(__file__).parents[2]
    run = f"cd '{root}' && PYTHONPATH='{root}' LC_ALL=C.UTF-8 '{sys.executable}' '{child}'"
    run = f"stty -echo; {run}"
    tmux("-u", "new-session", "-d", "-x", "90", "-y", "40", run)
    try:
        assert_whole(shown_when("╰", 89)[30:], 90)
        for columns in (60, 46, 100):
            if columns == 100:  # not all of it fits, folded, and what went off comes back
                tmux("resize-window", "-x", "50", "-y", "6")
                shown_when("● speaking", 50)
            tmux("resize-window", "-x", str(columns), "-y", "40")
            whole = "╰─ localhost:8880/v1 · pcm 24 kHz " + "─" * (min(columns - 1, 88) - 35) + "╯"
            lines = shown_when(whole, columns)
            assert lines[:30] == earlier
            assert_whole(lines[30:], columns)
        tmux("send-keys", "Enter")
        assert shown_when("summary", 100) == [*earlier, "summary"]
    finally:
        tmux("kill-server")
