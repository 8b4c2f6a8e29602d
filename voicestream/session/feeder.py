"""The feeder: the segments in order, each one's bytes to samples, and what fails of them."""

from __future__ import annotations

from collections.abc import Callable

from voicestream.counters import SegmentFigures
from voicestream.errors import (
    ConnectionFailedError,
    DecodeError,
    DeviceError,
    EndpointError,
    EndpointTimeoutError,
    KeyRefusedError,
    ReplyError,
    SourceError,
    UnspokenError,
    VoicestreamError,
)
from voicestream.metrics import Metrics
from voicestream.session.fetchers import Fetchers
from voicestream.session.job import Job
from voicestream.session.joined import JoinedSound
from voicestream.session.loudness import Loudness
from voicestream.session.pacing import Pacing
from voicestream.session.playback import Playback
from voicestream.session.reply import MOST_FRUITLESS, Reply
from voicestream.settings.table import Settings
from voicestream.state import Status

_HOPELESS = 3
"""This many segments that fail one after the other end the reply."""

Announce = Callable[[str, SegmentFigures | None, str], None]


class Feeder:
    """Runs in one thread of its own and owns the decoders and the joined sound."""

    def __init__(
        self,
        fetchers: Fetchers,
        playback: Playback,
        pacing: Pacing,
        metrics: Metrics,
        settings: Settings,
        loudness: Loudness,
        announce: Announce,
    ) -> None:
        self._fetchers = fetchers
        self._playback = playback
        self._pacing = pacing
        self._metrics = metrics
        self._download_first = not settings.streaming
        self._resumes = min(settings.retries, MOST_FRUITLESS)
        self._announce = announce
        self._joined = JoinedSound(playback, pacing, metrics, settings, loudness)
        self._failed_in_a_row = 0
        self._job: Job | None = None
        self._sound = False  # the latest segment came in one rendering, nothing of it broken
        # any thread
        self._unwanted: Job | None = None  # nothing more of it is to be heard
        self._cancelled = False
        self.errors: list[VoicestreamError] = []

    def cancel(self) -> None:
        """Stop reading and decoding. Any thread or signal handler may call it."""
        self._cancelled = True

    def skip(self, begun: int) -> None:
        """Any thread: nothing more is wanted of the last of so many segments."""
        job, cues = self._job, self._metrics.feeder.cues
        if begun and job is not None and job.segment.index == cues[begun - 1].segment:
            self._unwanted = job
            job.spool.cancel()
        written_frames = self._playback.written_frames  # before it is seen whether the next begins
        begins = len(cues) > begun
        self._playback.controls.seek_frame = cues[begun].start_frame if begins else written_frames

    @property
    def _skipping(self) -> bool:
        return self._job is not None and self._unwanted is self._job

    def run(self) -> None:
        """Play all segments in order, to the last sample.

        Raises:
            VoicestreamError: what makes it useless to go on. What was ready by then
                has been heard.
        """
        try:
            self._run_all()
        except DeviceError:
            raise
        except VoicestreamError:
            self._give_up()
            self._play_out()
            raise
        self._play_out()

    def _give_up(self) -> None:
        """Take all segments that are left, so that each is named as one that will not be heard."""
        self._fetchers.give_up()
        self._fetchers.job_done()  # of the one that failed
        try:
            while job := self._next_job():
                self._fetchers.job_done()
                self._fetchers.forget(job)
        except VoicestreamError as error:  # the text could not be read on
            self.errors.append(error)
        self._fetchers.fail_unheard()

    def _play_out(self) -> None:
        self._joined.finish(self._fetchers.trailing_ms)
        self._playback.drain()

    def _run_all(self) -> None:
        waiting: list[Job] = []
        while job := self._next_job():
            if self._download_first:
                job.spool.wait_ended()
                self._fetchers.job_done()
                waiting.append(job)
            else:
                self._run_job(job)
                self._fetchers.job_done()
        for job in waiting:
            self._run_job(job)

    def _next_job(self) -> Job | None:
        if self._cancelled:
            return None
        # a text that is known makes nobody pause: the request is held back for want of network
        self._playback.idle(not self._fetchers.text_length()[1])
        try:
            return self._fetchers.next_job()
        finally:
            self._playback.idle(False)

    def _run_job(self, job: Job) -> None:
        """Play one segment. Its failure is noted, and does not keep the others from being heard."""
        self._job = job
        try:
            self._decode(job)
        except EndpointError as error:
            if self._cancelled:
                return
            if self._skipping:
                job.figures.status = Status.CANCELLED
                return
            job.figures.status = Status.FAILED
            self._announce("segment_failed", job.figures, str(error))
            if isinstance(error, UnspokenError):  # which says nothing of the next
                self._metrics.notices.left_out(error.words)
                self.errors.append(error)
                return
            self._failed_in_a_row += 1
            hopeless = self._failed_in_a_row >= _HOPELESS or self._all_will_fail(error)
            if hopeless and not self._download_first and not job.recorded:
                raise
            self.errors.append(error)
        else:
            self._failed_in_a_row = 0
            left_out = self._cancelled or self._skipping
            job.settle(not left_out and self._sound)
            job.figures.status = Status.CANCELLED if left_out else Status.DONE
            self._announce("segment_done", job.figures, "")
        finally:
            if self._skipping:
                self._playback.skip_written()  # what the joiner still held, too
            job.settle(False)
            self._job = None
            self._fetchers.forget(job)

    def _all_will_fail(self, error: EndpointError) -> bool:
        """Return whether the others would fail the same way: refused or waited for in vain before
        any segment was answered."""
        hopeless = isinstance(error, KeyRefusedError | ConnectionFailedError | EndpointTimeoutError)
        return hopeless and not self._fetchers.answered

    def _decode(self, job: Job) -> None:
        reply = Reply(job, self._again, self._resumes, self._metrics.notices.notify)
        try:
            for samples in reply:
                if self._cancelled or self._skipping:
                    return
                if reply.format is not None:
                    self._joined.feed(job, reply.format, samples)
                self._pacing.skip(job.spool.held_s)
        except DecodeError as error:
            raise _named(job, error) from error
        finally:
            self._metrics.feeder.decode_s += reply.decode_s
            if not self._cancelled:
                self._joined.end(job)  # what came before it broke off is heard all the same
        self._sound = not (reply.skipped or reply.resumed or reply.lacking)
        if not (self._cancelled or self._skipping):  # what is left breaks off anywhere
            self._tell_of(job, reply)
        if not (job.figures.audio_s or self._cancelled):
            came = f"{job.figures.bytes} bytes came"
            raise _named(job, ReplyError("the reply holds no sound", came))

    def _again(self, job: Job) -> None:
        self._fetchers.again(job)
        if self._skipping:
            job.spool.cancel()

    def _tell_of(self, job: Job, reply: Reply) -> None:
        notify = self._metrics.notices.notify
        what = job.segment.spoken if job.recorded else "the reply"
        if reply.skipped:
            notify(f"{reply.skipped} broken pieces of {what} were left out")
        for note in reply.notes:
            notify(note)


def _named(job: Job, error: EndpointError) -> EndpointError:
    """Return an error of decoding with the name of what was played, where that is no reply."""
    if not job.recorded:
        return error
    what = error.what.replace("The reply", "it").replace("the reply", "it")
    told = f"{what}: {error.why}" if error.why else what
    return SourceError(f"{job.segment.spoken} cannot be played", told)
