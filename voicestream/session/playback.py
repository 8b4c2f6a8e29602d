"""Frames into the ring, the sink and the saved file; started when there is enough, drained."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from voicestream.dsp.stretch import Stretcher
from voicestream.errors import DeviceError, SaveError, VoicestreamError
from voicestream.metrics import Metrics
from voicestream.output.base import Recipient, Sink
from voicestream.pcm import Frames16, PcmFormat, Samples, to_int16
from voicestream.playout.controls import Controls
from voicestream.playout.player import Player
from voicestream.playout.ring import Ring
from voicestream.policy.plan import Plan
from voicestream.session.pacing import Pacing

if TYPE_CHECKING:
    from voicestream.session.kept import Keeper

_LOOK_S = 0.25
"""How often a wait looks whether the device is still alive."""
_ROOM_S = 0.1
"""A full ring is filled up again when so much has been played of it."""
_FADE_WAIT_S = 0.2
_HISTORY_S = 60.0
"""How far back ``back`` goes: sound that was played stays in the ring, 2.9 MB at 24 kHz. More
than any device holds, too: what it had not played yet when it went away."""


class Playback:
    """Writes frames into the ring and the saved file, and starts and drains the sink. All but
    ``cancel`` and what says so is called by the feeder alone.

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
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._ring: Ring | None = None
        self._room_frames = 0
        self._playing = False
        self.pcm: PcmFormat | None = None
        """What is played; None until opened."""
        self._opened_s = 0.0
        self.written_frames = 0
        """Frames of the reply so far, pauses included; read by any thread."""
        self.errors: list[VoicestreamError] = []
        # any thread
        self._cancelled = False
        # feeder; read by any thread
        self._player: Player | None = None

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that were written and are not played yet; what is not played here,
        as if it were played from its first sample on. Any thread."""
        if self.pcm is None:
            return 0.0
        if self._player is None:
            written_s = self.pcm.frames_to_s(self.written_frames)
            return max(written_s - (time.monotonic() - self._opened_s), 0.0)
        played = self._player.read_frames
        return self.pcm.frames_to_s(self.written_frames - played) / self.controls.tempo

    @property
    def heard_frames(self) -> int:
        """Frames of the reply that have left the loudspeaker. Any thread."""
        player, pcm = self._player, self.pcm
        if player is None or pcm is None:
            return 0
        played = self._metrics.play.played_frames
        left_s = player.heard_until_s - time.monotonic()
        return played - pcm.s_to_frames(max(left_s, 0.0))

    @property
    def player(self) -> Player | None:
        """What the sink asks for frames; None until the first sound is here. Any thread."""
        return self._player

    def coming(self, seconds: float) -> tuple[int, Frames16]:
        """Return the next frame to be played, and up to ``seconds`` of frames from there on. Any
        thread."""
        if self._ring is None or self.pcm is None:
            return 0, np.zeros((0, 1), np.int16)
        return self._ring.view(self.pcm.s_to_frames(seconds))

    def skip_written(self) -> None:
        """Let nothing of what was written so far be heard. Any thread."""
        self.controls.seek_frame = self.written_frames

    def _wake(self) -> None:
        self._wakes.put(None)
        self._on_wake()

    def cancel(self) -> None:
        """Fade out and let go of all that waits. Any thread or signal handler may call it."""
        self._cancelled = True
        if self._player:
            self._player.cancelled = True
        abandon = getattr(self._sink, "abandon", None)
        if abandon is not None:
            abandon()
        self._wakes.put(None)

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
            self._make_player(self._sink, pcm)
            ahead_s = self._sink.latency_s - self._sink.lead_in_s
        self._pacing.open(pcm, ahead_s, pcm.s_to_frames(self._capacity_s))
        self.pcm = pcm
        return pcm

    def _make_player(self, sink: Sink, pcm: PcmFormat) -> None:
        metrics = self._metrics
        ring = Ring(pcm.s_to_frames(self._capacity_s), pcm.channels, pcm.s_to_frames(_HISTORY_S))
        player = Player(
            ring,
            pcm,
            metrics.machine,
            metrics.timeline,
            metrics.play,
            self._wake,
            self.controls,
            lambda: Stretcher(pcm),
        )
        player.gate.plan = Plan()
        player.gate.underrun = self._underrun
        player.attach(sink.lead_in_s, sink.latency_s)
        player.cancelled = self._cancelled
        metrics.feeder.latency_frames = player.latency_frames
        self._ring, self._player = ring, player
        self._room_frames = pcm.s_to_frames(_ROOM_S)

    def rewind(self, seconds: float) -> None:
        """Play the last ``seconds`` again: the device that was given them has gone, and another
        follows."""
        if self._player:
            self._player.rewind(seconds)

    @property
    def starved(self) -> bool:
        """Whether it plays, and has nothing left to play."""
        return self._playing and self._ring is not None and not self._ring.readable_frames

    def idle(self, idle: bool) -> None:
        """Say whether the writer of the text pauses, so that running empty is nobody's fault."""
        if self._player:
            self._player.gate.idle = idle
            if idle:
                self._start_when_ready()

    @property
    def ring_s(self) -> float | None:
        """Seconds of sound in the ring; None where nothing is played, only saved."""
        if self._ring is None or self.pcm is None:
            return None
        return self.pcm.frames_to_s(self._ring.readable_frames)

    def replan(self) -> None:
        """Plan anew, and start if that is possible now: more is known of what has been written."""
        self._plan(more_waiting=False)
        self._start_when_ready()

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
        if self._ring is None or self._player is None:
            return
        full = len(frames) > self._ring.writable_frames
        self._metrics.feeder.overruns += full
        self._plan(more_waiting or full)
        done = 0
        while not self._cancelled:
            done += self._ring.write(frames[done:])
            self._start_when_ready()
            if done == len(frames):
                break
            try:
                self._wait_for_room(self._ring, self._player)
            except DeviceError as error:
                self._only_save(error)
                return
        if self._keeper is not None:
            self._keeper.write(frames)
        if full:  # time has passed
            self._plan(more_waiting)

    def _only_save(self, error: DeviceError) -> None:
        """Go on without a device, which is lost for good: what comes is saved, and the loss is
        told.

        Raises:
            DeviceError: nothing is saved.
        """
        if self._saver is None:
            raise error
        self.errors.append(error)
        self._ring = self._player = None

    def _plan(self, more_waiting: bool) -> None:
        if self._player is not None:
            read = max(self._player.read_frames, 1) if self._playing else 0
            self._player.gate.plan = self._pacing.plan(read, more_waiting)

    def _start_when_ready(self) -> None:
        if self._playing or not self._player or not self._sink or not self._player.gate.ready:
            return
        self._playing = True
        self._on_start()
        # the sink may have been woken meanwhile
        self._player.attach(self._sink.lead_in_s, self._sink.latency_s)
        self._sink.start(self._player.fill)

    def _wait_for_room(self, ring: Ring, player: Player) -> None:
        """Wait for more room than one period takes, so that not every callback wakes the feeder.

        Meanwhile nothing keeps the callback from making room: a full ring is played
        whatever the plan wants, and no plan made for it holds anything back.
        """
        wanted = min(self._room_frames, max(ring.capacity_frames // 4, 1))
        player.wanted_room_frames = wanted
        while ring.writable_frames < wanted and not self._cancelled:
            if not self._wait() and ring.writable_frames:
                break  # nobody reads, but there is room for some
        player.wanted_room_frames = 0

    def _wait(self) -> bool:
        """Wait until the callback or a cancel says something (True), or for a moment (False).

        Raises:
            DeviceError: the device went away.
        """
        try:
            self._wakes.get(timeout=_LOOK_S)
        except queue.Empty:
            if self._playing and self._sink and not self._sink.active:
                raise DeviceError(
                    "the audio device went away, and no other was found",
                    hint="Plug one in, or keep the sound with --save FILE.",
                ) from None
            return False
        return True

    def drain(self) -> None:
        """Play to the last sample: nothing more comes.

        Raises:
            DeviceError: the device went away.
        """
        player = self._player
        if player is None or self._cancelled:
            return
        player.gate.ended = True
        self._start_when_ready()
        while not player.drained and not self._cancelled:
            try:
                self._wait()
            except DeviceError as error:
                self._only_save(error)
                return

    def stop(self, complete: bool = False) -> None:
        """End the sink, after a cancel when the fade has been heard, and finish the file.

        Args:
            complete: all that was to be said has been written.

        Raises:
            SaveError: the file cannot be finished.
        """
        try:
            if self._sink is not None:
                if self._cancelled and self._playing and self._player:
                    self._await_fade(self._player, self._sink)
                self._sink.stop(drain=False)
        finally:
            if self._saver is not None:
                self._saver.close(complete)

    def _await_fade(self, player: Player, sink: Sink) -> None:
        deadline_s = time.monotonic() + _FADE_WAIT_S
        while not player.silenced and sink.active and time.monotonic() < deadline_s:
            try:
                self._wakes.get(timeout=0.02)
            except queue.Empty:
                continue
        # the fade waits in the device, behind what was there before
        time.sleep(sink.latency_s)
