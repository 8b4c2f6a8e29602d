"""What is seen of a reply costs no more the longer it is, and is as it was."""

from __future__ import annotations

import pytest

from voicestream.counters import Cue, SegmentFigures
from voicestream.metrics import Metrics
from voicestream.state import Status


def test_only_what_may_change_is_copied_anew() -> None:
    metrics = Metrics()
    for index in range(4):
        metrics.requests.segments.append(SegmentFigures(index, "text", bytes=10))
    for figures in metrics.requests.segments[:2]:
        figures.status, figures.ended_at_s = Status.DONE, 1.0
    before = metrics.snapshot()
    later = metrics.requests.segments[2]
    later.status, later.bytes = Status.FAILED, 25  # its last byte is still to come
    seen = metrics.snapshot()
    assert [a is b for a, b in zip(before.segments, seen.segments, strict=True)] == [
        *(True, True),
        *(False, False),
    ]
    assert before.segments[2].bytes == 10
    later.bytes = 30
    assert (before.bytes, seen.bytes, metrics.snapshot().bytes) == (40, 55, 60)
    assert [it.bytes for it in metrics.snapshot().segments] == [10, 10, 30, 10]


def test_each_figure_is_seen_in_the_unit_that_its_name_says() -> None:
    metrics = Metrics()
    metrics.play.stall_s = 0.25
    metrics.play.underruns = 3
    metrics.feeder.recommended_buffer_s = 0.5
    metrics.feeder.rate_hz = 100
    metrics.feeder.written_frames = 250
    metrics.play.played_frames = 150
    metrics.feeder.cues.append(Cue(0, "Hello."))
    metrics.requests.format_steps.append("pcm -> mp3")
    seen = metrics.snapshot()
    assert (seen.stall_ms, seen.underruns, seen.recommended_buffer_ms) == (250.0, 3, 500.0)
    assert (seen.audio_s, seen.played_s, seen.speaking) == (2.5, 1.5, "Hello.")
    assert (seen.cues, seen.format_steps) == ((Cue(0, "Hello."),), ("pcm -> mp3",))
    metrics.play.fill.see(5.0)
    assert seen.fill.count == 0


@pytest.mark.parametrize("status", Status)
def test_a_status_is_unheard_in_flight_or_ended(status: Status) -> None:
    assert status.ended == (status in {"done", "failed", "cancelled"})
    assert status.in_flight == (status in {"requested", "arriving"})
    assert status.unheard == (status in {"queued", "requested", "arriving"})
