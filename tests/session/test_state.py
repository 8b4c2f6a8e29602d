"""The states of a reply: every way that is allowed, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.state import State, StateMachine

WAYS = {
    State.IDLE: {State.CONNECTING},
    State.CONNECTING: {State.PREBUFFERING},
    State.PREBUFFERING: {State.PLAYING, State.DRAINING},
    State.PLAYING: {State.REBUFFERING, State.PAUSED, State.DRAINING},
    State.REBUFFERING: {State.PLAYING, State.PAUSED, State.DRAINING},
    State.PAUSED: {State.REBUFFERING},
    State.DRAINING: {State.PAUSED},
}
FINAL = {State.DONE, State.FAILED, State.CANCELLED}


@given(st.lists(st.sampled_from(State), max_size=30))
def test_only_the_drawn_ways_are_gone(steps: list[State]) -> None:
    machine = StateMachine()
    at = State.IDLE
    for to in steps:
        allowed = to in WAYS[at]
        assert machine.advance(to) is allowed
        at = to if allowed else at
        assert machine.state is at


@pytest.mark.parametrize("final", sorted(FINAL, key=lambda state: state.value))
def test_a_final_state_stays(final: State) -> None:
    machine = StateMachine()
    assert machine.finish(final)
    assert final.final
    for other in State:
        machine.advance(other)
        assert not machine.finish(other)
        assert machine.state is final


def test_what_is_not_final_finishes_nothing() -> None:
    machine = StateMachine()
    for state in set(State) - FINAL:
        assert not machine.finish(state)
        assert not state.final
    assert machine.state is State.IDLE


def test_time_is_counted_for_the_state_it_was_spent_in() -> None:
    now = [10.0]
    machine = StateMachine(lambda: now[0])
    for state, seconds in (
        (State.CONNECTING, 1.0),
        (State.PREBUFFERING, 2.0),
        (State.PLAYING, 4.0),
    ):
        now[0] += 0.5
        machine.advance(state)
        now[0] += seconds - 0.5
    machine.finish(State.DONE)
    now[0] += 100.0
    spent = machine.spent_s()
    assert spent[State.IDLE] == 0.5
    assert spent[State.CONNECTING] == 1.0
    assert spent[State.PREBUFFERING] == 2.0
    assert spent[State.PLAYING] == 3.5
