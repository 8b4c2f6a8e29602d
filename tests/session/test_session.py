"""A whole session without a network or a sound card: what is heard, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

import numpy as np
import pytest

from tests.session.fakes import (
    LONG_S,
    FakeEndpoint,
    FakeSegments,
    numbers_in,
    tone_of,
)
from tests.session.running import answer, ended, failing, session, texts
from voicestream.errors import (
    EndpointError,
    UnspokenError,
)
from voicestream.notices import Notices
from voicestream.session.result import Event
from voicestream.session.spool import Spool
from voicestream.speech.base import SpeechRequest
from voicestream.state import State


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
