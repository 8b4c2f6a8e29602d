"""The spool: every byte once, in order, never more than its room, and nobody left waiting."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.session.fakes import LONG_S
from voicestream.errors import IncompleteReplyError
from voicestream.session.spool import Spool


@settings(max_examples=60)
@given(pieces=st.lists(st.binary(min_size=1, max_size=50), max_size=40), limit=st.integers(1, 200))
def test_two_threads_hand_on_every_byte_within_the_room(pieces: list[bytes], limit: int) -> None:
    spool = Spool(limit)
    most_bytes = 0

    def write() -> None:
        for piece in pieces:
            assert spool.put(piece)
        spool.end()

    writer = threading.Thread(target=write)
    writer.start()
    got = []
    for piece in spool:
        most_bytes = max(most_bytes, spool.size_bytes + len(piece))
        got.append(piece)
    writer.join(LONG_S)
    assert got == pieces
    # one piece may reach over the edge, and another may have come since the last one left
    assert most_bytes <= limit + 2 * 50
    assert spool.size_bytes == 0


def test_a_full_spool_makes_the_writer_wait() -> None:
    spool = Spool(10)
    assert spool.put(b"x" * 10)
    done = threading.Event()
    thread = threading.Thread(target=lambda: (spool.put(b"y"), done.set()))
    thread.start()
    assert not done.wait(0.05)
    assert spool.size_bytes == 10
    assert next(iter(spool)) == b"x" * 10
    assert done.wait(LONG_S)
    thread.join(LONG_S)


def test_the_error_comes_after_the_last_byte() -> None:
    spool = Spool()
    spool.put(b"a")
    spool.end(IncompleteReplyError("broke off"))
    pieces = iter(spool)
    assert next(pieces) == b"a"
    with pytest.raises(IncompleteReplyError):
        next(pieces)


def test_cancel_lets_a_waiting_writer_go_and_frees_the_bytes() -> None:
    spool = Spool(1)
    spool.put(b"full")
    answers: list[bool] = []
    writer = threading.Thread(target=lambda: answers.append(spool.put(b"more")))
    writer.start()
    spool.cancel()
    writer.join(LONG_S)
    assert answers == [False]
    assert spool.size_bytes == 0
    assert not spool.put(b"late")


@pytest.mark.parametrize("wait", [lambda spool: list(spool), lambda spool: spool.wait_ended()])
def test_cancel_lets_a_waiting_reader_go(wait: object) -> None:
    spool = Spool()
    reader = threading.Thread(target=wait, args=(spool,))  # type: ignore[arg-type]
    reader.start()
    spool.cancel()
    reader.join(LONG_S)
    assert not reader.is_alive()


def test_after_a_cancel_no_error_is_raised() -> None:
    spool = Spool()
    spool.cancel()
    spool.end(IncompleteReplyError("because of the cancel"))
    assert list(spool) == []


def test_the_time_for_which_the_writer_was_kept_waiting_goes_with_its_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now_s=5.0, asked=threading.Semaphore(0))

    def monotonic() -> float:
        clock.asked.release()
        return float(clock.now_s)

    monkeypatch.setattr("voicestream.session.spool.time", SimpleNamespace(monotonic=monotonic))
    spool = Spool(1)
    spool.put(b"full")
    clock.asked.acquire()
    clock.asked.acquire()
    writer = threading.Thread(target=spool.put, args=(b"late",))
    writer.start()
    assert clock.asked.acquire(timeout=LONG_S)  # it has begun to wait, or is about to
    clock.now_s = 8.0
    pieces = iter(spool)
    assert next(pieces) == b"full"
    assert (spool.at_s, spool.held_s) == (5.0, 0.0)
    assert next(pieces) == b"late"
    assert (spool.at_s, spool.held_s) == (5.0, 3.0)
    writer.join(LONG_S)
