"""A whole session without a network or a sound card: what is heard, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from tests.session.fakes import (
    LONG_S,
    FakeEndpoint,
    FakeSegments,
    Keeper,
    numbers_in,
    tone_of,
)
from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    EndpointTimeoutError,
    IncompleteReplyError,
    KeyRefusedError,
    UnspokenError,
    UsageError,
)
from voicestream.notices import Notices
from voicestream.output.save import Saver
from voicestream.session.conductor import Session
from voicestream.session.result import Event, Result
from voicestream.session.spool import Spool
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest
from voicestream.state import State


def answer(request: SpeechRequest) -> Iterable[bytes]:
    body = tone_of(int(request.text)).tobytes()
    return [body[start : start + 777] for start in range(0, len(body), 777)]


def session(
    endpoint: FakeEndpoint, segments: FakeSegments, on_event: Any = None, **more: Any
) -> tuple[Session, Keeper]:
    keeper = Keeper()
    settings = Settings(
        base_url="http://fake", **({"trim": False, "normalize": False, "lookahead": 1} | more)
    )
    saver = Saver(keeper.written)
    return Session(settings, endpoint, segments, keeper, saver, on_event=on_event), keeper


def ended(running: Session) -> Result:
    assert running.wait(LONG_S)
    return running.result()


def texts(count: int) -> FakeSegments:
    return FakeSegments([str(number) for number in range(count)])


@pytest.mark.parametrize("streaming", [True, False])
def test_all_segments_are_heard_in_order_to_the_last_sample(streaming: bool) -> None:
    endpoint = FakeEndpoint(answer)
    running, keeper = session(endpoint, texts(5), streaming=streaming)
    running.start()
    result = ended(running)
    assert result.completed
    assert result.snapshot.state is State.DONE
    assert np.array_equal(keeper.wanted, np.concatenate([tone_of(n) for n in range(5)]))
    assert numbers_in(keeper.heard) == [0, 1, 2, 3, 4]
    assert result.spoken == "01234"
    assert [figures.status for figures in result.snapshot.segments] == ["done"] * 5
    assert endpoint.closed


def test_words_without_sounds_are_told_and_keep_no_others_from_being_heard() -> None:
    notices = Notices()

    def partly(request: SpeechRequest) -> Iterable[bytes]:
        if request.text.startswith("мир"):
            raise UnspokenError(request.text.split())
        notices.left_out(["два", "раз"])
        return answer(request)

    spoken = FakeSegments(["0", *["мир" + " мир" * n for n in range(6)], "1"])
    running, keeper = session(FakeEndpoint(partly), spoken)
    notices = running.metrics.notices
    running.start()
    result = ended(running)
    assert numbers_in(keeper.heard) == [0, 1]
    assert not result.completed
    told = result.to_dict()
    assert told["unspoken"] == ["два", "раз", "мир"]
    assert [error.exit_code for error in result.errors] == [3]
    assert "no sounds for два, раз, мир:" in told["errors"][0]


def test_a_ring_that_is_always_full_is_heard_to_the_last_sample() -> None:
    # each reply in one piece, which the ring has no room for
    endpoint = FakeEndpoint(lambda request: [tone_of(int(request.text), 4800).tobytes()])
    running, keeper = session(
        endpoint, texts(5), max_buffer_s=0.1, prebuffer_ms=100, playout="fixed"
    )
    running.start()
    result = ended(running)
    assert result.completed
    assert result.snapshot.overruns > 0
    assert numbers_in(keeper.heard) == [0, 1, 2, 3, 4]


def failing(numbers: set[int], error: Exception) -> FakeEndpoint:
    def either(request: SpeechRequest) -> Iterable[bytes]:
        if int(request.text) in numbers:
            raise error
        return answer(request)

    return FakeEndpoint(either)


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


def test_while_the_writer_pauses_what_is_there_is_heard_however_short() -> None:
    segments = texts(2)
    segments.hangs_at = 1
    running, keeper = session(FakeEndpoint(answer), segments, prebuffer_ms=1500, lookahead=2)
    running.start()
    assert segments.waits.wait(LONG_S)
    assert keeper.fell_silent.wait(LONG_S)  # after 100 ms of sound, 1500 ms of prebuffer
    segments.more.set()
    result = ended(running)
    assert result.completed
    assert numbers_in(keeper.heard) == [0, 1]
    assert (result.snapshot.underruns, result.snapshot.stall_ms) == (0, 0)


@pytest.mark.parametrize("moment", ["text", "request", "playing"])
def test_interrupt_ends_it_at_any_moment(moment: str) -> None:
    reached = threading.Event()

    def slow(_: SpeechRequest) -> Iterable[bytes]:
        if moment == "request":
            reached.set()
            endpoint.aborted.wait(LONG_S)
            raise EndpointError("aborted")
        yield tone_of(0, 24_000).tobytes()
        reached.set()
        endpoint.aborted.wait(LONG_S)
        raise EndpointError("aborted")

    endpoint = FakeEndpoint(slow)
    segments = texts(3)
    if moment == "text":
        segments.hangs_at = 0
        reached = segments.waits
    running, _ = session(endpoint, segments)
    running.start()
    assert reached.wait(LONG_S)
    running.interrupt()
    result = ended(running)
    assert not result.completed
    assert result.snapshot.state is State.CANCELLED
    assert result.errors == ()
    assert endpoint.aborted.is_set()


def test_events_tell_what_happens_in_its_order() -> None:
    seen: list[Event] = []
    endpoint = failing({1}, EndpointError("500"))
    running, _ = session(endpoint, texts(2), seen.append, lookahead=0)
    running.start()
    ended(running)
    kinds = [(event.kind, event.segment) for event in seen]
    assert kinds[-1] == ("end", None)
    told_of_it = ("segment_queued", "first_byte", "segment_done")
    of_first = [kind for kind, segment in kinds if segment == 0 and kind in told_of_it]
    assert of_first == list(told_of_it)
    assert ("segment_failed", 1) in kinds
    assert ("playing", None) in kinds
    assert all(event.at_ms >= 0 for event in seen)


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


def test_nothing_is_kept_of_segments_that_are_over() -> None:
    running, _ = session(FakeEndpoint(answer), texts(40))
    running.start()
    assert ended(running).completed
    assert running._fetchers._started == []


def test_time_in_which_a_full_spool_keeps_the_server_waiting_is_not_the_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full(Spool):
        """Says of each piece that there was no room for it for a minute."""

        def _next(self) -> bytes | None:
            piece = super()._next()
            self.held_s = 60.0
            return piece

    monkeypatch.setattr("voicestream.session.fetchers.Spool", Full)
    pieces = [tone_of(0).tobytes()] * 3

    def slow(_: SpeechRequest) -> Iterable[bytes]:
        for piece in pieces:
            time.sleep(0.02)
            yield piece

    running, _ = session(FakeEndpoint(slow), texts(1))
    running.start()
    assert ended(running).completed
    assert max(running._pacing._policy.arrivals.gaps, default=0.0) == 0.0
