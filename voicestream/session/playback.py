"""Frames of a reply to all who get them: the deck that plays, the saved file, the keeper."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from voicestream.errors import DeviceError, SaveError, VoicestreamError
from voicestream.metrics import Metrics
from voicestream.output.base import Recipient, Sink
from voicestream.pcm import Frames16, PcmFormat, Samples, to_int16
from voicestream.playout.controls import Controls
from voicestream.playout.player import Player
from voicestream.session.deck import Deck
from voicestream.session.pacing import Pacing

if TYPE_CHECKING:
    from voicestream.session.kept import Keeper


class Playback:
    """Hands frames on, as planned, and goes on with whoever is left. All but ``cancel`` and what
    says so is called by the feeder alone.

    Args:
        sink: None when there is nothing to play on, only to save.
        pacing: says when there is enough to start, and to go on.
        capacity_s: room of the ring.
        on_start: called once, just before the sink starts.
        device_named: the device was asked for by name, so saving alone will not do.
        underrun: what one does, see :class:`Player`.
        on_wake: called from the audio callback when something happened; must not wait.
        keeper: gets what is played.
    """

    def __init__(
        self,
        metrics: Metrics,
        sink: Sink | None,
        saver: Recipient | None,
        pacing: Pacing,
        capacity_s: float,
        on_start: Callable[[], None],
        device_named: bool = False,
        underrun: str = "wait",
        on_wake: Callable[[], None] = lambda: None,
        keeper: Keeper | None = None,
    ) -> None:
        self._metrics = metrics
        self._sink = sink
        metrics.notices.rewind_with(self.rewind)
        self._saver = saver
        self._pacing = pacing
        self._capacity_s = capacity_s
        self._on_start = on_start
        self._device_named = device_named
        self._underrun = underrun
        self._on_wake = on_wake
        self._keeper = keeper
        self.controls = Controls()
        """Any thread: what is asked of the player, which may not exist yet."""
        self.pcm: PcmFormat | None = None
        """What is played; None until opened."""
        self._opened_s = 0.0
        self.written_frames = 0
        """Frames of the reply so far, pauses included; read by any thread."""
        self.errors: list[VoicestreamError] = []
        # any thread
        self._cancelled = False
        # feeder; read by any thread
        self._deck: Deck | None = None

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that were written and are not played yet; what is not played here,
        as if it were played from its first sample on. Any thread."""
        if self.pcm is None:
            return 0.0
        if self._deck is None:
            written_s = self.pcm.frames_to_s(self.written_frames)
            return max(written_s - (time.monotonic() - self._opened_s), 0.0)
        played = self._deck.player.read_frames
        return self.pcm.frames_to_s(self.written_frames - played) / self.controls.tempo

    @property
    def heard_frames(self) -> int:
        """Frames of the reply that have left the loudspeaker. Any thread."""
        player, pcm = self.player, self.pcm
        if player is None or pcm is None:
            return 0
        played = self._metrics.play.played_frames
        left_s = player.meter.heard_until_s - time.monotonic()
        return played - pcm.s_to_frames(max(left_s, 0.0))

    @property
    def player(self) -> Player | None:
        """What the sink asks for frames; None until the first sound is here. Any thread."""
        deck = self._deck
        return None if deck is None else deck.player

    def coming(self, seconds: float) -> tuple[int, Frames16]:
        """Return the next frame to be played, and up to ``seconds`` of frames from there on. Any
        thread."""
        if self._deck is None or self.pcm is None:
            return 0, np.zeros((0, 1), np.int16)
        return self._deck.ring.view(self.pcm.s_to_frames(seconds))

    def skip_written(self) -> None:
        """Let nothing of what was written so far be heard. Any thread."""
        self.controls.seek_frame = self.written_frames

    def cancel(self) -> None:
        """Fade out and let go of all that waits. Any thread or signal handler may call it."""
        self._cancelled = True
        if self._deck:
            self._deck.cancel()
        abandon = getattr(self._sink, "abandon", None)
        if abandon is not None:
            abandon()

    def prepare(self) -> None:
        """Do what takes time and needs no format. Call it before ``open``."""
        if self._saver is not None:
            self._saver.prepare()

    def open(self, source: PcmFormat, text: str = "") -> PcmFormat:
        """Open the sink for the first samples' format, or do without one.

        Args:
            text: what they say.

        Raises:
            DeviceError: there is neither a device nor a file to save to.
        """
        pcm = PcmFormat(source.rate_hz, source.channels)
        if self._sink is not None:
            try:
                pcm = self._sink.open(pcm)
            except DeviceError as error:
                if self._saver is None or self._device_named:
                    raise
                self._sink = None
                self._metrics.notices.notify(f"not played, only saved: {error.what}")
        self._metrics.feeder.rate_hz = pcm.rate_hz
        self._opened_s = time.monotonic()
        if self._saver is not None:
            self._saver.open(pcm, text)
        ahead_s = 0.0
        if self._sink is not None:
            self._make_deck(self._sink, pcm)
            ahead_s = self._sink.latency_s - self._sink.lead_in_s
        self._pacing.open(pcm, ahead_s, pcm.s_to_frames(self._capacity_s))
        self.pcm = pcm
        return pcm

    def _make_deck(self, sink: Sink, pcm: PcmFormat) -> None:
        self._deck = deck = Deck(
            sink, pcm, self._metrics, self.controls, self._capacity_s, self._on_start, self._on_wake
        )
        deck.player.gate.underrun = self._underrun
        if self._cancelled:
            deck.cancel()

    def rewind(self, seconds: float) -> None:
        """Play the last ``seconds`` again: the device that was given them has gone, and another
        follows."""
        if self._deck:
            self._deck.player.rewind(seconds)

    @property
    def starved(self) -> bool:
        """Whether it plays, and has nothing left to play."""
        return self._deck is not None and self._deck.starved

    def idle(self, idle: bool) -> None:
        """Say whether the writer of the text pauses, so that running empty is nobody's fault."""
        if self._deck:
            self._deck.player.gate.idle = idle
            if idle:
                self._deck.start_when_ready()

    @property
    def ring_s(self) -> float | None:
        """Seconds of sound in the ring; None where nothing is played, only saved."""
        if self._deck is None or self.pcm is None:
            return None
        return self.pcm.frames_to_s(self._deck.ring.readable_frames)

    def replan(self) -> None:
        """Plan anew, and start if that is possible now: more is known of what has been written."""
        if self._deck is not None:
            self._plan(self._deck, more_waiting=False)
            self._deck.start_when_ready()

    def write(self, samples: Samples, more_waiting: bool = False) -> None:
        """Add samples of ``pcm``, waiting while the ring is full.

        Args:
            samples: shape ``(frames, channels)``; pacing knows of them.
            more_waiting: more is here already.

        Raises:
            DeviceError: the device went away.
        """
        frames = to_int16(samples)
        if self._saver is not None:
            try:
                self._saver.write(frames)
            except SaveError as error:
                self._saver = None
                self.errors.append(error)
        self.written_frames += len(frames)
        self._metrics.feeder.written_frames = self.written_frames
        deck = self._deck
        if deck is None:
            return
        full = len(frames) > deck.ring.writable_frames
        self._metrics.feeder.overruns += full
        self._plan(deck, more_waiting or full)
        try:
            deck.write(frames)
        except DeviceError as error:
            self._only_save(error)
            return
        if self._keeper is not None:
            self._keeper.write(frames)
        if full:  # time has passed
            self._plan(deck, more_waiting)

    def _only_save(self, error: DeviceError) -> None:
        """Go on without a device, which is lost for good: what comes is saved, and the loss is
        told.

        Raises:
            DeviceError: nothing is saved.
        """
        if self._saver is None:
            raise error
        self.errors.append(error)
        self._deck = None

    def _plan(self, deck: Deck, more_waiting: bool) -> None:
        deck.player.gate.plan = self._pacing.plan(deck.begun_frames, more_waiting)

    def drain(self) -> None:
        """Play to the last sample: nothing more comes.

        Raises:
            DeviceError: the device went away.
        """
        if self._deck is None or self._cancelled:
            return
        try:
            self._deck.drain()
        except DeviceError as error:
            self._only_save(error)

    def keep_said(self) -> None:
        """Keep what was played for ``again``, once all of it was, if any was heard."""
        if (
            self._keeper is None
            or self.pcm is None
            or not (self.player and self.player.meter.heard_until_s)
        ):
            return
        try:
            self._keeper.save(self.pcm, self._metrics.feeder.cues)
        except OSError as error:
            told = error.strerror or str(error)
            self._metrics.notices.notify(f"this cannot be said again: {told}")

    def stop(self, complete: bool = False) -> None:
        """End the sink, after a cancel when the fade has been heard, and finish the file.

        Args:
            complete: all that was to be said has been written.

        Raises:
            SaveError: the file cannot be finished.
        """
        try:
            if self._sink is not None:
                if self._cancelled and self._deck:
                    self._deck.await_fade()
                self._sink.stop(drain=False)
        finally:
            if self._saver is not None:
                self._saver.close(complete)
