"""Requests in flight: segments are asked for in order, several at once, each into its spool."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from voicestream.counters import SegmentFigures
from voicestream.errors import EndpointError, VoicestreamError
from voicestream.metrics import Metrics
from voicestream.session.bounded import run_bounded
from voicestream.session.job import Job
from voicestream.session.receiver import Receiver
from voicestream.session.spool import LIMIT_BYTES, Spool
from voicestream.speech.base import Endpoint, SpeechRequest
from voicestream.state import Status
from voicestream.text.pieces import SPEECH_CHARS_PER_S, Segment

_ABORT_S = 1.0


class Segments(Protocol):
    """Gives the fetchers the segments of a text, in order."""

    @property
    def late(self) -> bool:
        """Whether nothing of the text was known at the start."""

    def start(self) -> None:
        """Begin to read what is still being written."""

    def take(self, waiting_s: Callable[[], float]) -> Segment | None:
        """Return the next segment as soon as it is due; None after the last.

        Args:
            waiting_s: how much sound waits to be played.
        """

    def stop(self) -> None:
        """Read no more of what is still being written; ``take`` gives what is here. Any thread."""

    def length(self) -> tuple[int, bool]:
        """Return the characters known so far, taken or not, and whether no more will come."""

    def cancel(self) -> None:
        """Let whoever waits in ``take`` return. Any thread."""


class Spoken(Segments, Protocol):
    """The segments of what a command says or plays, and who speaks them."""

    @property
    def first(self) -> Segment | None:
        """The first segment, if it is known and may be asked for before all else."""

    @property
    def endpoint(self) -> Endpoint | None:
        """Who speaks it; None: the one in the settings."""


class Fetchers:
    """Up to ``lookahead + 1`` threads that ask for segments.

    Args:
        request_for: what to ask for a segment, seeing the records of those before it.
        announce: called when something happened to a segment, from a fetch thread.
        warn: called with a sentence a person should know.
        reworded: called with a sentence where other words were said than were asked for.
        waiting_s: seconds of joined sound that are not played yet.
        tempo: seconds of speech as it arrives that are heard in a second.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        segments: Segments,
        request_for: Callable[[Segment, Sequence[SegmentFigures]], SpeechRequest],
        lookahead: int,
        metrics: Metrics,
        announce: Callable[[str, SegmentFigures], None],
        spool_bytes: int = LIMIT_BYTES,
        warn: Callable[[str], None] = lambda _: None,
        reworded: Callable[[str], None] = lambda _: None,
        waiting_s: Callable[[], float] = lambda: 0.0,
        tempo: float = 1.0,
    ) -> None:
        self._endpoint = endpoint
        self._segments = segments
        self._request_for = request_for
        self._lookahead = lookahead
        self._metrics = metrics
        self._announce = announce
        self._spool_bytes = spool_bytes
        self._warn = warn
        self._receiver = Receiver(endpoint, metrics, announce, warn, reworded)
        self._ring_s = waiting_s
        self._tempo = tempo
        self._asked = metrics.requests.segments  # under _taking; the records of all jobs
        self._jobs: queue.SimpleQueue[Job | VoicestreamError | None] = queue.SimpleQueue()
        self._taking = threading.Lock()
        self._room = threading.Semaphore(lookahead + 1)
        self._listing = threading.Lock()
        self._started: list[Job] = []
        self._cancelled = False
        self._given_up = False
        self._over = False  # feeder: the last job has been given
        self._ended = False

    def start(self) -> None:
        self._segments.start()
        for number in range(self._lookahead + 1):
            threading.Thread(target=self._work, name=f"fetch-{number}", daemon=True).start()

    @property
    def answered(self) -> bool:
        """Whether a byte of any reply has come."""
        return self._receiver.answered

    def next_job(self) -> Job | None:
        """Return the next job in order; None after the last. For the feeder.

        Raises:
            VoicestreamError: the text could not be read on.
        """
        if self._over:
            return None
        job = self._jobs.get()
        self._over = not isinstance(job, Job)
        if isinstance(job, VoicestreamError):
            raise job
        return job

    def text_length(self) -> tuple[int, bool]:
        """Return the characters that will be spoken, as far as is known, and whether no more will
        come."""
        return self._segments.length()

    @property
    def trailing_ms(self) -> int:
        """The silence after the last segment, where the text says so; known once that is over."""
        trailing_ms: int = getattr(self._segments, "trailing_ms", 0)
        return trailing_ms

    def job_done(self) -> None:
        """Free the place of a segment, so that another may be asked for. For the feeder."""
        self._room.release()

    def again(self, job: Job) -> None:
        """Ask once more for a segment whose reply broke off; its spool is a new one. For the
        feeder."""
        job.spool = Spool(self._spool_bytes)
        if self._cancelled:  # if it comes later, it finds the new spool itself
            job.spool.cancel()
            return
        threading.Thread(target=self._fetch, args=(job,), name="fetch-again", daemon=True).start()

    def give_up(self) -> None:
        """Ask for nothing more. The segments of the text known by now still come, failed, so that
        they can be named. For the feeder."""
        self._given_up = True
        self._segments.stop()
        self._abort()

    def fail_unheard(self) -> None:
        """Mark as failed whatever was asked for and will not be heard. For the feeder."""
        for figures in tuple(self._asked):
            if figures.status.unheard:
                figures.status = Status.FAILED

    def forget(self, job: Job) -> None:
        """End the request of a segment of which nothing more is wanted, and free its bytes. For the
        feeder."""
        job.spool.cancel()
        job.give_up()
        with self._listing:
            self._started.remove(job)

    def cancel(self) -> None:
        """End everything at once. Any thread may call it."""
        self._cancelled = True
        self._segments.cancel()
        with self._listing:
            started = list(self._started)
        for job in started:
            job.spool.cancel()
        self._jobs.put(None)
        for _ in range(self._lookahead + 1):
            self._room.release()
        self._abort()

    def _abort(self) -> None:
        if wrong := run_bounded(self._endpoint.abort, _ABORT_S):
            self._warn(f"the endpoint failed to end its requests: {wrong!r}")

    def _work(self) -> None:
        while job := self._take():
            self._fetch(job)

    def _take(self) -> Job | None:
        self._room.acquire()
        with self._taking:  # whoever holds it takes the next in order, even while waiting for text
            if self._cancelled or self._ended:
                self._room.release()  # the other workers end too
                return None
            ending: VoicestreamError | None = None
            try:
                job = self._next()
            except VoicestreamError as error:
                job, ending = None, error
            except BaseException as failure:  # noqa: BLE001  a thread's entry: to the feeder
                job, ending = (
                    None,
                    VoicestreamError.unforeseen("the text could not be cut", failure),
                )
            if job is None:
                self._end(ending)
                return None
            self._asked.append(job.figures)
            with self._listing:
                self._started.append(job)
            self._jobs.put(job)
        self._announce("segment_queued", job.figures)
        return job

    def _next(self) -> Job | None:
        """Return the next segment as a job, None after the last. Call it under the lock."""
        segment = self._segments.take(self._waiting_s)
        if segment is None:
            return None
        if self._segments.late:
            self._metrics.timeline.mark("first_text")
        figures = SegmentFigures(segment.index, segment.text)
        job = Job(
            segment, self._request_for(segment, self._asked), figures, Spool(self._spool_bytes)
        )
        figures.format = job.request.format
        return job

    def _end(self, ending: VoicestreamError | None) -> None:
        """End all workers: no segment comes any more. Call it under the lock."""
        self._ended = True
        self._jobs.put(ending)
        self._room.release()

    def _waiting_s(self) -> float:
        """Return the seconds of sound that is not played yet, or will be made by what is in
        flight."""
        waiting_s = self._ring_s()
        for figures in self._asked[-self._lookahead - 2 :]:
            if not figures.status.ended:
                expected_s = len(figures.text) / SPEECH_CHARS_PER_S
                waiting_s += max(expected_s - figures.audio_s, 0.0) / self._tempo
        return waiting_s

    def _fetch(self, job: Job) -> None:
        error: Exception | None = None
        if job.figures.status is Status.QUEUED:
            job.figures.status = Status.REQUESTED
        try:
            if self._given_up:
                raise EndpointError("given up")
            self._receiver.receive(job)
        except VoicestreamError as failure:
            error = failure
        except BaseException as failure:  # noqa: BLE001  a thread's entry: handed to the feeder
            error = EndpointError.unforeseen("the request failed in an unexpected way", failure)
        job.figures.ended_at_s = time.monotonic()
        if self._cancelled:
            job.figures.status = Status.CANCELLED
            job.spool.cancel()
        job.spool.end(error)
