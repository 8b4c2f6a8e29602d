"""Tells which segments have been heard, each when its last sample has left the loudspeaker."""

from __future__ import annotations

import threading
from collections.abc import Callable

from voicestream.metrics import Metrics, SegmentFigures
from voicestream.state import Status

_LOOK_S = 0.03
_LAST_S = 1.0
"""How long the end waits for who is being told."""


class HeardTeller:
    """Looks where the sound is, in a thread of its own: the audio callback tells nobody anything.

    Args:
        heard_frames: frames that have left the loudspeaker.
        tell: called with ``heard`` and a segment's figures.
    """

    def __init__(
        self,
        metrics: Metrics,
        heard_frames: Callable[[], int],
        tell: Callable[[str, SegmentFigures], None],
    ) -> None:
        self._metrics = metrics
        self._heard_frames = heard_frames
        self._tell = tell
        self._told = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heard", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self, frames: int) -> None:
        """The sound has ended, and so many frames of it were heard; returns when that is told."""
        self._over.set()
        self._thread.join(_LAST_S)
        if not self._thread.is_alive():
            self._look(frames)

    def _run(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._look(self._heard_frames())

    def _look(self, frames: int) -> None:
        cues = self._metrics.feeder.cues
        while self._told < len(cues):
            cue = cues[self._told]
            if not cue.end_frame or cue.end_frame > frames:
                return
            figures = self._metrics.requests.segments[cue.segment]
            if not figures.status.ended:
                return
            self._told += 1
            if figures.status is Status.DONE:  # and not one that was skipped, or broke off
                self._tell("heard", figures)
