"""The ring: what goes in comes out, once, in order, however it is cut, on one thread or two."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.playout.ring import Ring


def numbered(start: int, frames: int, channels: int) -> np.ndarray:
    """Frames that say their own number, spread over two samples for each channel's worth."""
    index = np.arange(start, start + frames)
    return np.stack([(index + channel) % 32_749 for channel in range(channels)], 1).astype(np.int16)


@given(
    capacity=st.integers(1, 50),
    channels=st.integers(1, 3),
    cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=60),
)
def test_any_cuts_give_the_same_frames(
    capacity: int, channels: int, cuts: list[tuple[int, int]]
) -> None:
    ring = Ring(capacity, channels)
    written = read = 0
    for give, want in cuts:
        room = ring.writable_frames
        assert room == capacity - (written - read)
        taken = ring.write(numbered(written, give, channels))
        assert taken == min(give, room)
        written += taken
        got = ring.take(want)
        assert got.shape == (min(want, written - read), channels)
        assert np.array_equal(got, numbered(read, len(got), channels))
        read += len(got)
        assert ring.readable_frames == written - read


def test_what_was_taken_is_not_overwritten() -> None:
    ring = Ring(4, 1)
    ring.write(numbered(0, 4, 1))
    got = ring.take(4)
    ring.write(numbered(100, 4, 1))
    assert np.array_equal(got, numbered(0, 4, 1))


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_ring_has_room(capacity: int) -> None:
    with pytest.raises(ValueError, match="ring"):
        Ring(capacity, 1)


def test_a_sequence_stays_whole_between_two_threads() -> None:
    total, ring = 100_000, Ring(997, 1)
    wrong: list[int] = []
    rng = np.random.default_rng(5)
    gives, wants = rng.integers(1, 700, 4096), rng.integers(1, 700, 4096)

    def write() -> None:
        written = turn = 0
        while written < total:
            size = min(int(gives[turn % 4096]), total - written)
            written += ring.write(numbered(written, size, 1))
            turn += 1

    def read() -> None:
        taken = turn = 0
        while taken < total:
            got = ring.take(int(wants[turn % 4096]))
            if not np.array_equal(got, numbered(taken, len(got), 1)):
                wrong.append(taken)
                return
            taken += len(got)
            turn += 1

    threads = [threading.Thread(target=run, daemon=True) for run in (write, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive() or wrong
    assert wrong == []


@given(
    capacity=st.integers(1, 50),
    history=st.integers(0, 30),
    steps=st.lists(st.tuples(st.sampled_from("wrb"), st.integers(0, 60)), max_size=60),
)
def test_what_was_read_last_can_be_read_again(
    capacity: int, history: int, steps: list[tuple[str, int]]
) -> None:
    """After a device died: a ring that goes back gives the same frames again, and loses none."""
    ring = Ring(capacity, 1, history)
    sent, got, read_most = 0, 0, 0
    for kind, count in steps:
        if kind == "w":
            numbers = np.arange(sent, sent + count, dtype=np.int16)[:, None]
            sent += ring.write(numbers)
        elif kind == "r":
            taken = ring.take(count)[:, 0]
            assert np.array_equal(taken, np.arange(got, got + len(taken)))
            got += len(taken)
            read_most = max(read_most, got)
        else:
            got -= ring.rewind(count)
            assert read_most - got <= history
        assert 0 <= ring.writable_frames <= capacity
        assert ring.readable_frames == sent - got


def test_the_counter_tells_of_frames_that_are_in_place() -> None:
    """A reader on another thread may look between any two steps of the writer."""
    ring = Ring(8, 1)
    seen: list[int] = []

    class Watched(np.ndarray):
        def __setitem__(self, place, value):  # type: ignore[no-untyped-def]
            seen.append(ring.written)
            super().__setitem__(place, value)

    ring._data = ring._data.view(Watched)
    for start in (0, 5):  # the second write goes round the end
        ring.write(numbered(start, 5, 1))
        ring.take(5)
    assert seen == [0, 0, 5, 5]


def test_a_full_ring_leaves_what_was_read_last_in_place() -> None:
    ring = Ring(4, 1, history_frames=4)
    ring.write(numbered(0, 4, 1))
    ring.take(4)
    assert ring.write(numbered(4, 9, 1)) == 4
    assert ring.rewind(9) == 4
    assert np.array_equal(ring.take(9), numbered(0, 8, 1))
