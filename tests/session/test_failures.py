"""A session in which something fails: what is heard all the same, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from tests.session.fakes import (
    FakeEndpoint,
    FakeSegments,
    numbers_in,
    tone_of,
)
from tests.session.running import answer, ended, failing, session, texts
from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    EndpointTimeoutError,
    IncompleteReplyError,
    KeyRefusedError,
    UsageError,
)
from voicestream.session.result import Event
from voicestream.speech.base import SpeechRequest


@pytest.mark.parametrize(
    "error", [EndpointError("500"), ConnectionFailedError("broke"), KeyRefusedError(401, "no")]
)
def test_what_fails_after_others_were_answered_leaves_the_others_heard(error: Exception) -> None:
    running, keeper = session(failing({1, 3}, error), texts(6))
    running.start()
    result = ended(running)
    assert numbers_in(keeper.heard) == [0, 2, 4, 5]
    assert not result.completed
    assert result.errors == (error, error)
    status = [figures.status for figures in result.snapshot.segments]
    assert status == ["done", "failed", "done", "failed", "done", "done"]


@pytest.mark.parametrize(
    "error",
    [ConnectionFailedError("refused"), KeyRefusedError(401, "no"), EndpointTimeoutError("silent")],
)
@pytest.mark.parametrize("lookahead", [0, 2])
def test_a_refusal_before_any_answer_ends_it_at_once(lookahead: int, error: Exception) -> None:
    endpoint = failing(set(range(9)), error)
    running, keeper = session(endpoint, texts(9), lookahead=lookahead)
    running.start()
    assert ended(running).errors == (error,)
    assert len(endpoint.opened) <= 4
    assert not len(keeper.heard)


def test_a_writer_who_goes_on_does_not_keep_a_hopeless_reply_alive() -> None:
    """A pipe stays open: nobody waits for its end where nothing can be heard of it."""
    segments = texts(3)
    segments.hangs_at = 1
    error = KeyRefusedError(401, "no")
    running, _ = session(failing(set(range(9)), error), segments)
    running.start()
    assert ended(running).errors == (error,)
    assert segments.more.is_set(), "it was told to read no more"


def test_three_failures_in_a_row_end_it_and_what_was_ready_is_heard() -> None:
    endpoint = failing(set(range(2, 50)), EndpointError("500"))
    running, keeper = session(endpoint, texts(50))
    running.start()
    result = ended(running)
    assert np.array_equal(keeper.wanted, np.concatenate([tone_of(0), tone_of(1)]))
    assert numbers_in(keeper.heard) == [0, 1]
    assert len(result.errors) == 3
    assert len(endpoint.opened) < 10


def test_a_text_that_cannot_be_read_on_is_heard_up_to_there() -> None:
    running, keeper = session(
        FakeEndpoint(answer), FakeSegments(["0", "1"], UsageError("the disk broke"))
    )
    running.start()
    result = ended(running)
    assert np.array_equal(keeper.wanted, np.concatenate([tone_of(0), tone_of(1)]))
    assert numbers_in(keeper.heard) == [0, 1]
    assert [error.exit_code for error in result.errors] == [2]


def test_a_reply_that_breaks_off_is_heard_up_to_there() -> None:
    def broken(request: SpeechRequest) -> Iterable[bytes]:
        if request.text != "1":
            yield from answer(request)
            return
        yield tone_of(1, 1000).tobytes()
        raise IncompleteReplyError("broke off")

    running, keeper = session(FakeEndpoint(broken), texts(3), retries=0)
    running.start()
    result = ended(running)
    expected = np.concatenate([tone_of(0), tone_of(1, 1000), tone_of(2)])
    assert np.array_equal(keeper.wanted, expected)
    assert numbers_in(keeper.heard) == [0, 1, 2]
    assert result.snapshot.segments[1].status == "failed"


def test_a_reply_that_cannot_be_decoded_does_not_block_the_next() -> None:
    def odd(request: SpeechRequest) -> Iterable[bytes]:
        if request.text != "0":
            return answer(request)
        return [bytes(1 << 20)] * 12

    endpoint = FakeEndpoint(odd)
    endpoint.rates_hz["0"] = 5  # nothing can be played so slowly
    running, keeper = session(endpoint, texts(2), lookahead=0)
    running.start()
    result = ended(running)
    assert result.snapshot.segments[0].status == "failed"
    assert numbers_in(keeper.heard) == [1]


def test_what_a_listener_raises_is_a_warning() -> None:
    def broken(_: Event) -> None:
        raise ValueError("mine")

    running, _ = session(FakeEndpoint(answer), texts(1), broken)
    running.start()
    result = ended(running)
    assert result.completed
    assert "mine" in result.snapshot.warnings[0]


@pytest.mark.parametrize("member", ["close", "abort"])
@pytest.mark.parametrize("error", [AttributeError("no such member"), SystemExit(1)])
def test_an_endpoint_that_fails_to_end_keeps_nobody_waiting(
    member: str, error: BaseException
) -> None:
    def fail() -> None:
        raise error

    endpoint = FakeEndpoint(answer)
    setattr(endpoint, member, fail)
    running, keeper = session(endpoint, texts(3))
    running.start()
    result = ended(running)
    assert numbers_in(keeper.heard) == [0, 1, 2]
    assert any("the endpoint failed to" in text for text in result.snapshot.warnings)


def test_a_listener_that_ends_the_program_at_the_end_keeps_nobody_waiting() -> None:
    def listen(event: Event) -> None:
        if event.kind == "end":
            raise SystemExit(1)

    running, _ = session(FakeEndpoint(answer), texts(1), listen)
    running.start()
    assert any("SystemExit" in text for text in ended(running).snapshot.warnings)
