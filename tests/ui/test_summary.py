from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.snapshots import playing, silent, snapshots, texts
from voicestream.counters import SegmentFigures, Snapshot
from voicestream.state import State, Status
from voicestream.ui.summary import duration, seconds, summary_line, ttfa_parts
from voicestream.ui.terminal import clean, encoding_of, wants_panel


def test_the_line_of_a_good_end() -> None:
    assert summary_line(playing(state=State.DONE, played_s=12.6)) == (
        "heard 12.4 s · first sound after 342 ms "
        "(start-up 61, server 203, buffering 41, sound card 37) · no holes"
    )


@pytest.mark.parametrize(
    ("snapshot", "beginning"),
    [
        (playing(state=State.FAILED), "failed: heard 7.3 s of 12.4 s · first sound"),
        (playing(state=State.CANCELLED), "stopped: heard 7.3 s of 12.4 s · first sound"),
        (silent(state=State.FAILED), "failed: no sound"),
        (silent(state=State.CANCELLED), "stopped: no sound"),
        (silent(state=State.DONE), "no sound"),
        (silent(state=State.DONE, audio_s=12.4), "12.4 s of sound, none of it played"),
    ],
)
def test_other_ends_are_told_as_they_were(snapshot: Snapshot, beginning: str) -> None:
    line = summary_line(snapshot)
    assert line.startswith(beginning)
    assert ("first sound" in line) == (snapshot.ttfa_ms is not None)


def test_underruns_and_failed_segments_are_told() -> None:
    segments = (
        SegmentFigures(0, "a", status=Status.DONE),
        SegmentFigures(1, "b", status=Status.FAILED),
    )
    line = summary_line(playing(underruns=1, stall_ms=310.0, segments=segments))
    assert "1 hole, 310 ms of silence" in line
    assert "1 of 2 segments failed" in line


def test_the_line_says_what_to_change_where_there_was_a_hole() -> None:
    heard = playing(played_frames=175_200, recommended_buffer_ms=340.0)
    assert summary_line(heard).endswith(" · no holes")
    dry = replace(heard, underruns=1, stall_ms=190.0)
    assert (
        "1 hole, 190 ms of silence · buffer too small: --prebuffer-ms 340 would have kept it even"
    ) in summary_line(dry)


@given(snapshots, st.sampled_from(["utf-8", "ascii", "cp1252"]))
def test_it_is_one_line_of_the_encoding(snapshot: Snapshot, encoding: str) -> None:
    line = summary_line(snapshot, encoding)
    assert line.isprintable()
    line.encode(encoding)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=3, max_size=3))
def test_the_parts_add_up_to_the_first_sound(middle: list[float | None]) -> None:
    at_ms = sorted(mark for mark in middle if mark is not None)
    names = ("request_sent", "first_byte", "playback_start")
    marks = {
        name: None if mark is None else at_ms.pop(0)
        for name, mark in zip(names, middle, strict=True)
    }
    parts = ttfa_parts(playing(timeline_ms=marks | {"first_sound": 1e6}, ttfa_ms=1e6))
    assert sum(part_ms for _, part_ms in parts) == pytest.approx(1e6)


def test_numbers_for_people() -> None:
    assert [seconds(value) for value in (0.04, 12.44, 59.96, 3_599.4, 3_600.0)] == [
        "0.0 s",
        "12.4 s",
        "1:00",
        "59:59",
        "1:00:00",
    ]
    assert [duration(value) for value in (0.4, 9_999.0, 12_345.0)] == ["0 ms", "9999 ms", "12.3 s"]


@given(texts, st.sampled_from(["utf-8", "ascii", "latin-1"]))
def test_clean_text_can_harm_nobody(text: str, encoding: str) -> None:
    cleaned = clean(text, encoding)
    assert cleaned.isprintable()
    assert cleaned == cleaned.strip()
    assert cleaned == clean(cleaned, encoding)
    cleaned.encode(encoding)


@given(st.text("abc äßé漢 ", max_size=40))
def test_clean_leaves_words_alone(text: str) -> None:
    assert clean(text) == " ".join(text.split())


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("mode", "terminal", "term", "wanted"),
    [
        ("auto", True, "xterm", True),
        ("auto", True, "dumb", False),
        ("auto", False, "xterm", False),
        ("on", False, "dumb", True),
        ("off", True, "xterm", False),
        ("full", True, "xterm", True),
        ("full", False, "xterm", False),
    ],
)
def test_who_wants_a_panel(mode: str, terminal: bool, term: str, wanted: bool) -> None:
    stream = Terminal() if terminal else StringIO()
    assert wants_panel(mode, stream, {"TERM": term}) is wanted


def test_a_notebook_gets_no_flood_of_pictures() -> None:
    notebook = {"TERM": "xterm-color", "JPY_PARENT_PID": "4711"}
    assert not wants_panel("auto", Terminal(), notebook)
    assert wants_panel("on", Terminal(), notebook)


def test_the_encoding_of_a_stream() -> None:
    assert encoding_of(TextIOWrapper(BytesIO(), encoding="latin-1")) == "iso8859-1"
    assert encoding_of(StringIO()) == "ascii"


def test_the_summary_needs_no_rich() -> None:
    code = "import sys, voicestream.ui.summary; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
