"""The panel as a picture for the README: ``python -m tests.bench.picture tests/data/panel.svg``.

``python -m tests.bench.picture`` alone shows it here, at several widths.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.segment import SegmentLines
from rich.terminal_theme import TerminalTheme

from voicestream.counters import Cue, FillFigures, SegmentFigures, Snapshot
from voicestream.state import State, Status
from voicestream.ui.canvas import WIDEST
from voicestream.ui.lines import Line, segments
from voicestream.ui.picture import draw
from voicestream.ui.summary import summary_line

TEXTS = (
    "The sky is blue because of the way air scatters sunlight.",
    "Light that looks white is a mixture of every colour, and each of them is a wave; "
    "blue comes in shorter, smaller waves, so the molecules of the air turn it aside far "
    "more often than red.",
    "That scattered blue light reaches your eyes from all over the sky.",
    "At sunset the light takes a longer way through the air.",
    "Most of the blue is gone by then, and what is left is red and orange.",
)
THEME = TerminalTheme(
    (22, 24, 29),
    (212, 216, 224),
    [
        (40, 44, 52),
        (224, 108, 117),
        (126, 196, 122),
        (222, 184, 106),
        (97, 150, 238),
        (190, 132, 226),
        (86, 182, 194),
        (190, 195, 204),
    ],
)


def sample() -> Snapshot:
    """A reply in the middle: the second of five sentences plays, two are on their way."""
    statuses = ("done", "playing", "arriving", "requested", "queued")
    segments = tuple(
        SegmentFigures(index, text, status=Status(status))
        for index, (text, status) in enumerate(zip(TEXTS, statuses, strict=True))
    )
    return Snapshot(
        state=State.PLAYING,
        at_ms=7_604.0,
        timeline_ms={
            "request_sent": 58.0,
            "first_byte": 261.0,
            "first_sample": 262.0,
            "playback_start": 302.0,
            "first_sound": 318.0,
            "end": None,
        },
        ttfa_ms=318.0,
        fill_ms=1_460.0,
        prebuffer_ms=150.0,
        capacity_ms=2_000.0,
        underruns=0,
        rebuffers=0,
        stall_ms=0.0,
        played_s=7.3,
        audio_s=12.4,
        bytes=595_200,
        throughput_kbps=1_536.0,
        decode_ms=3.1,
        endpoint="api.openai.com/v1",
        format="pcm 24 kHz",
        speaking=TEXTS[1],
        segments=segments,
        warnings=(),
        cues=(Cue(0, TEXTS[0], 73_200), Cue(81_600, TEXTS[1], 297_600)),
        written_frames=297_600,
        played_frames=175_200,
        heard_frames=174_000,
        rate_hz=24_000,
        text_chars=sum(map(len, TEXTS)),
        text_complete=True,
        overruns=3,
        jitter_ms=6.4,
        recommended_buffer_ms=90.0,
        states_ms={"idle": 4.0, "connecting": 54.0, "prebuffering": 244.0, "playing": 7_302.0},
        fill=FillFigures(456, 456 * 1_210.0, 456 * (1_210.0**2 + 310.0**2), 96.0, 1_990.0),
    )


def others() -> list[Snapshot]:
    """Other moments: before any text, waiting for the server, in trouble, the end."""
    playing = sample()
    empty = replace(playing, ttfa_ms=None, speaking="", segments=(), bytes=0, audio_s=0.0)
    empty = replace(empty, played_s=0.0, played_frames=0)
    none = dict.fromkeys(playing.timeline_ms)
    queued = (SegmentFigures(0, TEXTS[0], status=Status.REQUESTED),)
    asked = replace(empty, timeline_ms={**none, "request_sent": 58.0}, at_ms=203.0, fill_ms=0.0)
    trouble = replace(playing, state=State.REBUFFERING, fill_ms=80.0, underruns=2, rebuffers=1)
    trouble = replace(trouble, jitter_ms=84.0, recommended_buffer_ms=684.0)
    return [
        replace(empty, state=State.IDLE, timeline_ms=none),
        replace(asked, state=State.CONNECTING, segments=queued),
        replace(trouble, stall_ms=640.0, warnings=("the endpoint is slower than speech",)),
        replace(playing, state=State.DONE, played_s=12.4, at_ms=12_760.0, fill_ms=0.0),
    ]


def laid(lines: list[Line]) -> SegmentLines:
    """A picture as rich prints it."""
    return SegmentLines([segments(line) for line in lines], new_lines=True)


def write_svg(path: Path) -> None:
    console = Console(record=True, width=WIDEST, file=StringIO(), force_terminal=True)
    console.print(laid(draw(sample(), WIDEST)))
    svg = console.export_svg(title="voicestream say", theme=THEME, unique_id="panel")
    # the fonts would be fetched from elsewhere; a reader's own monospace does
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S))


def show_all() -> None:
    console = Console()
    for snapshot in (sample(), *others()):
        console.print(laid(draw(snapshot, console.width)))
        console.print(summary_line(snapshot), markup=False, highlight=False)
    for width in (60, 44, 30, 20):
        console.print(laid(draw(sample(), width, hint="? keys")))
        console.print(laid(draw(sample(), width, full=True)))
    console.print(laid(draw(sample(), 70, encoding="ascii", color=False)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write_svg(Path(sys.argv[1]))
    else:
        show_all()
