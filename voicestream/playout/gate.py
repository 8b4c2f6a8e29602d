"""The gate before playback: when there is enough to start, to go on, or to wait on purpose."""

from __future__ import annotations

import time
from collections.abc import Callable

from voicestream.counters import PlayFigures
from voicestream.pcm import PcmFormat
from voicestream.playout.ring import Ring
from voicestream.policy.plan import Plan

_SOON_S = 0.02
"""Less than this is not worth going on with."""


class Gate:
    """Says what of the ring may be played now, and counts the waits.

    Args:
        clock: that of the arrivals that plans are made from.
    """

    def __init__(
        self,
        ring: Ring,
        pcm: PcmFormat,
        figures: PlayFigures,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ring = ring
        self._pcm = pcm
        self._figures = figures
        self._clock = clock
        # conductor, before the sink starts
        self.underrun = "wait"
        """What an underrun does: ``wait`` until there is enough (``stretch``, too: it comes
        before the ring), play on over ``silence`` as soon as there is sound, or ``repeat`` the
        last sound, fading, and wait."""
        # feeder
        self.plan = Plan(start_frames=1)
        """When to start, to wait at a pause, and to go on; replaced whole."""
        self.ended = False
        """Nothing more will be written."""
        self.idle = False
        """All that was asked for is in the ring, and more text is not known yet: when the
        ring runs empty now, the writer pauses and nothing is late."""
        # audio callback
        self._late = False  # the ring ran empty, and that was not the writer's pause
        self._held = False  # waiting at a pause, as the plan wants

    @property
    def ready(self) -> bool:
        """Whether enough is waiting to start or to go on, or all there is."""
        if self.ended:
            return True
        plan, waiting = self.plan, self._ring.readable_frames
        if self.idle and waiting > 0:
            return True  # what there is need not wait for what may come much later
        if self._held:
            passed = plan.hold_at_frame > self._ring.read or not plan.holds(self._clock())
            return passed and waiting > 0
        if waiting >= self._ring.capacity_frames:
            return True  # a full ring gets no fuller, whatever the plan wants
        if not self._ring.read:
            return waiting >= plan.start_frames
        enough = plan.resume_frames
        if self.underrun == "silence":
            enough = min(enough, self._pcm.s_to_frames(_SOON_S))
        return waiting >= enough

    @property
    def repeats(self) -> bool:
        """Whether the wait is filled with the last sound."""
        return self._late and self.underrun == "repeat"

    def allowed(self, waiting: int) -> int:
        """Return how many of ``waiting`` frames may be played before a pause at which to wait."""
        plan = self.plan
        left = plan.hold_at_frame - self._ring.read
        return left if 0 <= left < waiting and plan.holds(self._clock()) else waiting

    def close(self, held: bool) -> None:
        """Begin a wait: the ring ran dry, or a pause is waited at (``held``)."""
        self._held, self._late = held, not held
        self._figures.holds += held
        self._figures.underruns += not held
        self._figures.rebuffers += 1

    def forgive(self) -> None:
        """Let what is waited for now be nobody's fault."""
        self._late = self._held = False

    def waited(self, frames: int) -> None:
        """Count ``frames`` of silence to whatever is waited for, unless that is the writer."""
        if self.idle:
            return
        seconds = self._pcm.frames_to_s(frames)
        if self._held:
            self._figures.hold_s += seconds
        elif self._late:
            self._figures.stall_s += seconds
