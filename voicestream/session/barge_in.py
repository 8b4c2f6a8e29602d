"""Ends the speech when a person speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from voicestream.listen.hearing import Hearing, Wanted, require_libraries
from voicestream.metrics import Metrics
from voicestream.pcm import Frames16
from voicestream.session.bounded import run_bounded
from voicestream.session.outputs import backend_of
from voicestream.session.playback import Playback
from voicestream.settings.table import Settings
from voicestream.words import spoken_text

if TYPE_CHECKING:
    from voicestream.notices import Notify

OnBargeIn: TypeAlias = Callable[[str, Frames16], object]
"""``on_barge_in(spoken, heard)``: the text that was heard, and the microphone's last seconds."""
_TOLD_S = 5.0


class BargeIn:
    """Listens while a reply plays.

    Args:
        interrupt: ends the reply, with a fade.

    Raises:
        UsageError: what listens is not installed.
    """

    def __init__(
        self,
        settings: Settings,
        playback: Playback,
        metrics: Metrics,
        interrupt: Callable[[], None],
    ) -> None:
        require_libraries()
        self._playback = playback
        self._metrics = metrics
        self._interrupt = interrupt
        self._notify: Notify = metrics.notices.notify_once
        self._heard: Frames16 | None = None
        self.on_barge_in: OnBargeIn | None = None
        """Called once the voice is silent, if a person has ended it."""
        wanted = Wanted(
            backend_of(settings.backend),
            settings.microphone,
            settings.barge_in_sure,
            settings.barge_in_ms,
        )
        self._hearing = Hearing(wanted, self._spoken_to, self._notify)

    def start(self) -> None:
        """Listen, from the first sound on."""
        self._playback.controls.sent = self._hearing.reply()
        self._hearing.start()

    def _spoken_to(self, heard: Frames16) -> None:
        controls = self._playback.controls
        if controls.paused or controls.yielded:
            return  # not to us: we are silent
        if self._heard is None:
            self._heard = heard
            self._metrics.timeline.mark("barge_in")
            self._interrupt()

    def finish(self) -> None:
        """Listen no more. What ``on_barge_in`` raises becomes a warning."""
        self._hearing.stop()
        told, heard = self.on_barge_in, self._heard
        if told is None or heard is None:
            return
        spoken = spoken_text(self._metrics.snapshot())
        if wrong := run_bounded(lambda: told(spoken, np.copy(heard)), _TOLD_S):
            self._notify(f"on_barge_in failed: {wrong!r}")
