"""From a request to bytes in the spool: one reply, or as many as a segment takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from voicestream.counters import SegmentFigures
from voicestream.errors import CutShortError, IncompleteReplyError, TooLongError
from voicestream.metrics import Metrics
from voicestream.notices import Notify
from voicestream.records import replace
from voicestream.session.job import Job
from voicestream.session.lengths import Lengths
from voicestream.session.reading import Reading
from voicestream.speech.base import (
    Endpoint,
    SpeechRequest,
    SpeechStream,
    is_cached,
    notes_of,
    recorded_by,
    said_by,
    words_of,
)
from voicestream.state import Status

_AT_ONCE_S = 0.005
_BACKLOG_S = 0.05


class Receiver:
    """Asks for segments and puts the replies into their spools. Used by all fetch threads.

    Args:
        announce: called when something happened to a segment.
        warn: called with a sentence a person should know.
        reworded: called with a sentence where other words were said than were asked for.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        metrics: Metrics,
        announce: Callable[[str, SegmentFigures], None],
        warn: Notify,
        reworded: Notify,
    ) -> None:
        self._endpoint = endpoint
        self._timeline = metrics.timeline
        self._requests = metrics.requests
        self._announce = announce
        self._warn = warn
        self._reworded = reworded
        self._lengths = Lengths()
        self.answered = False
        """A byte of any reply has come from an endpoint."""

    def receive(self, job: Job) -> None:
        """Ask until the segment is in its spool: at once, or part by part where the endpoint takes
        only shorter texts.

        Raises:
            EndpointError: it does not come, or not whole.
        """
        job.settle(False)  # an attempt before broke off
        waiting = self._lengths.parts(job.request.text)
        first = True
        while waiting:
            text = waiting.pop(0)
            job.in_parts = job.in_parts or bool(waiting)
            try:
                self._receive_text(job, replace(job.request, text=text), continues=not first)
            except TooLongError as error:
                self._lengths.learn(text, error)
                waiting[:0] = self._lengths.parts(text)
            else:
                first = False

    def _receive_text(self, job: Job, wanted: SpeechRequest, *, continues: bool) -> None:
        """Ask until one text is in the spool, as it is written."""
        reading = Reading(
            wanted,
            getattr(self._endpoint, "has_others", False),
            partial(_taken_back, job),
            self._warn,
        )
        request: SpeechRequest | None = wanted
        while request is not None:
            goes_on = continues or request.text != wanted.text
            request = self._receive_one(job, request, reading, goes_on)
        if reading.differences:
            job.figures.reworded += tuple((it.wanted, it.said) for it in reading.differences)
            self._reworded(reading.told())

    def _receive_one(
        self, job: Job, request: SpeechRequest, reading: Reading, continues: bool
    ) -> SpeechRequest | None:
        """Put one reply into the spool; return what to ask for next."""
        figures = job.figures
        figures.request_at_s = figures.request_at_s if continues else time.monotonic()
        self._timeline.mark("reader_ready")
        stream = self._endpoint.open(request)
        try:
            self._begin_reply(job, stream, continues=continues)
            for piece in stream:
                for note in notes_of(stream):
                    self._warn(note)
                self._requests.packets = getattr(stream, "packets", self._requests.packets)
                if (instead := reading.instead(request, said_by(stream))) is not None:
                    return instead
                if piece and not self._put(job, piece):
                    return None
        except CutShortError:
            if (rest := reading.after(request, said_by(stream))) is not None:
                return rest
            raise
        finally:
            stream.close()
        job.streams.append(stream)
        return reading.after(request, said_by(stream))

    def _begin_reply(self, job: Job, stream: SpeechStream, *, continues: bool) -> None:
        figures = job.figures
        if continues and stream.content_type != job.content_type:
            raise IncompleteReplyError("the rest of the reply comes in another format")
        figures.cached = is_cached(stream) and (figures.cached or not continues)
        if not continues:
            figures.request_at_s = stream.sent_at_s or figures.request_at_s
            job.content_type = stream.content_type
            job.rate_hz, job.channels = stream.rate_hz, stream.channels
            job.words = words_of(stream)
        if recorded := recorded_by(stream):
            job.recorded, job.give_up = True, getattr(stream, "give_up", job.give_up)
            job.request = replace(job.request, format=recorded)
            figures.format = self._requests.format = recorded
        job.opened_at_s = time.monotonic()
        self._timeline.mark("request_sent", stream.sent_at_s or figures.request_at_s)

    def _put(self, job: Job, piece: bytes) -> bool:
        """Put ``piece`` into the spool; return False if nobody wants it any more."""
        figures = job.figures
        if figures.first_byte_at_s is None:
            figures.first_byte_at_s = time.monotonic()
            job.read_late = figures.first_byte_at_s - job.opened_at_s < _AT_ONCE_S
            self._timeline.mark("first_byte", figures.first_byte_at_s)
            figures.status = Status.ARRIVING
            self._announce("first_byte", figures)
        figures.bytes += len(piece)
        self.answered = self.answered or not figures.cached
        _see_backlog(figures)
        return job.spool.put(piece)


def _taken_back(job: Job) -> bool:
    """Forget what has come of a segment; return whether that could be done, as none of it was
    played."""
    figures = job.figures
    if figures.audio_s or job.in_parts or not job.spool.take_back():
        return False
    figures.bytes = figures.backlog_bytes = 0
    return True


def _see_backlog(figures: SegmentFigures) -> None:
    """Note how much of the first reply had been waiting. It is asked for before anybody can read
    it: what came meanwhile is read at once, which is no sign of a fast network."""
    now_s = time.monotonic()
    first_s = figures.first_byte_at_s or now_s
    if figures.index == 0 and now_s - first_s < _BACKLOG_S:
        figures.backlog_bytes = figures.bytes
        figures.backlog_read_at_s = now_s
