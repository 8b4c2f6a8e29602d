"""Two that are asked at once: whoever speaks first is heard, and the other is closed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from voicestream.speech.base import Call
from voicestream.speech.hedge import Race, first_to_speak


class FakeStream:
    """A reply that tells when it is closed."""

    content_type = "audio/pcm"
    rate_hz = channels = None
    sent_at_s = 0.0

    def __init__(self) -> None:
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield b"a"

    def close(self) -> None:
        self.closed.set()


def test_a_reply_that_begins_after_the_other_has_won_is_closed() -> None:
    late, quick, go_on = FakeStream(), FakeStream(), threading.Event()

    def ask_late(_: Call) -> FakeStream:
        go_on.wait(20)
        return late

    outrun, stream = first_to_speak(
        ask_late, lambda _: quick, lambda: 0.01, lambda: False, lambda: None
    )
    assert (outrun, stream) == (True, quick)
    go_on.set()
    assert late.closed.wait(20)
    assert not quick.closed.is_set()


def test_of_two_that_begin_in_one_moment_the_second_is_closed() -> None:
    race, first, second = Race(), FakeStream(), FakeStream()
    winner = race.enter(lambda _: first)
    loser = race.enter(lambda _: second)
    lanes = [race.wait(20), race.wait(20)]  # both speak before anything is decided
    assert {id(lane) for lane in lanes} == {id(winner), id(loser)}
    race.decide(winner)
    assert second.closed.is_set()
    assert not first.closed.is_set()


def test_who_waits_its_turn_at_a_server_is_not_helped() -> None:
    """Many servers make one reply at a time: the next one's first byte is late by design."""
    stream, its_turn = FakeStream(), threading.Event()
    looks: list[None] = []

    def ask(_: Call) -> FakeStream:
        assert its_turn.wait(20)
        return stream

    def queues() -> bool:
        looks.append(None)
        if len(looks) == 3:
            its_turn.set()
        return True

    helped: list[None] = []
    outrun, spoke = first_to_speak(
        ask, lambda _: FakeStream(), lambda: 0.01, queues, lambda: helped.append(None)
    )
    assert (outrun, spoke, helped) == (False, stream, [])


def test_a_call_that_is_over_ends_nobody_elses_waiting() -> None:
    ended: list[str] = []
    over, going = Call(), Call()
    over.wait_for(lambda: ended.append("over"))
    over.over()
    over.cancel()
    going.cancel()
    going.wait_for(lambda: ended.append("going"))
    assert ended == ["going"]
