"""A sink with its player and their ring: started when there is enough, filled, drained."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from voicestream.dsp.stretch import Stretcher
from voicestream.errors import DeviceError
from voicestream.metrics import Metrics
from voicestream.output.base import Sink
from voicestream.pcm import Frames16, PcmFormat
from voicestream.playout.controls import Controls
from voicestream.playout.player import Player
from voicestream.playout.ring import Ring
from voicestream.policy.plan import Plan

_LOOK_S = 0.25
"""How often a wait looks whether the device is still alive."""
_ROOM_S = 0.5
"""A full ring is filled up again when so much has been played of it."""
_FADE_WAIT_S = 0.2
_HISTORY_S = 60.0
"""How far back ``back`` goes: sound that was played stays in the ring, 2.9 MB at 24 kHz. More
than any device holds, too: what it had not played yet when it went away."""


class Deck:
    """Plays what is written to it. All but ``cancel`` is called by the feeder alone.

    Args:
        sink: opened for ``pcm``.
        capacity_s: room of the ring.
        on_start: called once, just before the sink starts.
        on_wake: called from the audio callback when something happened; must not wait.
    """

    def __init__(
        self,
        sink: Sink,
        pcm: PcmFormat,
        metrics: Metrics,
        controls: Controls,
        capacity_s: float,
        on_start: Callable[[], None],
        on_wake: Callable[[], None],
    ) -> None:
        self._sink = sink
        self._on_start = on_start
        self._on_wake = on_wake
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._room_frames = pcm.s_to_frames(_ROOM_S)
        self._playing = False
        self.ring = Ring(pcm.s_to_frames(capacity_s), pcm.channels, pcm.s_to_frames(_HISTORY_S))
        self.player = player = Player(
            self.ring,
            pcm,
            metrics.machine,
            metrics.timeline,
            metrics.play,
            self._wake,
            controls,
            lambda: Stretcher(pcm),
        )
        player.gate.plan = Plan()
        player.attach(sink.lead_in_s, sink.latency_s)
        metrics.feeder.latency_frames = player.latency_frames

    @property
    def starved(self) -> bool:
        """Whether it plays, and has nothing left to play."""
        return self._playing and not self.ring.readable_frames

    @property
    def begun_frames(self) -> int:
        """Frames taken from the ring, at least one from the start of the sink on."""
        return max(self.player.read_frames, 1) if self._playing else 0

    def _wake(self) -> None:
        self._wakes.put(None)
        self._on_wake()

    def cancel(self) -> None:
        """Fade out and let go of all that waits. Any thread or signal handler may call it."""
        self.player.cancelled = True
        self._wakes.put(None)

    def write(self, frames: Frames16) -> None:
        """Write ``frames``, waiting while the ring is full.

        Raises:
            DeviceError: the device went away.
        """
        done = 0
        while not self.player.cancelled:
            done += self.ring.write(frames[done:])
            self.start_when_ready()
            if done == len(frames):
                break
            self._wait_for_room()

    def start_when_ready(self) -> None:
        """Start the sink, once, if there is enough."""
        if self._playing or not self.player.gate.ready:
            return
        self._playing = True
        self._on_start()
        # the sink may have been woken meanwhile
        self.player.attach(self._sink.lead_in_s, self._sink.latency_s)
        self._sink.start(self.player.fill)

    def _wait_for_room(self) -> None:
        """Wait for more room than one period takes, so that not every callback wakes the feeder.

        Meanwhile nothing keeps the callback from making room: a full ring is played
        whatever the plan wants, and no plan made for it holds anything back.
        """
        player, ring = self.player, self.ring
        wanted = min(self._room_frames, max(ring.capacity_frames // 4, 1))
        player.wanted_room_frames = wanted
        while ring.writable_frames < wanted and not player.cancelled:
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
            if self._playing and not self._sink.active:
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
        self.player.gate.ended = True
        self.start_when_ready()
        while not self.player.drained and not self.player.cancelled:
            self._wait()

    def await_fade(self) -> None:
        """After ``cancel``, wait until the fade has been heard."""
        if not self._playing:
            return
        # the fade waits in the device, behind what was there before
        deadline_s = time.monotonic() + self._sink.latency_s + _FADE_WAIT_S
        while not self.player.silenced and self._sink.active and time.monotonic() < deadline_s:
            try:
                self._wakes.get(timeout=0.02)
            except queue.Empty:
                continue
