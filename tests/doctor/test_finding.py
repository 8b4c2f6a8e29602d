"""Checks run at once, each within its time; the exit code is that of what hinders speaking."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from voicestream.doctor.finding import Check, Finding, exit_code, run_checks
from voicestream.errors import DeviceError

GOOD = Finding("one", "good", "well")
HUNG = Finding("two", "broken", "it hangs", exit_code=5)


def test_a_check_that_hangs_keeps_nobody_waiting_and_what_it_found_is_told() -> None:
    for_ever = threading.Event()

    def hangs() -> Iterator[Finding]:
        yield GOOD
        for_ever.wait(50)

    began_s = time.monotonic()
    found = list(run_checks([Check(hangs, 0.2, HUNG), Check(hangs, 0.2, HUNG)]))
    for_ever.set()
    assert found == [GOOD, HUNG, GOOD, HUNG]
    assert time.monotonic() - began_s < 20


def test_checks_run_at_once_and_are_told_in_their_order() -> None:
    second_runs = threading.Event()

    def first() -> Iterator[Finding]:
        assert second_runs.wait(20)
        yield Finding("first", "good", "")

    def second() -> Iterator[Finding]:
        second_runs.set()
        yield Finding("second", "good", "")

    checks = [Check(first, 30, HUNG), Check(second, 30, HUNG)]
    assert [finding.about for finding in run_checks(checks)] == ["first", "second"]


def test_an_error_of_a_check_is_what_is_broken() -> None:
    def fails() -> Iterator[Finding]:
        yield GOOD
        raise DeviceError("no card", "none is there", "Buy one.")

    def bug() -> Iterator[Finding]:
        yield from {}["nothing"]

    found = list(run_checks([Check(fails, 30, HUNG), Check(bug, 30, HUNG)]))
    assert [finding.verdict for finding in found] == ["good", "broken", "broken"]
    assert found[1].what == "no card: none is there"
    assert found[1].exit_code == 5
    assert exit_code(found) == 5


def test_the_first_that_hinders_speaking_gives_the_exit_code() -> None:
    broken = [
        Finding("sound", "good", ""),
        Finding("endpoint", "broken", "", exit_code=4),
        Finding("folders", "broken", "", exit_code=1),
    ]
    assert exit_code(broken) == 4
    assert exit_code([*broken, Finding("endpoint", "good", "another one", enough=True)]) == 1
    assert exit_code([Finding("sound", "look", "asleep")]) == 0
