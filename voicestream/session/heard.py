"""Tells each word as it begins to be heard, and each segment once all of it was heard."""

from __future__ import annotations

import threading
from collections.abc import Callable

from voicestream.counters import Cue, SegmentFigures
from voicestream.metrics import Metrics
from voicestream.state import Status
from voicestream.words import place_words

_LOOK_S = 0.03
_LAST_S = 1.0
"""How long the end waits for who is being told."""


class HeardTeller:
    """Looks where the sound is, in a thread of its own: the audio callback tells nobody anything.

    Args:
        heard_frames: frames that have left the loudspeaker.
        tell: called with ``word``, the figures of its segment and the word, or with ``heard``,
            a segment's figures and its text.
    """

    def __init__(
        self,
        metrics: Metrics,
        heard_frames: Callable[[], int],
        tell: Callable[[str, SegmentFigures, str], None],
    ) -> None:
        self._metrics = metrics
        self._heard_frames = heard_frames
        self._tell = tell
        self._told = 0
        self._words_told = 0  # of the segment after the segments told
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heard", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self, frames: int) -> None:
        """Tell the rest of a sound that has ended, of which so many frames were heard."""
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
            figures = self._metrics.requests.segments[cue.segment]
            if not cue.recorded:
                self._tell_words(cue, figures, frames)
            if not cue.end_frame or cue.end_frame > frames or not figures.status.ended:
                return
            self._told += 1
            self._words_told = 0
            if figures.status is Status.DONE:  # and not one that was skipped, or broke off
                self._tell("heard", figures, figures.text)

    def _tell_words(self, cue: Cue, figures: SegmentFigures, frames: int) -> None:
        """Tell the words of ``cue`` whose sound begins before ``frames``."""
        feeder = self._metrics.feeder
        end_frame = cue.end_frame or feeder.written_frames
        pauses = feeder.pauses_between(cue.start_frame, end_frame)
        begins_at: float = cue.start_frame
        for index, word in enumerate(place_words(cue, pauses, feeder.rate_hz or 1)):
            if begins_at >= frames:
                return
            if index >= self._words_told:
                self._words_told += 1
                self._tell("word", figures, cue.text[word.start : word.end])
            begins_at = word.until_frame
