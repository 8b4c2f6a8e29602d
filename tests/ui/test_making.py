"""The bar while a file is made: how far it is, on any terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voicestream.counters import SegmentFigures, Snapshot
from voicestream.metrics import Metrics
from voicestream.state import Status
from voicestream.ui.lines import cells
from voicestream.ui.making import draw_bar, share_done


def seen(complete: bool = True) -> Snapshot:
    """Ten of forty characters are sound, and half of the next ten."""
    metrics = Metrics()
    metrics.requests.segments += [
        SegmentFigures(0, "a" * 10, status=Status.DONE),
        SegmentFigures(1, "b" * 10, audio_s=1 / 3, status=Status.PLAYING),
        SegmentFigures(2, "c" * 10, status=Status.REQUESTED),
    ]
    return replace(metrics.snapshot(), text_chars=40, text_complete=complete, audio_s=75.0)


def test_the_share_is_of_the_text() -> None:
    assert share_done(seen()) == pytest.approx(15 / 40)
    assert share_done(seen(complete=False)) is None
    assert share_done(replace(seen(), text_chars=0)) is None
    assert share_done(replace(seen(), text_chars=5)) == 1.0


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("width", [1, 5, 12, 20, 40, 80, 200])
def test_it_fits(width: int, complete: bool, encoding: str) -> None:
    (line,) = draw_bar(seen(complete), width, 24, encoding)
    assert cells(line) <= width
    shown = "".join(text for text, _style in line)
    shown.encode(encoding)
    if width >= 5 and complete:
        assert shown.startswith(" 38 %"[:width])
    if width >= 40:
        assert "1:15 of sound" in shown
