from __future__ import annotations

from dataclasses import replace
from io import StringIO
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.segment import SegmentLines

from tests.ui.drawn import rows
from tests.ui.snapshots import HEARD, PLAYING, playing, silent, snapshots, texts
from voicestream.counters import SegmentFigures, Snapshot
from voicestream.state import State, Status
from voicestream.ui.lines import Line, clip, segments, wrap
from voicestream.ui.picture import draw

ENCODINGS = ("utf-8", "ascii", "cp437", "latin-1", "shift_jis")


def styles_of(snapshot: Snapshot, words: str) -> set[str]:
    return {
        style for line in draw(snapshot, 80, full=True) for text, style in line if words in text
    }


@given(
    snapshots,
    st.integers(1, 200),
    st.one_of(st.none(), st.integers(1, 40)),
    st.sampled_from(ENCODINGS),
    st.booleans(),
    st.booleans(),
)
@example(PLAYING, 44, 14, "utf-8", True, True)
@example(PLAYING, 44, 9, "utf-8", True, False)
def test_any_snapshot_fits_any_terminal(
    snapshot: Snapshot, width: int, height: int | None, encoding: str, color: bool, full: bool
) -> None:
    shown = rows(snapshot, width, full, height=height, encoding=encoding, color=color)
    assert 1 <= len(shown) <= (height or 100)
    for row in shown:
        assert cell_len(row) <= width
        assert row.isprintable() or not row
        row.encode(encoding)


@given(snapshots, st.integers(44, 120), st.booleans())
def test_the_frame_is_closed(snapshot: Snapshot, width: int, full: bool) -> None:
    shown = rows(snapshot, width, full)
    assert {cell_len(row) for row in shown} == {min(width, 88)}
    assert shown[0][0] + shown[0][-1] + shown[-1][0] + shown[-1][-1] == "╭╮╰╯"
    assert {row[0] + row[-1] for row in shown[1:-1]} == {"││"}


@given(snapshots, st.integers(1, 120), st.booleans())
def test_rich_shows_it_as_it_was_laid(snapshot: Snapshot, width: int, color: bool) -> None:
    out = StringIO()
    console = Console(file=out, width=200, color_system=None, force_terminal=True)
    lines = draw(snapshot, width, color=color, full=True)
    console.print(SegmentLines([segments(line) for line in lines], new_lines=True), end="")
    assert out.getvalue() == "".join(f"{row}\n" for row in rows(snapshot, width, color=color))


@given(texts, st.integers(0, 40))
def test_clip_keeps_the_beginning_within_the_width(text: str, width: int) -> None:
    clipped = clip(text, width)
    assert cell_len(clipped) <= width
    if cell_len(text) <= width:
        assert clipped == text
    elif clipped:
        assert clipped.endswith("…")
        assert text.startswith(clipped[:-1])


@pytest.mark.parametrize("text", ["one two three four five six", "漢字かな交じり文は空白がない"])
@pytest.mark.parametrize("width", range(4, 30))
def test_wrapped_text_is_complete_when_there_are_rows_enough(text: str, width: int) -> None:
    lines = wrap(text, width, rows=20)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(map(cell_len, lines)) <= width


def test_words_are_not_broken_where_there_are_spaces() -> None:
    assert wrap("one two three four", 9, rows=3) == ["one two", "three", "four"]


def test_the_picture_says_what_is_known() -> None:
    shown = "\n".join(rows(playing(underruns=2, rebuffers=1, stall_ms=310.0)))
    for words in (
        "● speaking",
        "7.3 s of 12.4 s · 7.6 s elapsed",
        "It is being spoken.",
        "↓ It is on its way.",
        "· It waits.",
        "first sound    342 ms",
        "start-up 61  server 203  buffering 41  sound card 37",
        "buffer        1460 ms",
        "starts at 150, holds 2000 ms",
        "2 underruns · 1 rebuffer · 310 ms of silence · 384 kbit/s",
        "1 of 4 segments done · 1 in flight · 1 waiting",
        "localhost:8880/v1 · pcm 24 kHz",
    ):
        assert words in shown
    assert "It is over." not in shown


