"""The text of one reply on its way to the fetchers: known, or still being written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from math import inf
from typing import BinaryIO

from voicestream.errors import EmptyTextError, UsageError, VoicestreamError
from voicestream.records import replace
from voicestream.settings.table import Settings
from voicestream.text.boundary import AUTO
from voicestream.text.pieces import Segment, SegmentLimits
from voicestream.text.pipeline import TextPipeline
from voicestream.text.segment_queue import SegmentQueue
from voicestream.text.source import read_pieces
from voicestream.waiting import Interrupt

_HEAD_CHARS = 16_384
"""How much of a known text is planned at once: more than enough for the first request."""


class Script:
    """Reads text and cuts it into the segments that are asked for.

    Args:
        text: what is known of it.
        rest: what comes later, read by a thread of its own once ``start`` is called.
        interrupt: ends a read that waits.
        by_sentence: no two sentences share a request, however short they are.

    Raises:
        EmptyTextError: the text is known and holds nothing to speak.
    """

    endpoint: None = None
    """It is the one in the settings that speaks it."""

    def __init__(
        self,
        settings: Settings,
        text: str = "",
        rest: Iterable[str] | None = None,
        interrupt: Interrupt | None = None,
        by_sentence: bool = False,
    ) -> None:
        limits = _limits(settings)
        if by_sentence:
            limits = replace(limits, min_chars=1, batch_chars=1)
        self._queue = SegmentQueue(
            limits, _pipeline(settings), tell_language=_tell_language(settings)
        )
        self._interrupt = interrupt
        self._failure: BaseException | None = None
        self._taken = 0
        head, tail = text[:_HEAD_CHARS], text[_HEAD_CHARS:]
        self._queue.feed(head)
        self._known = rest is None
        self._rest: Iterable[str] | None = None
        if tail or rest is not None:
            self._rest = [tail] if rest is None else rest
        else:
            self._queue.close()
        self._first = self._queue.poll(0.0) if text else None
        self._late = self._first is None
        if self._first is None and self._rest is None:
            raise _nothing_to_say()

    @classmethod
    def piped(
        cls,
        settings: Settings,
        streams: Sequence[BinaryIO],
        on_doubt: Callable[[str], None] | None = None,
        by_sentence: bool = False,
    ) -> Script:
        """Yield a script of what comes in on one stream after the other, as it comes."""
        interrupt = Interrupt()

        def pieces() -> Iterator[str]:
            for number, stream in enumerate(streams):
                if number:
                    yield "\n\n"
                yield from read_pieces(stream, interrupt=interrupt, on_doubt=on_doubt)

        return cls(settings, rest=pieces(), interrupt=interrupt, by_sentence=by_sentence)

    @property
    def late(self) -> bool:
        """Whether nothing of the text was known at the start."""
        return self._late

    @property
    def trailing_ms(self) -> int:
        """Return the silence after the last segment."""
        return self._queue.trailing_ms

    @property
    def first(self) -> Segment | None:
        """Return the first segment, if it is known already."""
        return self._first

    def start(self) -> None:
        """Begin to read what is still to come."""
        if self._rest is not None:
            threading.Thread(
                target=self._read, args=(self._rest,), name="text", daemon=True
            ).start()

    def _read(self, rest: Iterable[str]) -> None:
        try:
            for text in rest:
                if not isinstance(text, str):
                    raise TypeError(f"a piece of it is of type {type(text).__name__}, not str")
                self._queue.feed(text)
                if self._queue.cancelled:
                    break
            if isinstance(rest, Generator):
                rest.close()  # left in the middle, it cleans up now
        except BaseException as error:  # noqa: BLE001  a thread's entry: raised again in take()
            self._failure = error
        finally:
            self._queue.close()

    def take(self, waiting_s: Callable[[], float]) -> Segment | None:
        """Wait for the next segment and return it; None after the last.

        Args:
            waiting_s: how much sound waits to be played.

        Raises:
            EmptyTextError: there was nothing to speak in all of it.
            UsageError: the text could not be read to its end.
        """
        segment, self._first = self._first, None
        if segment is None:
            segment = self._queue.take(waiting_s)
        if segment is not None:
            self._taken += 1
        elif isinstance(self._failure, VoicestreamError):
            raise self._failure
        elif self._failure is not None:
            told = isinstance(self._failure, Exception) and str(self._failure)
            reason = told or repr(self._failure)
            raise UsageError("the text could not be read to its end", reason) from self._failure
        elif not self._taken and not self._queue.cancelled:
            raise _nothing_to_say()
        return segment

    def stop(self) -> None:
        """Wait no more for what a writer has not written yet; what is here still comes. Any
        thread."""
        if self._interrupt is not None:
            self._interrupt.set()
        elif not self._known:
            self._queue.close()

    def length(self) -> tuple[int, bool]:
        """Return the characters known so far, taken or not, and whether no more will come."""
        return self._queue.length()

    def waiting_text(self) -> str:
        """Return what is known and has not been taken yet. Any thread."""
        first = self._first.text if self._first else ""
        return first + self._queue.waiting_text()

    def cancel(self) -> None:
        """Read no more, and let whoever waits here return. Any thread."""
        if self._interrupt is not None:
            self._interrupt.set()
        self._queue.cancel()


def _nothing_to_say() -> EmptyTextError:
    return EmptyTextError(
        "there is nothing to say", hint='Try: voicestream say "Hello", or pipe text in.'
    )


def _limits(settings: Settings) -> SegmentLimits:
    # what is kept is found again where the same text is cut in the same way: then how fast an
    # endpoint is decides on nothing
    by_text = settings.cache == "on" and not settings.is_set("batch_above_s")
    return SegmentLimits(
        first_chars=settings.first_chars,
        first_max_chars=min(SegmentLimits().first_max_chars, settings.max_chars),
        max_chars=settings.max_chars,
        batch_above_s=inf if by_text else settings.batch_above_s,
        batch_chars=settings.batch_chars,
        low_s=settings.low_s,
        pause_s=settings.writer_pause_s,
    )


def _tell_language(settings: Settings) -> Callable[[str], str] | None:
    """Return what tells the language of each sentence, where voices differ by it."""
    if settings.language != AUTO or not settings.by_language:
        return None
    from voicestream.languages import Tongue

    return Tongue().next


def _pipeline(settings: Settings) -> TextPipeline:
    return TextPipeline(
        plain=settings.plain,
        code=settings.code,
        language=settings.language,
        voices=settings.voice_list,
        tags=settings.tags,
    )
