"""The quiet picture: the text, how far it is, and one line of figures."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.drawn import rows
from tests.ui.snapshots import PLAYING, playing, snapshots
from voicestream.counters import Cue, SegmentFigures, Snapshot
from voicestream.state import Status
from voicestream.ui.keys import HINT
from voicestream.ui.picture import draw
from voicestream.ui.progress import progress_of
from voicestream.ui.summary import ttfa_parts

TALE = ("It is over.", "It is being spoken, and it goes on for a while.", "It waits.")


HALFWAY = playing(
    cues=(Cue(0, TALE[0]), Cue(24_000, TALE[1])),
    speaking=TALE[1],
    written_frames=120_000,
    played_frames=72_000,
    rate_hz=24_000,
    played_s=3.0,
    audio_s=5.0,
    text_chars=sum(map(len, TALE)),
    text_complete=True,
    segments=(
        SegmentFigures(0, TALE[0], status=Status.DONE, ended_at_s=1.0),
        SegmentFigures(1, TALE[1], status=Status.PLAYING),
        SegmentFigures(2, TALE[2], status=Status.QUEUED),
    ),
)
"""A second of the first text, and two of the four seconds of the second one."""


def test_the_quiet_picture_has_text_progress_time_and_one_line_of_figures() -> None:
    shown = rows(HALFWAY, full=False, hint="? keys")
    assert "● speaking" in shown[1]
    assert shown[1].rstrip("│ ").endswith("0:03 of about 0:06")
    assert [row.strip("│ ") for row in shown[3:5]] == [TALE[1], TALE[2]]
    assert shown[6].rstrip("│ ").endswith(" 51 %")
    figures = shown[7].strip("│ ")
    assert figures.startswith("first sound 342 ms · buffer 1.5 s · no holes  ")
    assert figures.endswith("? keys")
    assert len(shown) == 9


def test_what_waits_in_the_buffer_is_what_comes_next() -> None:
    done = tuple(replace(segment, status=Status.DONE) for segment in HALFWAY.segments)
    cues = (*HALFWAY.cues, Cue(110_000, TALE[2]))
    shown = rows(replace(HALFWAY, segments=done, cues=cues), full=False)
    assert [row.strip("│ ") for row in shown[3:5]] == [TALE[1], TALE[2]]


def test_the_time_is_exact_once_all_of_it_has_arrived() -> None:
    arrived = tuple(
        replace(segment, ended_at_s=1.0, status=Status.DONE) for segment in HALFWAY.segments[:2]
    )
    chars = sum(map(len, TALE[:2]))
    seen = replace(HALFWAY, segments=arrived, text_chars=chars)
    assert "0:03 of 0:05" in rows(seen, full=False)[1]
    open_end = replace(HALFWAY, text_complete=False)
    shown = rows(open_end, full=False)
    assert " of " not in shown[1]
    assert shown[6].rstrip("│ ").endswith("% so far")


@given(snapshots, st.integers(0, 10**6), st.booleans())
def test_progress_is_a_share(snapshot: Snapshot, chars: int, complete: bool) -> None:
    progress = progress_of(replace(snapshot, text_chars=chars, text_complete=complete))
    assert 0.0 <= progress.share <= 1.0
    assert progress.total_s is None or progress.total_s >= progress.heard_s


@pytest.mark.parametrize("played", range(0, 100_000, 9_999))
def test_of_a_long_text_the_rows_are_shown_that_are_spoken(played: int) -> None:
    text = " ".join(f"word{number:02}" for number in range(72))
    seen = playing(
        cues=(Cue(0, text, 100_000),), speaking=text, played_frames=played, heard_frames=played
    )
    shown = [line.strip("│ ") for line in rows(seen, 89, full=False)]
    assert f"word{72 * played // 100_000:02}" in " ".join(shown)
    spoken = " ".join(line for line in shown if line.startswith("word"))
    assert spoken in text
    assert 22 < len(spoken.split()) <= 33
    lines = draw(seen, 89, full=False)
    marked = [part for line in lines for part, style in line if style == "bold underline"]
    assert marked == ([f"word{72 * played // 100_000:02}"] if played else [])


def test_a_low_terminal_keeps_state_and_figures() -> None:
    for height in (8, 5, 3):
        shown = rows(HALFWAY, 40, full=False, height=height)
        assert len(shown) <= height
        assert shown[0].startswith("● speaking")
        assert "no holes" in shown[-1] or height < 4


def test_the_servers_part_is_the_servers() -> None:
    marks = {**PLAYING.timeline_ms, "reader_ready": 263.0}
    late = dict(ttfa_parts(playing(timeline_ms=marks)))
    assert late["loading"] == 202.0
    assert late["server"] == 1.0
    busy = dict(ttfa_parts(playing(timeline_ms={**marks, "reader_ready": 250.0})))
    assert (busy["loading"], busy["server"]) == (189.0, 14.0)
    waited = dict(ttfa_parts(playing(timeline_ms={**marks, "reader_ready": 120.0})))
    assert "loading" not in waited
    assert waited["server"] == 203.0
    assert "voice" in dict(ttfa_parts(playing(endpoint="embedded")))


def test_all_keys_fit_on_a_narrow_terminal() -> None:
    lines = draw(PLAYING, 80, hint=HINT)
    assert any(HINT in text for line in lines for text, _style in line)
