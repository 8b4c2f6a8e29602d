"""What one request speaks: early at first, then whole sentences, several if there is time.

The text thread feeds, those who fetch speech take. Everything in between stands
here, under one lock.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from voicestream.records import replace
from voicestream.text.cut import best_cut, clause_end
from voicestream.text.pause_tags import MOST_MS
from voicestream.text.pieces import Boundary, Piece, Segment, SegmentLimits
from voicestream.text.pipeline import TextPipeline
from voicestream.text.split import split_text

_SLICE_CHARS = 4096


class SegmentQueue:
    """Text in, segments out; for any number of threads.

    Args:
        limits: how text becomes requests.
        pipeline: turns text into pieces; belongs to the planner from here on.
        clock: seconds, never going back.
        tell_language: the language of a sentence as a code, called with each in order; no
            segment holds sentences of two then.

    Each ``waiting_s`` is how much sound waits to be played, in seconds; count a
    request in flight as what its text will make (``SPEECH_CHARS_PER_S``).
    """

    def __init__(
        self,
        limits: SegmentLimits | None = None,
        pipeline: TextPipeline | None = None,
        clock: Callable[[], float] = time.monotonic,
        tell_language: Callable[[str], str] | None = None,
    ) -> None:
        self.limits = limits or SegmentLimits()
        self._pipeline = pipeline or TextPipeline()
        self._clock = clock
        self._tell_language = tell_language
        self._changed = threading.Condition()
        self._ready: deque[Piece] = deque()
        self._ready_chars = 0
        self._taken_chars = 0
        self._mute = ""  # blanks and signs that go with the text after them
        self._pause_ms: int | None = None  # of the text that comes next
        self._index = 0
        self._fed_s = clock()
        self._settled = False  # nothing was fed since the pause was dealt with
        self._closed = False
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    @property
    def trailing_ms(self) -> int:
        """The silence after the last segment, once that was taken."""
        return self._pause_ms or 0

    def length(self) -> tuple[int, bool]:
        """Return characters of all segments and of what waits, and whether no more will come."""
        with self._changed:
            waiting = self._ready_chars + len(self._pipeline.pending)
            return self._taken_chars + waiting, self._closed

    def waiting_text(self) -> str:
        """Return what has been fed and not been taken yet."""
        with self._changed:
            return "".join(piece.text for piece in self._ready) + self._pipeline.pending

    def feed(self, text: str) -> None:
        """Take the next raw text. Waits while much text is waiting already."""
        for start in range(0, len(text), _SLICE_CHARS):
            with self._changed:
                self._changed.wait_for(self._has_room)
                if self._cancelled:
                    return
                self._push(self._pipeline.feed(text[start : start + _SLICE_CHARS]))
                self._fed()

    def close(self) -> None:
        """No more text will come."""
        with self._changed:
            if not self._closed and not self._cancelled:
                self._push(self._pipeline.flush())
            self._closed = True
            self._fed()

    def cancel(self) -> None:
        """Forget what waits; everyone who waits here returns at once."""
        with self._changed:
            self._cancelled = True
            self._ready.clear()
            self._ready_chars = 0
            self._changed.notify_all()

    def poll(self, waiting_s: float) -> Segment | None:
        """Return the next segment if one is due now."""
        with self._changed:
            return None if self._cancelled else self._choose(waiting_s)[0]

    def take(self, waiting_s: Callable[[], float]) -> Segment | None:
        """Wait for the next segment; None after the last one, or when cancelled.

        Args:
            waiting_s: is called under the planner's lock, so it must not block.
        """
        with self._changed:
            while not self._cancelled:
                segment, again_s = self._choose(waiting_s())
                if segment is not None:
                    return segment
                if self._closed and not self._ready:
                    return None
                self._changed.wait(again_s)
            return None

    # What follows is called under the lock.

    def _has_room(self) -> bool:
        return self._cancelled or self._ready_chars < self.limits.queue_chars

    def _fed(self) -> None:
        self._fed_s = self._clock()
        self._settled = False
        self._changed.notify_all()

    def _push(self, pieces: Iterable[Piece]) -> None:
        """Put pieces into the queue; none of only blanks and signs, none too long."""
        for piece in pieces:
            text = piece.text
            if piece.pause_ms is not None:
                self._pause_ms = min((self._pause_ms or 0) + piece.pause_ms, MOST_MS)
            if not any(map(str.isalnum, text)):
                self._push_mute(piece)
                continue
            parts = split_text(self._mute + text, self.limits.max_chars)
            self._mute = ""
            for at, part in enumerate(parts):
                end = piece.end if at == len(parts) - 1 else Boundary.CLAUSE
                if not any(map(str.isalnum, part)):
                    self._mute += part
                    continue
                if len(self._mute) + len(part) <= self.limits.max_chars:
                    part = self._mute + part
                self._mute = ""
                self._append(Piece(part, end, piece.voice))

    def _push_mute(self, piece: Piece) -> None:
        last = self._ready[-1] if self._ready else None
        if last is None or len(last.text) + len(piece.text) > self.limits.max_chars:
            self._mute = (self._mute + piece.text)[-_SLICE_CHARS // 4 :]
            return
        end = Boundary.PARAGRAPH if piece.end is Boundary.PARAGRAPH else last.end
        self._ready[-1] = replace(last, text=last.text + piece.text, end=end)
        self._ready_chars += len(piece.text)

    def _append(self, piece: Piece) -> None:
        if self._tell_language is not None:
            piece = replace(piece, language=self._tell_language(piece.text))
        self._ready.append(replace(piece, pause_ms=self._pause_ms))
        self._pause_ms = None
        self._ready_chars += len(piece.text)

    def _choose(self, waiting_s: float) -> tuple[Segment | None, float | None]:
        """Return the segment that is due, or in how many seconds to look again (None: at new
        text)."""
        if not self._ready:
            again_s = self._cut_tail(waiting_s)
            if not self._ready:
                return None, again_s
        limits = self.limits
        if self._index == 0:
            self._shorten_first()
        batch = self._index > 0 and waiting_s > limits.batch_above_s
        goal = limits.batch_chars if batch else limits.min_chars
        count = self._count(min(goal, limits.max_chars), batch)
        chars = sum(len(self._ready[at].text) for at in range(count))
        more = count == len(self._ready) and self._ready[-1].end is not Boundary.PARAGRAPH
        more = more and self._pause_ms is None
        if batch and more and chars < goal and not self._closed:
            return None, waiting_s - limits.batch_above_s + 0.01
        return self._pop(count), None

    def _count(self, goal: int, batch: bool) -> int:
        """Return how many of the waiting pieces make the next segment."""
        first = self._ready[0]
        count, chars, last = 1, len(first.text), first
        for piece in islice(self._ready, 1, None):
            size = chars + len(piece.text)
            if last.end is Boundary.PARAGRAPH or piece.voice != first.voice:
                break
            if piece.pause_ms is not None or piece.language != first.language:
                break
            if chars >= goal or (batch and size > max(goal, self.limits.min_chars)):
                break
            if size > self.limits.max_chars:
                break
            count, chars, last = count + 1, size, piece
        return count

    def _pop(self, count: int) -> Segment:
        pieces = [self._ready.popleft() for _ in range(count)]
        text = "".join(piece.text for piece in pieces)
        self._ready_chars -= len(text)
        self._taken_chars += len(text)
        first, end = pieces[0], pieces[-1].end
        segment = Segment(self._index, text, end, first.voice, first.pause_ms, first.language)
        self._index += 1
        self._changed.notify_all()
        return segment

    def _shorten_first(self) -> None:
        """A long first sentence is cut at its first clause, to be heard sooner."""
        first = self._ready[0]
        if len(first.text) <= self.limits.first_max_chars:
            return
        most = 2 * self.limits.first_max_chars
        cut = clause_end(first.text, 0, most, self.limits.first_chars, last=False)
        if not cut and len(first.text) > most:
            cut = best_cut(first.text, 0, self.limits.first_max_chars)
        rest = first.text[cut:]
        if cut and any(map(str.isalnum, rest)):
            self._ready[0] = replace(first, text=rest, pause_ms=None)
            self._ready.appendleft(replace(first, text=first.text[:cut], end=Boundary.CLAUSE))

    def _cut_tail(self, waiting_s: float) -> float | None:
        """Nothing is whole: cut the unfinished sentence if its time has come."""
        limits = self.limits
        if self._closed or self._settled:
            return None
        if self._index == 0 and self._push_clause(limits.first_chars, last=False):
            return None
        low_in_s = waiting_s - limits.low_s
        if low_in_s < 0 and self._push_clause(limits.first_chars, last=True):
            return None
        hungry = self._index == 0 or low_in_s < 0
        if hungry and self._push_piece(self._pipeline.cut_blank(limits.first_max_chars)):
            return None
        pause_in_s = self._fed_s + limits.pause_s - self._clock()
        if pause_in_s > 0 or low_in_s >= 0:
            return max(pause_in_s, low_in_s) + 0.005
        self._settled = True
        self._push(self._pipeline.settle())
        if not self._ready:
            self._push_clause(1, last=True)
        return None

    def _push_clause(self, min_chars: int, *, last: bool) -> bool:
        return self._push_piece(self._pipeline.cut_clause(min_chars, last=last))

    def _push_piece(self, piece: Piece | None) -> bool:
        if piece is not None:
            self._push([piece])
        return bool(self._ready)
