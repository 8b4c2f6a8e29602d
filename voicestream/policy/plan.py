"""A policy's answers in frames, ready for the audio callback to compare with."""

from __future__ import annotations

import math
from typing import Protocol

from voicestream.policy.base import OPEN, Policy
from voicestream.policy.pauses import Pause
from voicestream.records import dataclass, replace

NOT_YET = 1 << 62
_MARGIN_S = 0.04
"""A hold is this long before the speech goes on, or in the middle of a shorter pause: what
counts as its end is a matter of a few windows."""
_LONGEST_GAP_S = 10.0
"""A longer time without an arrival tells nothing of the server: the clock jumped, or the machine
slept."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Tells the callback what to do until the next plan. Immutable: the feeder replaces it whole.

    Attributes:
        start_frames: playback starts with so many frames waiting.
        resume_frames: it goes on after an underrun with so many frames waiting.
        hold_at_frame: counted from the first of the reply; playback goes past
            it only from ``open_from_s`` to ``open_until_s``, on the clock of the
            arrivals. -1: no such frame.
    """

    start_frames: int = NOT_YET
    resume_frames: int = 1
    hold_at_frame: int = -1
    open_from_s: float = -math.inf
    open_until_s: float = math.inf

    def holds(self, now_s: float) -> bool:
        """Return whether playback may not go past ``hold_at_frame`` now."""
        return self.hold_at_frame >= 0 and not self.open_from_s <= now_s <= self.open_until_s


class Pauses(Protocol):
    """Knows the pauses of the sound that arrived."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def last(self) -> Pause | None:
        """The latest pause."""

    def after(self, frame: int) -> Pause | None:
        """Return the first pause that ends after ``frame``."""


class Planner:
    """Turns arrivals into plans. Used by the feeder.

    Args:
        pauses: of the sound that arrived; its owner feeds it before :meth:`arrived`.
        ahead_frames: sound that the device pulls at once when it starts.
        capacity_frames: room of the ring: no more can ever wait.
    """

    def __init__(
        self,
        policy: Policy,
        pauses: Pauses,
        rate_hz: int,
        ahead_frames: int,
        capacity_frames: int = NOT_YET,
    ) -> None:
        self._policy = policy
        self._pauses = pauses
        self._rate_hz = rate_hz
        self._ahead_frames = ahead_frames
        self._capacity_frames = capacity_frames
        self._margin_frames = self._frames(_MARGIN_S)
        self._arrived_frames = 0
        self._last_s: float | None = None
        self._skipped_s = 0.0
        self._resume = 0  # frames; 0: not planned yet

    def requested(self, at_s: float) -> None:
        """Note that a segment was asked for at this time: what is next to arrive could not
        before."""
        if self._last_s is None:
            self._policy.requested(at_s)
        else:
            self.skip(at_s - self._last_s)

    def text(self, chars: int, complete: bool) -> None:
        """Note how many characters will be spoken in all; ``complete``: no more will come."""
        self._policy.text(chars, complete)

    def arrived(self, at_s: float, frames: int) -> None:
        """Note that ``frames`` became playable at ``at_s``, or with those before if that was
        later."""
        gap_s = max(at_s - (at_s if self._last_s is None else self._last_s), 0.0)
        if gap_s > _LONGEST_GAP_S:
            self.skip(gap_s - _LONGEST_GAP_S)
        even_s = self.even_s(at_s)
        self._last_s = even_s + self._skipped_s
        self._arrived_frames += frames
        self._policy.arrived(even_s, frames / self._rate_hz)
        self._policy.paused(self._pauses.count)

    def even_s(self, at_s: float) -> float:
        """Return the time of an arrival at ``at_s`` less all time in which nothing could arrive.

        It stands still where ``at_s`` goes back: a later segment may come before an earlier one.
        """
        return max(at_s, at_s if self._last_s is None else self._last_s) - self._skipped_s

    def skip(self, seconds: float) -> None:
        """Leave out ``seconds`` after the latest arrival: nothing could arrive meanwhile."""
        if self._last_s is not None and seconds > 0:
            self._skipped_s += seconds
            self._last_s += seconds

    def plan(self, read_frames: int, more_waiting: bool = False) -> Plan:
        """Return what to do until the next call.

        Args:
            read_frames: how far the callback has read; 0: not started.
            more_waiting: more sound is here than was reported, the ring being full:
                nothing is held back, and the need after an underrun is not looked at anew.
        """
        if more_waiting and read_frames and self._resume:
            return Plan(0, self._resume)
        self._resume = self._resume_frames(read_frames)
        plan = Plan(0, self._resume)
        if not read_frames:
            plan = replace(plan, start_frames=self._start_frames())
        hold_at = self._hold_at(read_frames)
        if hold_at < 0 or more_waiting:
            return plan
        opening = self._policy.at_pause((self._arrived_frames - hold_at) / self._rate_hz)
        if opening == OPEN:
            return plan
        return replace(
            plan,
            hold_at_frame=hold_at,
            open_from_s=opening.from_s + self._skipped_s,
            open_until_s=opening.until_s + self._skipped_s,
        )

    def _start_frames(self) -> int:
        last = self._pauses.last
        pause_s = last.start / self._rate_hz if last and last.start else None
        need_s = self._policy.start_need_s(self._ahead_frames / self._rate_hz, pause_s)
        return min(self._frames(need_s), self._capacity_frames)

    def _resume_frames(self, read_frames: int) -> int:
        following = self._pauses.after(read_frames)
        pause_s = None if following is None else (following.start - read_frames) / self._rate_hz
        frames = self._frames(self._policy.resume_need_s(pause_s))
        return max(min(frames, self._capacity_frames), 1)

    def _hold_at(self, read_frames: int) -> int:
        """Return the frame in the latest pause where a wait would be, -1 if that is behind."""
        last = self._pauses.last
        if last is None:
            return -1
        hold_at = max((last.start + last.end) // 2, last.end - self._margin_frames)
        if hold_at < read_frames:  # but maybe still in it
            hold_at = last.end - self._margin_frames // 4
        return hold_at if hold_at >= max(read_frames, self._ahead_frames) else -1

    def _frames(self, seconds: float) -> int:
        return math.ceil(seconds * self._rate_hz)
