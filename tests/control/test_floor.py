"""The floor: real processes, one at a time, in order, whatever happens to who holds it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from voicestream.control.entries import Rank
from voicestream.control.floor import PATIENCE_S, Floor, last_heard_s

_WAIT_S = 20.0


class Hall:
    """Processes that share one floor, and the log of who had it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.touch()
        self.speakers: dict[str, subprocess.Popen[bytes]] = {}

    def speaker(
        self, name: str, rank: str = "last", speaks_s: float = 0.1, patience_s: float = PATIENCE_S
    ) -> None:
        """Start one and wait until it is in the queue."""
        words = [str(self.folder), str(self.log), name, rank, str(speaks_s), str(patience_s)]
        self.speakers[name] = subprocess.Popen(
            [sys.executable, "-m", "tests.control.speaker", *words],
            cwd=Path(__file__).parents[2],
        )
        self.until(lambda: f"queued {name}" in self.log.read_text())

    def until(self, true: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + _WAIT_S
        while not true():
            assert time.monotonic() < deadline_s, self.log.read_text()
            time.sleep(0.002)

    def kill(self, name: str) -> None:
        with self.log.open("a") as log:  # first: the next one may have the floor at once
            log.write(f"{time.monotonic():.4f} off {name}\n")
        self.speakers[name].kill()
        self.speakers[name].wait()

    def on(self, name: str) -> None:
        """Wait until that one speaks."""
        self.until(lambda: f"on {name}" in self.log.read_text())

    def ended(self) -> None:
        """Wait for the end of all that were not killed."""
        for speaker in self.speakers.values():
            speaker.wait(_WAIT_S)

    def order(self) -> list[str]:
        """Who began or went on to speak; fails where two had the floor at once."""
        speaking, order = "", []
        for line in self.log.read_text().splitlines():
            _, word, name = line.split()
            if word == "on":
                assert not speaking, self.log.read_text()
                speaking = name
                order.append(name)
            elif word == "off":
                speaking = ""
        return order


@pytest.fixture
def hall(short: Path) -> Iterator[Hall]:
    hall = Hall(short)
    yield hall
    for speaker in hall.speakers.values():
        speaker.kill()
        speaker.wait()


def test_the_order_is_that_in_which_they_came(hall: Hall) -> None:
    names = ["a", "b", "c", "d"]
    hall.speaker("a", speaks_s=0.5)
    for name in names[1:]:
        hall.speaker(name)
    hall.ended()
    assert hall.order() == names
    assert os.listdir(hall.folder / "floor") == ["holder"]


def test_next_goes_before_those_who_wait(hall: Hall) -> None:
    hall.speaker("a", speaks_s=60)
    hall.on("a")
    hall.speaker("b")
    hall.speaker("c", rank="next")
    hall.kill("a")
    hall.ended()
    assert hall.order() == ["a", "c", "b"]


def test_now_interrupts_and_the_interrupted_one_goes_on(hall: Hall) -> None:
    hall.speaker("a", speaks_s=1.0)
    hall.on("a")
    hall.speaker("b")
    hall.speaker("c", rank="now")
    hall.ended()
    assert hall.order() == ["a", "c", "a", "b"]


def test_the_latest_now_is_the_first(hall: Hall) -> None:
    hall.speaker("a", speaks_s=1.5)
    hall.on("a")
    hall.speaker("b", rank="now", speaks_s=1.0)
    hall.on("b")
    hall.speaker("c", rank="now")
    hall.ended()
    assert hall.order() == ["a", "b", "c", "b", "a"]


def test_who_is_killed_frees_the_floor_and_its_place(hall: Hall) -> None:
    hall.speaker("a", speaks_s=60)
    hall.on("a")
    hall.speaker("b", speaks_s=60)
    hall.speaker("c")
    hall.kill("b")
    hall.kill("a")
    hall.ended()
    assert hall.log.read_text().split()[-1] == "c"


def test_who_stands_still_is_passed_over_and_comes_back(hall: Hall) -> None:
    hall.speaker("a", speaks_s=0.5)
    hall.on("a")
    os.kill(hall.speakers["a"].pid, signal.SIGSTOP)
    hall.speaker("b", speaks_s=0.3, patience_s=1.0)
    hall.on("b")
    os.kill(hall.speakers["a"].pid, signal.SIGCONT)
    hall.ended()
    assert [line.split()[1:] for line in hall.log.read_text().splitlines()][-2:] == [
        ["on", "a"],
        ["off", "a"],
    ]


def test_a_waiter_that_stands_still_holds_up_nobody(hall: Hall) -> None:
    hall.speaker("a", speaks_s=60)
    hall.on("a")
    hall.speaker("b")
    os.kill(hall.speakers["b"].pid, signal.SIGSTOP)
    hall.speaker("c", patience_s=1.0)
    hall.kill("a")
    hall.on("c")
    os.kill(hall.speakers["b"].pid, signal.SIGCONT)
    hall.ended()
    assert hall.order() == ["a", "c", "b"]


def test_a_cancelled_waiter_leaves_nothing(tmp_path: Path) -> None:
    first, second = (Floor(str(tmp_path), f"{os.getpid()}-{n}", float(n)) for n in (1, 2))
    first.enter()
    assert first.acquire(lambda: False) == 0.0
    tries = iter([False, False, True])
    second.enter()
    # no control socket answers for either of them
    assert second.acquire(lambda: next(tries)) is None
    second.leave()
    first.leave(7.5)
    third = Floor(str(tmp_path), "7-7", 3.0, Rank.NEXT)
    third.enter()
    assert third.acquire(lambda: False) == 7.5
    third.leave()
    assert os.listdir(tmp_path / "floor") == ["holder"]


@pytest.mark.parametrize("written", [None, b"", b"{", b"[]", b'{"who": "1-1"}'])
def test_who_was_heard_last_may_be_unknown(short: Path, written: bytes | None) -> None:
    if written is not None:
        (short / "floor").mkdir()
        (short / "floor" / "holder").write_bytes(written)
    assert last_heard_s(str(short)) == 0.0


def test_when_the_last_speaker_was_heard_is_known_to_all(short: Path) -> None:
    floor = Floor(str(short), "1-1", 0.0)
    floor.enter()
    floor.acquire(lambda: False)
    floor.leave(7.5)
    assert last_heard_s(str(short)) == 7.5
