"""Requests in the format that the network carries (``--format auto``)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from voicestream.counters import RequestFigures, SegmentFigures
from voicestream.decode.registry import preload
from voicestream.notices import Notify
from voicestream.session.ladder import RUNGS, Ladder, Transfer, throughput_kbps
from voicestream.session.speech_request import Speakable, speech_request
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest
from voicestream.state import Status
from voicestream.text.pieces import SPEECH_CHARS_PER_S

_LOOK_S = 0.02
_LEARN_S = 0.3
"""A reply shorter than this tells little of what a format takes."""


class Requests:
    """Decides what to ask for each segment; under ``--format auto`` by what the network carries.

    Called by one fetch thread at a time.

    Args:
        figures: get the format and each change of it.
        notify: told when the network carries less than before.
        waiting_s: seconds of joined sound that are not played yet.
    """

    def __init__(
        self,
        settings: Settings,
        figures: RequestFigures,
        notify: Notify,
        waiting_s: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._figures = figures
        self._notify = notify
        self._waiting_s = waiting_s
        adaptive = settings.format == "auto" and not settings.pcm_only
        self._ladder = Ladder(settings.tempo) if adaptive else None

    def __call__(self, segment: Speakable, asked: Sequence[SegmentFigures]) -> SpeechRequest:
        """Return the request for ``segment``; ``asked`` are the records of all before it, in
        order."""
        form = "" if self._ladder is None else self._next_format(self._ladder, segment, asked)
        return speech_request(self._settings, segment, form)

    def _next_format(
        self, ladder: Ladder, segment: Speakable, asked: Sequence[SegmentFigures]
    ) -> str:
        tempo = self._settings.tempo
        if len(asked) == 1:
            _await_measure(asked[0])
        for figures in asked:
            if figures.status is Status.DONE and figures.audio_s >= _LEARN_S:
                heard_s = figures.audio_s / tempo
                ladder.learn(figures.format, figures.bytes * 8 / 1000 / heard_s)
        expected_s = len(segment.text) / SPEECH_CHARS_PER_S / tempo
        of_this = _measured_kbps(asked, ladder.format)
        measured = _measured_kbps(asked) if of_this is None else of_this
        settled = of_this is not None
        step = ladder.step(measured, self._ready_s(ladder, asked), expected_s, settled=settled)
        if step is not None:
            preload(step.after)
            self._figures.format = step.after
            self._figures.format_steps.append(str(step))
            if step.down:
                self._notify(str(step))
        if measured is not None and ladder.format != RUNGS[0]:
            _await_room(ladder, measured, asked)
        return ladder.format

    def _ready_s(self, ladder: Ladder, asked: Sequence[SegmentFigures]) -> float:
        """Return the seconds of sound that has come and is not played yet, decoded or not."""
        ready_s = self._waiting_s()
        for it in asked:
            if not it.status.ended:
                came_s = it.bytes * 8 / 1000 / ladder.need_kbps(it.format)
                ready_s += max(came_s - it.audio_s / self._settings.tempo, 0.0)
        return ready_s


def _await_measure(first: SegmentFigures) -> None:
    """The second request waits for what the first one shows of the network, a moment."""
    while first.ended_at_s is None and _measured_kbps([first]) is None:
        time.sleep(_LOOK_S)


def _await_room(ladder: Ladder, measured_kbps: float, asked: Sequence[SegmentFigures]) -> None:
    """On a narrow link the replies that play sooner come first, not all of them late."""
    room_kbps = measured_kbps - ladder.need_kbps(ladder.format)
    while True:
        on_their_way = [it for it in asked if it.ended_at_s is None]
        taken_kbps = sum(ladder.need_kbps(it.format) for it in on_their_way)
        if not on_their_way or taken_kbps <= room_kbps:
            return
        time.sleep(_LOOK_S)


def _measured_kbps(asked: Sequence[SegmentFigures], form: str = "") -> float | None:
    """Return what the network carried of all replies, or of those in one format."""
    transfers = [
        Transfer(
            it.backlog_read_at_s or it.first_byte_at_s,
            it.ended_at_s,
            it.bytes - it.backlog_bytes,
        )
        for it in asked
        if it.first_byte_at_s is not None and not it.cached and form in ("", it.format)
    ]
    return throughput_kbps(transfers, time.monotonic())
