"""A reply played in simulated time: exact to the frame, without a device and without waiting."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

from voicestream.policy.base import Policy
from voicestream.policy.pauses import KnownPauses
from voicestream.policy.plan import Plan, Planner
from voicestream.records import dataclass, field
from voicestream.trace import Trace

PAUSE_COST = 1.0
WORD_COST = 3.0
STOP_COST = 0.3


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """Pulls as a sink does: ``periods`` at once when it starts, then one each ``period_s``.

    ``lead_in_s`` of the first pull is silence.
    """

    period_s: float = 0.016
    periods: int = 3
    lead_in_s: float = 0.02

    def ahead_s(self) -> float:
        """Return the seconds of sound that the first pull takes."""
        return max(self.period_s * self.periods - self.lead_in_s, self.period_s)


CARD = SimulatedDevice()
"""As PortAudio on ALSA pulls."""


@dataclass(slots=True)
class Stop:
    """A silence that is not in the speech: how long, before which frame, and where."""

    at_frame: int
    seconds: float
    in_pause: bool
    began_s: float = 0.0


@dataclass(slots=True)
class Outcome:
    """Holds what a listener went through."""

    start_s: float = 0.0
    end_s: float = 0.0
    stops: list[Stop] = field(default_factory=list)

    @property
    def pause_wait_s(self) -> float:
        return sum(stop.seconds for stop in self.stops if stop.in_pause)

    @property
    def word_wait_s(self) -> float:
        return sum(stop.seconds for stop in self.stops if not stop.in_pause)

    @property
    def word_stops(self) -> int:
        return sum(not stop.in_pause for stop in self.stops)

    @property
    def cost_s(self) -> float:
        """J: the start delay and the waiting, a second inside a word counting three times."""
        return (
            self.start_s
            + PAUSE_COST * self.pause_wait_s
            + WORD_COST * self.word_wait_s
            + STOP_COST * self.word_stops
        )


def simulate(
    trace: Trace,
    policy: Policy,
    judged_pauses: Sequence[tuple[int, int]] | None = None,
    device: SimulatedDevice = CARD,
) -> Outcome:
    """Play a trace under a policy.

    Args:
        trace: its ``pauses`` are what the policy comes to know.
        judged_pauses: frames ``(start, end)`` where a wait counts as natural;
            those of the trace unless given.
    """
    run = _Run(trace, policy, trace.pauses if judged_pauses is None else judged_pauses, device)
    run.play()
    return run.outcome


class _Run:
    def __init__(
        self,
        trace: Trace,
        policy: Policy,
        judged: Sequence[tuple[int, int]],
        device: SimulatedDevice,
    ) -> None:
        self._trace = trace
        self._rate_hz = trace.rate_hz
        self._period = max(round(device.period_s * trace.rate_hz), 1)
        self._ahead = max(round(device.ahead_s() * trace.rate_hz), 1)
        self._pauses = KnownPauses(trace.pauses, trace.rate_hz)
        self._planner = Planner(policy, self._pauses, trace.rate_hz, self._ahead)
        self._judged_starts = [start for start, _ in judged]
        self._judged_ends = [end for _, end in judged]
        policy.requested(0.0)
        if trace.chars:
            policy.text(trace.chars, True)
        self._plan = Plan()
        self._next = 0
        self._written = 0
        self._read = 0
        self._stop: Stop | None = None
        self._held = False
        self.outcome = Outcome()

    @property
    def _ended(self) -> bool:
        return self._next == len(self._trace.arrivals)

    def play(self) -> None:
        started_s = self._start_s()
        self.outcome.start_s = started_s
        self._call(started_s, self._ahead)
        calls = 0
        while self._read < self._written or not self._ended:
            calls += 1
            now_s = started_s + calls * self._period / self._rate_hz
            self._arrive(now_s)
            calls += self._skip(started_s, calls)
            now_s = started_s + calls * self._period / self._rate_hz
            self._call(now_s, self._period)
        self.outcome.end_s = started_s + calls * self._period / self._rate_hz

    def _start_s(self) -> float:
        """Take arrivals one by one until there is enough to start; return that time."""
        while True:
            now_s = self._trace.arrivals[self._next][0]
            self._arrive(now_s)
            if self._ended or self._written >= self._plan.start_frames:
                return now_s

    def _arrive(self, now_s: float) -> None:
        arrivals = self._trace.arrivals
        came = False
        while self._next < len(arrivals) and arrivals[self._next][0] <= now_s:
            at_s, frames = arrivals[self._next]
            self._next += 1
            self._written += frames
            self._pauses.arrived(frames)
            self._planner.arrived(at_s, frames)
            came = True
        if came:
            self._plan = self._planner.plan(self._read)

    def _skip(self, started_s: float, calls: int) -> int:
        """Play at once what all calls take at which nothing can happen; return how many those
        are."""
        if self._stop is not None:
            return 0
        limit = self._written
        if self._read <= self._plan.hold_at_frame < limit:
            limit = self._plan.hold_at_frame
        count = (limit - self._read) // self._period
        if not self._ended:
            next_s = self._trace.arrivals[self._next][0]
            until = math.ceil((next_s - started_s) * self._rate_hz / self._period)
            count = min(count, until - calls)
        count = max(count - 1, 0)
        self._read += count * self._period
        return count

    def _call(self, now_s: float, frames: int) -> None:
        """Do what the player's ``fill`` does."""
        if self._stop is not None and not self._goes_on(now_s):
            self._silence(frames, now_s)
            return
        self._stop = None
        limit, self._held = self._written, False
        hold_at = self._plan.hold_at_frame
        if not self._ended and self._read <= hold_at < limit and self._plan.holds(now_s):
            limit, self._held = hold_at, True
        taken = min(frames, limit - self._read)
        self._read += taken
        if taken < frames and not (self._ended and self._read == self._written):
            self._silence(frames - taken, now_s + taken / self._rate_hz)

    def _goes_on(self, now_s: float) -> bool:
        if self._ended:
            return True
        waiting = self._written - self._read
        if self._held:
            passed = self._plan.hold_at_frame > self._read or not self._plan.holds(now_s)
            return passed and waiting > 0
        return waiting >= self._plan.resume_frames

    def _silence(self, frames: int, began_s: float) -> None:
        if self._stop is None:
            self._stop = Stop(self._read, 0.0, self._in_pause(self._read), began_s)
            self.outcome.stops.append(self._stop)
        self._stop.seconds += frames / self._rate_hz

    def _in_pause(self, frame: int) -> bool:
        index = bisect.bisect_right(self._judged_starts, frame) - 1
        return index >= 0 and frame <= self._judged_ends[index]
