"""The states of a reply, and the one guarded way from one to the next."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    IDLE = "idle"
    CONNECTING = "connecting"
    PREBUFFERING = "prebuffering"
    PLAYING = "playing"
    REBUFFERING = "rebuffering"
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
    State.PLAYING: frozenset({State.REBUFFERING, State.DRAINING}),
    State.REBUFFERING: frozenset({State.PLAYING, State.DRAINING}),
    State.DRAINING: frozenset(),
}


class StateMachine:
    """Where one reply stands.

    Two slots with one writer each, so that no lock is needed: ``advance`` is
    called by whoever holds the live part (the conductor until playback starts,
    the audio callback from then on), ``finish`` by the conductor alone. A final
    state covers whatever the live part still does.
    """

    def __init__(self) -> None:
        self._live = State.IDLE
        self._final: State | None = None

    @property
    def state(self) -> State:
        return self._final or self._live

    def advance(self, to: State) -> bool:
        """Go to a live state if the way is allowed; say whether it was."""
        if to not in _NEXT[self._live]:
            return False
        self._live = to
        return True

    def finish(self, to: State) -> bool:
        """Go to a final state, from anywhere but another final one; say whether that happened."""
        if self._final is not None or not to.final:
            return False
        self._final = to
        return True