DETAILS = (
    "health       healthy",
    "jitter           6 ms  between arrivals; 340 ms of buffer takes it · full 3 times",
    "buffer held   1210 ms  on average, 960 to 1460 ms · mostly within 250 ms",
    "time         asking 0.1 s · gathering 0.2 s · speaking 7.0 s · waiting 0.3 s",
)


def test_the_figures_of_the_buffer_are_shown_once_something_is_heard() -> None:
    shown = "\n".join(rows(HEARD, 88))
    for words in DETAILS:
        assert words in shown
    assert "health" not in "\n".join(rows(playing(), 88))


def test_the_buffer_says_what_to_change() -> None:
    dry = replace(HEARD, underruns=1, stall_ms=190.0)
    shown = "\n".join(rows(dry))
    assert "health       too small: --prebuffer-ms 340 would have kept it even" in shown
    assert "buffer too small" in rows(dry, 40)
    assert styles_of(HEARD, "healthy") == {"green"}
    assert styles_of(dry, "too small") == {"yellow"}


def test_a_narrow_terminal_shows_what_matters_of_the_buffer() -> None:
    shown = rows(HEARD, 40)
    assert "buffer healthy" in shown
    assert "jitter 6 ms 340 ms takes it" in shown
    assert not any("buffer held" in row or "speaking 7" in row for row in shown)
    assert "time         speaking 7.0 s · waiting 0.3 s" in "\n".join(rows(HEARD, 54))


def test_a_low_terminal_loses_the_lesser_figures_first() -> None:
    assert len(rows(HEARD, 88)) == 18
    for height, left in ((15, 4), (14, 3), (13, 2), (12, 1), (11, 0)):
        shown = rows(HEARD, 88, height=height)
        assert len(shown) == height
        assert shown[0].startswith("╭")
        found = [any(words in row for row in shown) for words in DETAILS]
        assert found == [True] * left + [False] * (4 - left)


def test_underruns_change_colour() -> None:
    assert styles_of(playing(), "0 underruns") == {"green"}
    assert styles_of(playing(underruns=1, stall_ms=90.0), "1 underrun") == {"yellow"}
    assert styles_of(playing(underruns=3, stall_ms=900.0), "3 underruns") == {"red"}


@pytest.mark.parametrize("state", [State.IDLE, State.CONNECTING])
def test_it_waits_for_text_while_there_is_none(state: State) -> None:
    shown = "\n".join(rows(silent(state=state)))
    assert "waiting for text" in shown
    assert "first sound" not in shown


def test_a_pause_of_the_writer_is_not_blamed_on_the_endpoint() -> None:
    done = (SegmentFigures(0, "It is over.", status=Status.DONE),)
    assert "waiting for text" in rows(playing(state=State.REBUFFERING, segments=done))[1]
    assert "waiting for more sound" in rows(playing(state=State.REBUFFERING))[1]


def test_the_time_so_far_runs_until_the_first_sound() -> None:
    asked = (SegmentFigures(0, "Hello.", status=Status.REQUESTED),)
    timeline = silent().timeline_ms | {"request_sent": 61.0}
    shown = rows(silent(state=State.CONNECTING, segments=asked, timeline_ms=timeline, at_ms=203.0))
    assert any("first sound    203 ms" in row for row in shown)
    assert any("start-up 61" in row and "server" not in row for row in shown)


def bar_of(line: Line) -> list[tuple[str, str]]:
    return [(text, style) for text, style in line if text and set(text) <= set("━┃─")]


@pytest.mark.parametrize(("fill_ms", "style"), [(1_460.0, "green"), (80.0, "yellow"), (0.0, "red")])
def test_the_bar_of_the_buffer(fill_ms: float, style: str) -> None:
    line = next(
        line for line in draw(playing(fill_ms=fill_ms), 80, full=True) if "buffer" in str(line[1])
    )
    bar = bar_of(line)
    whole = "".join(text for text, _ in bar)
    lit = sum(len(text) for text, its in bar if its == style)
    assert abs(lit / len(whole) - fill_ms / 2_000.0) <= 1.0 / len(whole)
    assert abs(whole.index("┃") / len(whole) - 150.0 / 2_000.0) <= 1.0 / len(whole)


