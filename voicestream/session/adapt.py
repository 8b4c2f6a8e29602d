"""Requests in the format that the network carries (``--format auto``)."""

from __future__ import annotations

import time

from voicestream.decode.registry import preload
from voicestream.metrics import Metrics, SegmentFigures
from voicestream.session.ladder import RUNGS, Ladder, Transfer, throughput_kbps
from voicestream.session.requests import Speakable, speech_request
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest
from voicestream.text.plan import SPEECH_CHARS_PER_S

_LOOK_S = 0.02
_LEARN_S = 0.3
"""A reply shorter than this tells little of what a format takes."""
_OVER = ("done", "failed", "cancelled")


class Requests:
    """What to ask for each segment in turn; under ``--format auto`` by what the network carries.

    Called by one fetch thread at a time, before the segment joins ``metrics.segments``.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        adaptive = settings.format == "auto" and not settings.pcm_only
        self._ladder = Ladder(settings.tempo) if adaptive else None

    def __call__(self, segment: Speakable) -> SpeechRequest:
        form = "" if self._ladder is None else self._next_format(self._ladder, segment)
        return speech_request(self._settings, segment, form)

    def _next_format(self, ladder: Ladder, segment: Speakable) -> str:
        asked = self._metrics.segments
        if len(asked) == 1:
            self._await_measure(asked[0])
        for figures in asked:
            if figures.status == "done" and figures.audio_s >= _LEARN_S:
                heard_s = figures.audio_s / self._metrics.tempo
                ladder.learn(figures.format, figures.bytes * 8 / 1000 / heard_s)
        expected_s = len(segment.text) / SPEECH_CHARS_PER_S / self._metrics.tempo
        of_this = self._measured_kbps(ladder.format)
        measured = self._measured_kbps() if of_this is None else of_this
        settled = of_this is not None
        step = ladder.step(measured, self._ready_s(ladder), expected_s, settled=settled)
        if step is not None:
            preload(step.after)
            self._metrics.format = step.after
            self._metrics.format_steps.append(str(step))
            if step.down:
                self._metrics.notices.notify(str(step))
        if measured is not None and ladder.format != RUNGS[0]:
            self._await_room(ladder, measured)
        return ladder.format

    def _await_measure(self, first: SegmentFigures) -> None:
        """The second request waits for what the first one shows of the network, a moment."""
        while first.ended_at_s is None and self._measured_kbps() is None:
            time.sleep(_LOOK_S)

    def _await_room(self, ladder: Ladder, measured_kbps: float) -> None:
        """On a narrow link the replies that play sooner come first, not all of them late."""
        room_kbps = measured_kbps - ladder.need_kbps(ladder.format)
        while True:
            on_their_way = [it for it in tuple(self._metrics.segments) if it.ended_at_s is None]
            taken_kbps = sum(ladder.need_kbps(it.format) for it in on_their_way)
            if not on_their_way or taken_kbps <= room_kbps:
                return
            time.sleep(_LOOK_S)

    def _measured_kbps(self, form: str = "") -> float | None:
        """Of all replies, or of those in one format."""
        transfers = [
            Transfer(
                it.backlog_read_at_s or it.first_byte_at_s,
                it.ended_at_s,
                it.bytes - it.backlog_bytes,
            )
            for it in tuple(self._metrics.segments)
            if it.first_byte_at_s is not None and form in ("", it.format)
        ]
        return throughput_kbps(transfers, time.monotonic())

    def _ready_s(self, ladder: Ladder) -> float:
        """Sound that has come and is not played yet, decoded or not."""
        ready_s = self._metrics.written_s - self._metrics.played_s
        for it in tuple(self._metrics.segments):
            if it.status not in _OVER:
                came_s = it.bytes * 8 / 1000 / ladder.need_kbps(it.format)
                ready_s += max(came_s - it.audio_s / self._metrics.tempo, 0.0)
        return ready_s
