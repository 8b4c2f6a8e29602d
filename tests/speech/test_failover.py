"""Before a reply's first byte: asking again, waiting as asked, going on to the next endpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    EndpointTimeoutError,
    IncompleteReplyError,
    KeyRefusedError,
    ReplyError,
    ResponseError,
)
from voicestream.notices import Notices
from voicestream.speech import failover
from voicestream.speech.base import SpeechRequest
from voicestream.speech.failover import ResilientEndpoint, Route
from voicestream.speech.http.refusal import asked_wait_s
from voicestream.speech.retry import RetryPolicy

ASKED = SpeechRequest("Hello.", "model", "voice", "pcm")
QUICK = RetryPolicy(retries=3, budget_s=20, first_s=0.001, longest_s=0.004)
GONE = ConnectionFailedError("gone")


class FakeStream:
    content_type = "audio/pcm"
    rate_hz = None
    channels = None
    sent_at_s = 0.0

    def __init__(self, pieces: list[bytes | EndpointError]) -> None:
        self._pieces = pieces
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, EndpointError):
                raise piece
            yield piece

    def close(self) -> None:
        self.closed = True


class FakeEndpoint:
    """Answers each request in turn: an error, or the pieces of a reply; then well."""

    def __init__(self, name: str, *answers: EndpointError | list[bytes | EndpointError]) -> None:
        self.name = name
        self._answers = list(answers)
        self.asked: list[SpeechRequest] = []
        self.asked_at_s: list[float] = []
        self.aborted = False

    def open(self, request: SpeechRequest) -> FakeStream:
        self.asked.append(request)
        self.asked_at_s.append(time.monotonic())
        answer = self._answers.pop(0) if self._answers else [self.name.encode()]
        if isinstance(answer, EndpointError):
            raise answer
        return FakeStream(answer)

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        return


def several(
    *endpoints: FakeEndpoint, policy: RetryPolicy = QUICK, notices: Notices | None = None
) -> ResilientEndpoint:
    def made(endpoint: FakeEndpoint) -> Callable[[], FakeEndpoint]:
        return lambda: endpoint

    return ResilientEndpoint([Route(e.name, made(e)) for e in endpoints], policy, notices=notices)


def status(number: int, retry_after_s: float | None = None) -> ResponseError:
    error = ResponseError(number, f"status {number}")
    error.retry_after_s = retry_after_s
    return error


def heard(endpoint: ResilientEndpoint) -> bytes:
    return b"".join(endpoint.open(ASKED))


@pytest.mark.parametrize(
    "failure",
    [
        GONE,
        EndpointTimeoutError("late"),
        *map(status, (408, 409, 429, 500, 502, 503, 504)),
        [IncompleteReplyError("broke off")],
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again(failure: EndpointError | list[bytes | EndpointError]) -> None:
    only = FakeEndpoint("a", failure, failure, failure)
    assert heard(several(only)) == b"a"
    assert only.asked == [ASKED] * 4


@pytest.mark.parametrize(
    "failure",
    [
        *map(status, (400, 404, 413, 422, 501, 505, 307)),
        KeyRefusedError(401, "no"),
        [ReplyError("empty")],
    ],
    ids=str,
)
def test_what_will_not_pass_is_not_tried_again(
    failure: EndpointError | list[bytes | EndpointError],
) -> None:
    only = FakeEndpoint("a", failure)
    with pytest.raises(EndpointError):
        several(only).open(ASKED)
    assert len(only.asked) == 1


def test_tries_are_bounded_and_the_last_error_is_told() -> None:
    only = FakeEndpoint("a", *[status(500 + n) for n in (0, 2, 3, 4)])
    with pytest.raises(ResponseError, match="504"):
        several(only).open(ASKED)
    assert len(only.asked) == 4


def test_a_request_whose_tries_were_in_vain_costs_those_after_it_none_of_theirs() -> None:
    only = FakeEndpoint("a", *[GONE] * 7)
    endpoint = several(only)
    with pytest.raises(ConnectionFailedError):
        heard(endpoint)
    assert heard(endpoint) == b"a"
    assert len(only.asked) == 8


def test_no_try_begins_after_the_budget() -> None:
    only = FakeEndpoint("a", status(503, retry_after_s=21.0))
    began_s = time.monotonic()
    with pytest.raises(ResponseError):
        several(only).open(ASKED)
    assert time.monotonic() - began_s < 15
    assert len(only.asked) == 1


@given(tried=st.integers(1, 12), chance=st.floats(0, 1))
def test_waits_grow_and_are_spread_over_their_whole_length(tried: int, chance: float) -> None:
    policy = RetryPolicy(first_s=0.25, longest_s=4.0)
    bound_s = min(0.25 * 2 ** (tried - 1), 4.0)
    assert policy.wait_s(tried, None, chance) == pytest.approx(chance * bound_s)
    assert 7.0 <= policy.wait_s(tried, 7.0, chance) <= 7.5


def test_retry_after_is_obeyed() -> None:
    only = FakeEndpoint("a", status(429, retry_after_s=0.15))
    assert heard(several(only)) == b"a"
    first_s, second_s = only.asked_at_s
    assert second_s - first_s >= 0.15


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    now_s = 1_800_000_000.0
    assert asked_wait_s({"retry-after": "7"}, now_s) == 7
    assert asked_wait_s({"retry-after": " 1.5 "}, now_s) == 1.5
    assert asked_wait_s({"retry-after-ms": "250", "retry-after": "9"}, now_s) == 0.25
    date = formatdate(now_s + 30, usegmt=True)
    assert asked_wait_s({"retry-after": date}, now_s) == pytest.approx(30, abs=1)
    assert asked_wait_s({"retry-after": formatdate(now_s - 99, usegmt=True)}, now_s) == 0
    for nonsense in ("", "soon", "-1", "9" * 400, "Mon, 99 Foo 2026", "1e9"):
        assert asked_wait_s({"retry-after": nonsense}, now_s) is None


def test_the_next_endpoint_takes_over_and_stays_and_that_is_told_once() -> None:
    first = FakeEndpoint("a", *[GONE] * 40)
    second = FakeEndpoint("b")
    notices = Notices()
    both = several(first, second, notices=notices)
    assert both.name == "a"
    assert [heard(both) for _ in range(3)] == [b"b"] * 3
    assert (len(first.asked), len(second.asked), both.name) == (4, 3, "b")
    (told,) = notices.warnings
    assert "a failed (gone); b speaks" in told


@pytest.mark.parametrize(
    "failure", [status(400), KeyRefusedError(401, "no"), [ReplyError("empty")]]
)
def test_what_one_endpoint_refuses_the_next_may_take(
    failure: EndpointError | list[bytes | EndpointError],
) -> None:
    first = FakeEndpoint("a", failure)
    assert heard(several(first, FakeEndpoint("b"))) == b"b"
    assert len(first.asked) == 1


def test_who_wants_to_be_left_alone_is_left_for_the_next() -> None:
    began_s = time.monotonic()
    assert heard(several(FakeEndpoint("a", status(429, 15.0)), FakeEndpoint("b"))) == b"b"
    assert time.monotonic() - began_s < 10


def test_the_first_endpoint_is_tried_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "_RETURN_S", 0.0)
    first = FakeEndpoint("a", *[GONE] * 5)
    notices = Notices()
    both = several(first, FakeEndpoint("b"), notices=notices)
    assert [heard(both) for _ in range(4)] == [b"b", b"b", b"a", b"a"]
    assert len(first.asked) == 7  # four tries, one that failed again, and two that did not
    assert notices.warnings[1:] == ["a speaks again"]


def test_the_last_endpoint_is_followed_by_the_first() -> None:
    first, second = FakeEndpoint("a", *[GONE] * 4), FakeEndpoint("b", [b"b"], status(400))
    both = several(first, second)
    assert [heard(both), heard(both)] == [b"b", b"a"]


def test_each_endpoint_is_asked_in_its_own_way_and_made_when_needed() -> None:
    made: list[str] = []
    second = FakeEndpoint("b")

    def make() -> FakeEndpoint:
        made.append("b")
        return second

    asked_b = SpeechRequest("Hello.", "model b", "voice b", "pcm")
    routes = [
        Route("a", lambda: FakeEndpoint("a", [b"a"], status(400))),
        Route("b", make, lambda _: asked_b),
    ]
    both = ResilientEndpoint(routes, QUICK)
    assert heard(both) == b"a"
    assert made == []
    assert heard(both) == b"b"
    assert second.asked == [asked_b]


def test_an_abort_ends_the_wait_between_two_tries_and_nothing_is_asked_after() -> None:
    only = FakeEndpoint("a", status(503, retry_after_s=15.0), status(503))
    endpoint = several(only)
    failures: list[EndpointError] = []

    def ask() -> None:
        try:
            endpoint.open(ASKED)
        except EndpointError as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not only.asked:
        time.sleep(0.001)
    endpoint.abort()
    asking.join(10)
    assert not asking.is_alive()
    assert [str(error) for error in failures] == ["status 503"]
    assert only.aborted
    with pytest.raises(EndpointError, match="given up"):
        endpoint.open(ASKED)


def test_a_stream_that_fails_at_once_is_closed() -> None:
    stream = FakeStream([ReplyError("empty")])
    with pytest.raises(ReplyError):
        failover.BegunStream(stream, lambda: None)
    assert stream.closed


def test_replies_on_their_way_are_counted_until_they_end() -> None:
    endpoint = failover.ResilientEndpoint([failover.Route("a", lambda: FakeEndpoint("a"))])
    one, two = endpoint.open(ASKED), endpoint.open(ASKED)
    assert endpoint._queues(0, 1)
    assert b"".join(one) == b"a"
    assert not endpoint._queues(0, 1)
    assert endpoint._queues(0, 2)
    two.close()
    assert not endpoint._queues(0, 2)


def test_it_is_known_whether_another_stood_in() -> None:
    notices = Notices()
    several(FakeEndpoint("a"), FakeEndpoint("b"), notices=notices).open(ASKED)
    assert not notices.stood_in
    several(FakeEndpoint("a", *[GONE] * 9), FakeEndpoint("b"), notices=notices).open(ASKED)
    assert notices.stood_in