@given(st.lists(st.floats(1, 1_000), min_size=4, max_size=4), st.integers(60, 88))
def test_the_bar_of_the_first_sound_is_in_proportion(steps: list[float], width: int) -> None:
    at_ms = list(accumulate(steps))
    names = ("request_sent", "first_byte", "playback_start", "first_sound")
    marks = dict(zip(names, at_ms, strict=True))
    lines = draw(playing(timeline_ms=marks, ttfa_ms=at_ms[3]), width, full=True)
    bar = bar_of(next(line for line in lines if "first sound" in str(line[1])))
    whole = sum(len(text) for text, _ in bar)
    for step, style in zip(steps, ("blue", "cyan", "magenta", "yellow"), strict=True):
        drawn = sum(len(text) for text, its in bar if its == style)
        assert abs(drawn - step / at_ms[3] * whole) <= 1.0


def test_markup_and_escapes_in_the_text_are_only_text() -> None:
    nasty = "[red]x[/red] \x1b[31m \x1b]0;title\x07 \x9b2J \u202eabc [link=http://x]y[/link]"
    out = StringIO()
    console = Console(file=out, width=88, color_system=None, force_terminal=True)
    segment = SegmentFigures(0, nasty, status=Status.PLAYING)
    lines = draw(playing(speaking=nasty, segments=(segment,), endpoint=nasty), 88)
    console.print(SegmentLines([segments(line) for line in lines], new_lines=True))
    shown = out.getvalue()
    assert "[red]x[/red] abc [link=http://x]y[/link]" in shown
    assert not set(shown) & set("\x1b\x07\x9b\u202e")


def test_ascii_has_no_boxes() -> None:
    text = "Grün, 漢字"
    segment = (SegmentFigures(0, text, status=Status.PLAYING),)
    shown = rows(playing(speaking=text, segments=segment), encoding="ascii")
    assert all(row.isascii() for row in shown)
    assert shown[0].startswith("+- voicestream")
    assert any("Gr?n, ??" in row for row in shown)


def test_without_colours_the_parts_differ_in_shape() -> None:
    shown = "\n".join(rows(playing(), color=False))
    assert "█ start-up 61  ▓ server 203  ▒ buffering 41  ░ sound card 37" in shown
    bar = next(row for row in shown.splitlines() if "first sound" in row)
    assert [glyph in bar for glyph in "█▓▒░"] == [True] * 4


def test_a_low_terminal_loses_air_then_the_frame_then_lines() -> None:
    assert len(rows(playing())) == 13
    assert len(rows(playing(), height=12)) <= 12
    assert rows(playing(), height=11)[0].startswith("╭")
    assert rows(playing(), height=9)[0].startswith("● speaking")
    assert rows(playing(), height=1) == rows(playing(), height=9)[:1]


PACKETS = {
    "received": 990,
    "lost": 8,
    "late": 2,
    "reordered": 3,
    "delay_ms": 41.5,
    "concealed_ms": 200.0,
    "stretched_ms": 35.0,
    "drift_ppm": 120.0,
}


@pytest.mark.parametrize("width", [24, 60, 100])
def test_what_becomes_of_packets_is_shown(width: int) -> None:
    lines = draw(replace(HEARD, packets=PACKETS), width, full=True)
    told = "\n".join("".join(text for text, _ in line) for line in lines)
    assert "42 ms" in told
    assert "200 ms" in told
    if width == 100:
        assert "1.0 % lost or late" in told
        assert "3 reordered" in told
        assert "stretched 35 ms" in told
        assert "+120 ppm" in told
    empty = {"refused": 3}  # before the first packet
    assert draw(replace(HEARD, packets=empty), width, full=True) == draw(HEARD, width, full=True)
