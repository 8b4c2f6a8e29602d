"""What one request speaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.text.pieces import Boundary, Piece, Segment, SegmentLimits
from voicestream.text.pipeline import TextPipeline
from voicestream.text.segment_queue import SegmentQueue
from voicestream.text.split import split_text


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def taking_pieces() -> tuple[SegmentQueue, Callable[[list[Piece]], None]]:
    """A queue, and what puts pieces into it as they are."""
    cut: list[Piece] = []
    pipeline: Any = SimpleNamespace(pending="", feed=lambda _: cut, flush=list)
    queue = SegmentQueue(pipeline=pipeline)

    def add(pieces: list[Piece]) -> None:
        cut[:] = pieces
        queue.feed(".")

    return queue, add


def polled(queue: SegmentQueue, waiting_s: float) -> list[Segment]:
    segments = []
    while (segment := queue.poll(waiting_s)) is not None:
        segments.append(segment)
    return segments


def texts(queue: SegmentQueue, waiting_s: float = 2.0) -> list[str]:
    return [segment.text for segment in polled(queue, waiting_s)]


def test_the_first_segment_is_a_clause_and_later_ones_are_sentences() -> None:
    queue = SegmentQueue()
    queue.feed("Bread rises because yeast eats sugar, and")
    first = queue.poll(0.0)
    assert first == Segment(0, "Bread rises because yeast eats sugar, ", Boundary.CLAUSE)
    assert first.spoken == "Bread rises because yeast eats sugar,"
    queue.feed(" gives off gas, which is caught. The")
    assert texts(queue) == ["and gives off gas, which is caught. "]
    queue.close()
    assert texts(queue) == ["The"]


def test_a_short_first_clause_waits_for_more() -> None:
    queue = SegmentQueue()
    queue.feed("Well, ")
    assert queue.poll(0.0) is None
    queue.feed("here it comes now, at last")
    assert queue.poll(0.0) == Segment(0, "Well, here it comes now, ", Boundary.CLAUSE)


def test_a_long_first_sentence_is_cut_even_if_all_the_text_is_there() -> None:
    text = "This is a rather long beginning, " + "with many more words " * 8 + "in it. End here."
    queue = SegmentQueue()
    queue.feed(text)
    queue.close()
    assert texts(queue)[0] == "This is a rather long beginning, "
    assert "".join(texts(queue)) == ""


SENTENCES = [f"This is the sentence of number {at:03d}. " for at in range(30)]


def test_sentences_one_by_one_while_little_sound_waits() -> None:
    queue = SegmentQueue()
    queue.feed("".join(SENTENCES))
    queue.close()
    assert texts(queue, waiting_s=2.0) == [*SENTENCES[:-1], SENTENCES[-1].rstrip()]


def test_several_sentences_at_once_while_much_sound_waits() -> None:
    queue = SegmentQueue(SegmentLimits(batch_chars=120))
    queue.feed("".join(SENTENCES))
    queue.close()
    assert queue.poll(0.0) is not None
    batches = texts(queue, waiting_s=10.0)
    assert all(len(batch) <= 120 for batch in batches)
    assert batches[0] == "".join(SENTENCES[1:4])
    assert "".join(batches) == "".join(SENTENCES[1:]).rstrip()


def test_a_batch_waits_for_more_sentences_while_there_is_time() -> None:
    queue = SegmentQueue()
    queue.feed("A first sentence of some length. Another one of some length. Then")
    assert queue.poll(0.0) is not None
    assert queue.poll(10.0) is None
    assert queue.poll(3.9) is not None


def test_a_paragraph_and_a_voice_end_a_batch() -> None:
    queue, add = taking_pieces()
    add(
        [
            Piece("Zero zero zero zero zero zero. ", Boundary.SENTENCE),
            Piece("One.\n\n", Boundary.PARAGRAPH),
            Piece("And one. ", Boundary.SENTENCE),
            Piece("Two. ", Boundary.SENTENCE, "a"),
            Piece("Three. ", Boundary.SENTENCE, "b"),
            Piece("Four. ", Boundary.SENTENCE, "b"),
        ]
    )
    queue.close()
    assert [(item.text, item.end, item.voice) for item in polled(queue, 9.0)] == [
        ("Zero zero zero zero zero zero. ", Boundary.SENTENCE, None),
        ("One.\n\n", Boundary.PARAGRAPH, None),
        ("And one. ", Boundary.SENTENCE, None),
        ("Two. ", Boundary.SENTENCE, "a"),
        ("Three. Four. ", Boundary.SENTENCE, "b"),
    ]


def test_short_sentences_that_are_there_go_together() -> None:
    queue = SegmentQueue()
    queue.feed("Yes. No. Maybe. That depends on many things. Bye")
    assert texts(queue)[0] == "Yes. No. Maybe. That depends on many things. "


def test_a_pause_of_the_writer_cuts_at_a_clause_when_sound_runs_low() -> None:
    clock = Clock()
    queue = SegmentQueue(clock=clock)
    queue.feed("This is the first sentence. Then, well")
    assert queue.poll(0.0) is not None
    clock.now_s += 0.3
    assert queue.poll(0.5) is None  # no pause yet
    clock.now_s += 0.2
    assert queue.poll(5.0) is None  # enough sound
    assert queue.poll(0.5) == Segment(1, "Then, ", Boundary.CLAUSE)
    assert queue.poll(0.0) is None  # nothing to cut at
    queue.feed(" it ends here. So")
    assert texts(queue) == ["well it ends here. "]


def test_a_finished_line_is_spoken_when_the_writer_pauses() -> None:
    clock = Clock()
    queue = SegmentQueue(clock=clock)
    queue.feed("Hello!\n")
    assert queue.poll(0.0) is None
    clock.now_s += 1.0
    assert queue.poll(0.0) == Segment(0, "Hello!\n", Boundary.SENTENCE)


def test_a_sentence_whose_end_only_the_next_word_tells_is_spoken_in_a_pause() -> None:
    clock = Clock()
    queue = SegmentQueue(clock=clock)
    queue.feed("Number 1 comes first of all. And ")
    assert queue.poll(0.0) is None
    clock.now_s += 1.0
    assert texts(queue, 0.0) == ["Number 1 comes first of all. "]
    queue.feed("then 2.")
    queue.close()
    assert texts(queue) == ["And then 2."]


def test_low_sound_cuts_a_long_sentence_without_a_pause() -> None:
    queue = SegmentQueue()
    queue.feed("This is the first sentence. It goes on for quite some time, and on")
    assert texts(queue, 2.0) == ["This is the first sentence. "]
    assert texts(queue, 0.5) == ["It goes on for quite some time, "]


def test_nothing_but_signs_is_no_segment() -> None:
    queue = SegmentQueue()
    queue.feed("... !!! --- \n\n ***")
    queue.close()
    assert queue.take(lambda: 0.0) is None
    queue, add = taking_pieces()
    add([Piece("One. ", Boundary.SENTENCE), Piece("…\n\n", Boundary.PARAGRAPH)])
    add([Piece("- ", Boundary.CLAUSE)])
    assert texts(queue) == ["One. …\n\n- "]
    add([Piece("— ", Boundary.CLAUSE), Piece("Two.", Boundary.SENTENCE)])
    assert texts(queue) == ["— Two."]


@given(st.text("ab, .\n🎉é", max_size=400), st.integers(5, 60))
def test_split_text_is_bounded_and_joins(text: str, size: int) -> None:
    parts = split_text(text, size)
    assert "".join(parts) == text
    assert all(len(part) <= size for part in parts)


def test_split_text_prefers_sentences() -> None:
    assert split_text("Short.", 100) == ["Short."]
    assert split_text("One is here. Two is here. Three is here.", 28) == [
        "One is here. Two is here. ",
        "Three is here.",
    ]


SIGNS = str.maketrans("", "", ".,")


@given(
    st.lists(st.sampled_from(["Word ", "word", ". ", ", ", "\n\n", "Dr. ", "x" * 30]), max_size=80),
    st.lists(st.sampled_from([0.0, 0.5, 2.0, 9.0]), min_size=1, max_size=5),
)
def test_everything_is_spoken_once_and_in_order(chunks: list[str], waits: list[float]) -> None:
    limits = SegmentLimits(max_chars=64, batch_chars=50)
    queue = SegmentQueue(limits, TextPipeline(plain=True))
    segments = []
    for at, chunk in enumerate(chunks):
        queue.feed(chunk)
        if (segment := queue.poll(waits[at % len(waits)])) is not None:
            segments.append(segment)
    queue.close()
    segments += polled(queue, 9.0)
    assert [segment.index for segment in segments] == list(range(len(segments)))
    assert all(segment.spoken and len(segment.text) <= 64 for segment in segments)
    said = "".join("".join(item.text for item in segments).split())
    words = "".join("".join(chunks).split())
    # Where a text is cut for its length, blanks and signs with nothing to speak may be left out.
    assert said.translate(SIGNS) == words.translate(SIGNS)


def test_threads_take_in_order_and_wake_up() -> None:
    queue = SegmentQueue(SegmentLimits(min_chars=1))
    taken: list[Segment] = []
    lock = threading.Lock()

    def fetch() -> None:
        while (segment := queue.take(lambda: 2.0)) is not None:
            with lock:
                taken.append(segment)

    threads = [threading.Thread(target=fetch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for sentence in SENTENCES:
        queue.feed(sentence)
    queue.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    taken.sort(key=lambda segment: segment.index)
    assert "".join(segment.text for segment in taken) == "".join(SENTENCES).rstrip()


@pytest.mark.parametrize("stage", ["take", "feed"])
def test_cancel_wakes_whoever_waits(stage: str) -> None:
    queue = SegmentQueue(SegmentLimits(queue_chars=100))
    done = threading.Event()

    def wait() -> None:
        if stage == "take":
            assert queue.take(lambda: 0.0) is None
        else:
            queue.feed("A sentence that is whole. " * 10)  # more than there is room for
            queue.feed("One more. ")  # short: where nobody waits, it is taken at once
        done.set()

    thread = threading.Thread(target=wait)
    thread.start()
    while stage == "feed" and not queue.length()[0]:
        time.sleep(0.001)
    assert not done.wait(0.05)
    queue.cancel()
    thread.join(10)
    assert done.is_set()
    assert queue.poll(0.0) is None


def test_text_without_stops_begins_early_and_is_never_long() -> None:
    words = "so we went on and talked about the sun and how it makes its light "
    queue = SegmentQueue()
    queue.feed(words * 2)
    first = queue.poll(0.0)
    assert first is not None
    assert 30 < len(first.text) <= 120
    assert queue.poll(0.0) is None
    queue.feed(words * 2)
    assert queue.poll(2.0) is None  # enough sound waits
    assert queue.poll(0.5) is not None
    queue = SegmentQueue()
    queue.feed(words * 50)
    queue.close()
    sizes = [len(text) for text in texts(queue)]
    assert sizes[0] <= 120
    assert max(sizes[1:]) <= 400
    assert len(words * 50) - 1 <= sum(sizes) <= len(words * 50)
