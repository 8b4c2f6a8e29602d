"""Requests in flight: in order, never too many, and nothing survives a cancel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.session.fakes import LONG_S, FakeEndpoint, FakeSegments
from voicestream.errors import EndpointError, UsageError, VoicestreamError
from voicestream.metrics import Metrics
from voicestream.session.fetchers import Fetchers
from voicestream.session.job import Job
from voicestream.speech.base import SpeechRequest


def fetchers(
    endpoint: FakeEndpoint, segments: FakeSegments, lookahead: int = 2, **more: Any
) -> Fetchers:
    return Fetchers(
        endpoint,
        segments,
        lambda segment, _asked: SpeechRequest(segment.text, "m", "v", "pcm"),
        lookahead,
        Metrics(),
        more.pop("announce", lambda _kind, _figures: None),
        **more,
    )


def eventually(happened: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LONG_S
    while not happened():
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.001)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("fetch-")]


def jobs_of(running: Fetchers) -> Iterator[Job]:
    while job := running.next_job():
        yield job
        running.job_done()
        running.forget(job)


@settings(max_examples=25)
@given(lookahead=st.integers(0, 4), order=st.permutations(range(8)))
def test_order_and_bound_hold_whichever_finishes_first(lookahead: int, order: list[int]) -> None:
    texts = [f"{number}" for number in range(8)]
    gates = [threading.Event() for _ in texts]

    def answer(request: SpeechRequest) -> Iterable[bytes]:
        assert gates[int(request.text)].wait(LONG_S)
        yield request.text.encode()

    endpoint = FakeEndpoint(answer)
    running = fetchers(endpoint, FakeSegments(texts), lookahead)

    def open_gates() -> None:
        for number in order:
            gates[number].set()

    running.start()
    opener = threading.Thread(target=open_gates)
    opener.start()
    outstanding_most = 0
    got = []
    taken = 0
    while job := running.next_job():
        outstanding_most = max(outstanding_most, len(endpoint.opened) - taken)
        got.append(b"".join(job.spool).decode())
        taken += 1
        running.job_done()
        running.forget(job)
    opener.join(LONG_S)
    assert got == texts
    assert endpoint.opened == texts or sorted(endpoint.opened) == texts
    assert endpoint.most_in_flight <= lookahead + 1
    assert outstanding_most <= lookahead + 1


@pytest.mark.parametrize("lookahead", [0, 1, 3])
def test_no_more_is_asked_for_until_a_place_is_free(lookahead: int) -> None:
    endpoint = FakeEndpoint(lambda request: [request.text.encode()])
    running = fetchers(endpoint, FakeSegments([str(n) for n in range(9)]), lookahead)
    running.start()
    for taken in range(3):
        eventually(lambda taken=taken: len(endpoint.opened) == taken + lookahead + 1)
        job = running.next_job()
        assert job is not None
        list(job.spool)  # read whole, but still playing
        time.sleep(0.02)
        assert len(endpoint.opened) == taken + lookahead + 1
        running.job_done()
        running.forget(job)
    running.cancel()
    eventually(lambda: not threads())


def test_a_segment_that_fails_does_not_stop_the_others() -> None:
    def answer(request: SpeechRequest) -> Iterable[bytes]:
        if request.text == "1":
            raise EndpointError("no")
        if request.text == "2":
            raise RuntimeError("a bug in an endpoint")
        return [request.text.encode()]

    running = fetchers(FakeEndpoint(answer), FakeSegments(["0", "1", "2", "3"]))
    running.start()
    got: list[str] = []
    causes = []
    for job in jobs_of(running):
        try:
            got.append(b"".join(job.spool).decode())
        except EndpointError as error:
            got.append(error.what)
            causes.append(repr(error.__cause__))
    assert got == ["0", "no", "the request failed in an unexpected way", "3"]
    assert causes == ["None", "RuntimeError('a bug in an endpoint')"]


@pytest.mark.parametrize("failure", [UsageError("unreadable"), RuntimeError("a bug")])
def test_a_text_that_breaks_off_is_told_after_what_came_before(failure: Exception) -> None:
    running = fetchers(FakeEndpoint(lambda _: [b"x"]), FakeSegments(["0", "1"], failure))
    running.start()
    jobs = jobs_of(running)
    assert [list(next(jobs).spool) for _ in range(2)] == [[b"x"], [b"x"]]
    with pytest.raises(VoicestreamError) as told:
        next(jobs)
    assert str(failure) in str(told.value)
    eventually(lambda: not threads())


def test_cancel_ends_whoever_waits() -> None:
    # one request waits for its reply, one for room in its spool, one for text
    endpoint: FakeEndpoint

    def answer(request: SpeechRequest) -> Iterable[bytes]:
        if request.text == "0":
            endpoint.aborted.wait(LONG_S)
            raise EndpointError("aborted")
        return [b"full"] * 100

    endpoint = FakeEndpoint(answer)
    segments = FakeSegments(["0", "1"])
    segments.hangs_at = 2
    running = fetchers(endpoint, segments, spool_bytes=8)
    running.start()
    assert segments.waits.wait(LONG_S)
    job = running.next_job()
    assert job is not None
    got: list[object] = []
    feeder = threading.Thread(target=lambda: got.extend([list(job.spool), running.next_job()]))
    feeder.start()
    running.cancel()
    feeder.join(LONG_S)
    assert not feeder.is_alive()
    eventually(lambda: not threads())
    assert endpoint.most_in_flight == 2


def test_a_spool_nobody_reads_stops_the_reading_from_the_network() -> None:
    given_bytes = 0

    def answer(_: SpeechRequest) -> Iterable[bytes]:
        nonlocal given_bytes
        while given_bytes < 10_000_000:
            given_bytes += 1000
            yield bytes(1000)

    running = fetchers(FakeEndpoint(answer), FakeSegments(["0"]), 0, spool_bytes=5000)
    running.start()
    job = running.next_job()
    assert job is not None
    eventually(lambda: job.spool.size_bytes >= 5000)
    time.sleep(0.05)
    assert given_bytes <= 7000
    running.cancel()
    eventually(lambda: not threads())


def test_forgetting_a_segment_ends_its_request_and_frees_its_thread() -> None:
    def answer(request: SpeechRequest) -> Iterable[bytes]:
        return [bytes(100)] * 1000 if request.text == "endless" else [b"next"]

    running = fetchers(FakeEndpoint(answer), FakeSegments(["endless", "1"]), 0, spool_bytes=500)
    running.start()
    first = running.next_job()
    assert first is not None
    running.job_done()
    running.forget(first)
    second = running.next_job()
    assert second is not None
    assert list(second.spool) == [b"next"]
    running.cancel()


def test_events_tell_of_each_segment_in_order() -> None:
    seen: list[tuple[str, int]] = []
    running = fetchers(
        FakeEndpoint(lambda _: [b"", b"x", b"y"]),
        FakeSegments(["0", "1"]),
        0,
        announce=lambda kind, figures: seen.append((kind, figures.index)),
    )
    running.start()
    for job in jobs_of(running):
        list(job.spool)
    assert seen == [
        *[("segment_queued", 0), ("first_byte", 0)],
        *[("segment_queued", 1), ("first_byte", 1)],
    ]
