"""The states of a reply, and the one guarded way from one to the next."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum, StrEnum


class State(Enum):
    IDLE = "idle"
    CONNECTING = "connecting"
    PREBUFFERING = "prebuffering"
    PLAYING = "playing"
    REBUFFERING = "rebuffering"
    PAUSED = "paused"
    DRAINING = "draining"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in _FINAL


_FINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED})

_NEXT: dict[State, frozenset[State]] = {
    State.IDLE: frozenset({State.CONNECTING}),
    State.CONNECTING: frozenset({State.PREBUFFERING}),
    State.PREBUFFERING: frozenset({State.PLAYING, State.DRAINING}),
    State.PLAYING: frozenset({State.REBUFFERING, State.PAUSED, State.DRAINING}),
    State.REBUFFERING: frozenset({State.PLAYING, State.PAUSED, State.DRAINING}),
    State.PAUSED: frozenset({State.REBUFFERING}),
    State.DRAINING: frozenset({State.PAUSED}),
}


class Status(StrEnum):
    """What has become of one segment."""

    QUEUED = "queued"
    REQUESTED = "requested"
    ARRIVING = "arriving"
    PLAYING = "playing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self in (Status.DONE, Status.FAILED, Status.CANCELLED)

    @property
    def in_flight(self) -> bool:
        """It was asked for, and is not played yet."""
        return self in (Status.REQUESTED, Status.ARRIVING)

    @property
    def unheard(self) -> bool:
        """None of it was played, and it has not ended."""
        return self is Status.QUEUED or self.in_flight


class StateMachine:
    """Where one reply stands.

    Two slots with one writer each, so that no lock is needed: ``advance`` is
    called by whoever holds the live part (the conductor until playback starts,
    the audio callback from then on), ``finish`` by the conductor alone. A final
    state covers whatever the live part still does.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = State.IDLE
        self._final: State | None = None
        self._clock = clock
        self._since_s = clock()
        self._ended_s: float | None = None
        self._spent_s = dict.fromkeys(_NEXT, 0.0)

    @property
    def state(self) -> State:
        return self._final or self._live

    def advance(self, to: State) -> bool:
        """Go to a live state if the way is allowed; say whether it was."""
        if to not in _NEXT[self._live]:
            return False
        now_s = self._clock()
        self._spent_s[self._live] += now_s - self._since_s
        self._since_s = now_s
        self._live = to
        return True

    def spent_s(self) -> dict[State, float]:
        """Return seconds in each live state so far; any thread, to within a change just
        happening."""
        spent, live, since_s = dict(self._spent_s), self._live, self._since_s
        spent[live] += max((self._ended_s or self._clock()) - since_s, 0.0)
        return spent

    def finish(self, to: State) -> bool:
        """Go to a final state, from anywhere but another final one; say whether that happened."""
        if self._final is not None or not to.final:
            return False
        self._ended_s = self._clock()
        self._final = to
        return True
