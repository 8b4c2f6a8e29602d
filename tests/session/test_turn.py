"""Two sessions of one process and one floor: who speaks, who waits, who is dropped."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import pytest

from tests.session.fakes import LONG_S
from tests.session.stage import PERIOD, Stage
from tests.support.matching import match
from voicestream.control.client import tell
from voicestream.control.entries import Entries, Rank
from voicestream.session.outputs import make_turn
from voicestream.session.turn import Turn
from voicestream.settings.table import Settings

LENGTHS = [24_000]


def heard_to_the_end(*stages: Stage) -> list[bool]:
    """Play both loudspeakers until both sessions have ended; whether each was heard whole."""
    deadline_s = time.monotonic() + LONG_S
    while not all(stage.session.wait(0) for stage in stages):
        assert time.monotonic() < deadline_s
        for stage in stages:
            if stage.sink.started.is_set() and stage.has(PERIOD) and not stage.session.wait(0):
                stage.sink.pull()
        time.sleep(0.0005)
    return [match(stage.sound(0), stage.sink.heard).missing == 0 for stage in stages]


@pytest.mark.parametrize("impatient", [{"wait": False}, {"expires_s": LONG_S}])
def test_what_has_begun_is_not_dropped_when_another_interrupts_it(
    short: Path, impatient: dict[str, float]
) -> None:
    turn = Turn(str(short), start_s=time.monotonic(), pause_s=0, **impatient)
    first = Stage(LENGTHS, turn=turn)
    first.begin(2400)
    turn._start_s -= LONG_S  # what still waited would be stale by now
    second = Stage(LENGTHS, turn=Turn(str(short), Rank.NOW, time.monotonic(), pause_s=0))
    second.session.start()
    assert heard_to_the_end(first, second) == [True, True]
    assert first.session.result().completed
    assert not first.session.result().snapshot.warnings


def test_who_comes_after_all_was_said_begins_at_once(short: Path) -> None:
    """The pause lies between those who waited and who they waited for."""
    first = Stage(LENGTHS, turn=Turn(str(short), start_s=time.monotonic(), pause_s=0))
    first.session.start()
    assert heard_to_the_end(first) == [True]
    second = Stage(LENGTHS, turn=Turn(str(short), start_s=time.monotonic(), pause_s=10 * LONG_S))
    second.session.start()
    assert heard_to_the_end(second) == [True]


def test_who_does_not_want_to_wait_is_dropped(short: Path) -> None:
    first = Stage(LENGTHS, turn=Turn(str(short), start_s=time.monotonic(), pause_s=0))
    first.begin(2400)
    second = Stage(LENGTHS, turn=Turn(str(short), start_s=time.monotonic(), wait=False))
    second.session.start()
    assert second.session.wait(LONG_S)
    assert second.session.dropped
    assert heard_to_the_end(first) == [True]


def test_a_turn_leaves_nothing_else_in_the_runtime_folder(short: Path) -> None:
    stage = Stage(LENGTHS, turn=Turn(str(short), pause_s=0))
    stage.session.start()
    assert heard_to_the_end(stage) == [True]
    assert sorted(os.listdir(short)) == ["floor", "said"]
    assert os.listdir(short / "floor") == ["holder"]


def test_a_full_disk_is_told_and_verbs_are_answered_until_the_end(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    monkeypatch.setenv("VOICESTREAM_RUNTIME_DIR", str(short))
    stage = Stage(LENGTHS, turn=Turn(str(short), pause_s=0))
    stage.begin(2400)
    assert [answer["ok"] for answer in tell("status")] == [True]
    assert heard_to_the_end(stage) == [True]
    assert "No space left" in stage.session.result().snapshot.warnings[0]
    assert "said" in os.listdir(short)
    assert not [name for name in os.listdir(short) if name.endswith(".sock")]
    assert os.listdir(short / "floor") == ["holder"]


def test_who_gave_way_and_loses_the_floor_goes_on(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Stage(LENGTHS, turn=Turn(str(short), start_s=time.monotonic(), pause_s=0))
    first.begin(2400)

    def too_many(_self: Entries) -> list[str]:
        raise OSError(24, "Too many open files")

    second = Stage(LENGTHS, turn=Turn(str(short), Rank.NOW, time.monotonic(), pause_s=0))
    second.session.start()
    while not first.session.controls.yielded:
        if first.has(PERIOD):
            first.sink.pull()
        time.sleep(0.0005)
    monkeypatch.setattr(Entries, "ahead", too_many)
    assert heard_to_the_end(first, second) == [True, True]
    controls = first.session.controls
    assert (controls.yielded, controls.doubt_after_s) == (False, math.inf)
    assert "Too many" in first.session.result().snapshot.warnings[0]


def test_a_runtime_folder_that_cannot_be_used_is_told_and_it_speaks(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short.chmod(0o755)
    monkeypatch.setenv("VOICESTREAM_RUNTIME_DIR", str(short))
    stage = Stage(LENGTHS)
    assert make_turn(Settings(), 0.0, stage.session.metrics.notices) is None
    stage.session.start()
    assert heard_to_the_end(stage) == [True]
    assert "at the same time" in stage.session.result().snapshot.warnings[0]
