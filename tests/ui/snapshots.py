"""Snapshots for tests: a reply in the middle, and any that hypothesis can think of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from voicestream.counters import FillFigures, SegmentFigures, Snapshot
from voicestream.state import State, Status

MARKS = ("request_sent", "first_byte", "first_sample", "playback_start", "first_sound", "end")

PLAYING = Snapshot(
    state=State.PLAYING,
    at_ms=7_604.0,
    timeline_ms=dict(zip(MARKS, (61.0, 264.0, 265.0, 305.0, 342.0, None), strict=True)),
    ttfa_ms=342.0,
    fill_ms=1_460.0,
    prebuffer_ms=150.0,
    capacity_ms=2_000.0,
    underruns=0,
    rebuffers=0,
    stall_ms=0.0,
    played_s=7.3,
    audio_s=12.4,
    bytes=595_200,
    throughput_kbps=384.4,
    decode_ms=3.1,
    endpoint="localhost:8880/v1",
    format="pcm 24 kHz",
    speaking="It is being spoken.",
    segments=(
        SegmentFigures(0, "It is over.", status=Status.DONE),
        SegmentFigures(1, "It is being spoken.", status=Status.PLAYING),
        SegmentFigures(2, "It is on its way.", status=Status.ARRIVING),
        SegmentFigures(3, "It waits.", status=Status.QUEUED),
    ),
    warnings=(),
)


HEARD = replace(
    PLAYING,
    played_frames=175_200,
    overruns=3,
    jitter_ms=6.4,
    recommended_buffer_ms=340.0,
    states_ms={
        "idle": 4.0,
        "connecting": 57.0,
        "prebuffering": 244.0,
        "playing": 7_000.0,
        "rebuffering": 299.0,
    },
    # 960 and 1460 ms, each as often
    fill=FillFigures(2, 2_420.0, 960.0**2 + 1_460.0**2, 960.0, 1_460.0),
)
"""A reply with all its figures."""


def playing(**changes: Any) -> Snapshot:
    return replace(PLAYING, **changes)


def silent(**changes: Any) -> Snapshot:
    """A reply that has not begun."""
    nothing: dict[str, Any] = {
        "state": State.IDLE,
        "timeline_ms": dict.fromkeys(MARKS),
        "ttfa_ms": None,
        "fill_ms": 0.0,
        "played_s": 0.0,
        "audio_s": 0.0,
        "bytes": 0,
        "throughput_kbps": 0.0,
        "speaking": "",
        "segments": (),
    }
    return replace(PLAYING, **(nothing | changes))


STATUSES = ("queued", "requested", "arriving", "playing", "done", "failed", "cancelled")
# Every kind of character that has ever broken a layout, and plain words.
_nasty = st.sampled_from(
    "\x00\x1b\x07\r\n\t\x7f\x9b\u200d\u202e\u2028\ufe0f\ufeff\ud800漢字ก้éé👩🏽👍[/]\\ -"
)
texts = st.one_of(st.text(max_size=60), st.text(_nasty, max_size=60), st.just("[red]x[/red] " * 40))
_figures = st.one_of(st.floats(0, 1e8), st.sampled_from([0.0, 150.0, 59_999.0]))
_moments = st.one_of(st.none(), _figures)
_counts = st.integers(0, 10**7)


@st.composite
def segments(draw: st.DrawFn) -> tuple[SegmentFigures, ...]:
    found = draw(st.lists(st.tuples(texts, st.sampled_from(STATUSES)), max_size=6))
    return tuple(
        SegmentFigures(index, text, status=Status(status))
        for index, (text, status) in enumerate(found)
    )


snapshots = st.builds(
    Snapshot,
    state=st.sampled_from(State),
    at_ms=_figures,
    timeline_ms=st.fixed_dictionaries(dict.fromkeys(MARKS, _moments)),
    ttfa_ms=_moments,
    fill_ms=_figures,
    prebuffer_ms=_figures,
    capacity_ms=_figures,
    underruns=_counts,
    rebuffers=_counts,
    stall_ms=_figures,
    played_s=_figures,
    audio_s=_figures,
    bytes=_counts,
    throughput_kbps=_figures,
    decode_ms=_figures,
    endpoint=texts,
    format=texts,
    speaking=texts,
    segments=segments(),
    warnings=st.lists(texts, max_size=2).map(tuple),
    played_frames=_counts,
    holds=_counts,
    hold_ms=_figures,
    overruns=_counts,
    jitter_ms=_figures,
    recommended_buffer_ms=_figures,
    states_ms=st.dictionaries(st.sampled_from([state.value for state in State]), _figures),
    fill=st.builds(FillFigures, _counts, _figures, _figures, _figures, _figures),
)
