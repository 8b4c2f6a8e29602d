"""What a signal does, by when it comes; real processes are hit in ``tests/cli``."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from voicestream import files
from voicestream.cli.signals import STOPPED_JSON, Signals
from voicestream.output.save import Saver


class Over:
    """A session that has ended: nothing interrupts it any more."""

    interrupted = False

    def interrupt(self) -> None:
        return


def test_the_second_signal_ends_the_process_even_when_the_session_is_over() -> None:
    """The figures may be waiting for a reader who does not read."""
    signals = Signals()
    signals.session = Over()  # type: ignore[assignment]
    signals._end(signal.SIGTERM, None)
    with pytest.raises(KeyboardInterrupt):
        signals._end(signal.SIGINT, None)
    assert signals.exit_code == 143


def test_json_is_printed_where_a_signal_comes_before_the_figures(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    signals = Signals()
    signals.last_words = STOPPED_JSON
    signals.session = Over()  # type: ignore[assignment]
    signals._end(signal.SIGINT, None)
    assert capfd.readouterr().out == ""  # the figures come
    signals.session, signals.came = None, False
    with suppress(AttributeError):
        signals._end(signal.SIGTERM, None)  # which would not return
    assert ended == [143]
    assert json.loads(capfd.readouterr().out)["completed"] is False


def test_figures_are_told_of_a_session_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    signals = Signals()
    signals.session = Over()  # type: ignore[assignment]
    assert not signals.overdue
    signals._end(signal.SIGINT, None)
    assert not signals.overdue
    monkeypatch.setattr(time, "monotonic", lambda real=time.monotonic: real() + 2.5)
    assert signals.overdue


def test_a_file_that_nobody_knows_yet_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal comes in the moment in which it has been made."""

    class Ended(BaseException):
        pass

    def end(code: int) -> None:
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", end)
    made = os.open

    def struck(*arguments: Any) -> int:
        made(*arguments)
        Signals()._end(signal.SIGTERM, None)
        raise AssertionError

    monkeypatch.setattr(files.os, "open", struck)
    with pytest.raises(Ended):
        Saver(str(tmp_path / "x.wav"))
    assert list(tmp_path.iterdir()) == []


def test_what_stands_in_its_place_stays(tmp_path: Path) -> None:
    files.write_whole(tmp_path / "x", "text")
    files.remove_latest_part()
    assert (tmp_path / "x").read_text() == "text"
