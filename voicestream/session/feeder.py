"""The feeder: the head segment's bytes to samples, joined to those before."""

from __future__ import annotations

from collections.abc import Callable

from voicestream.counters import Cue, SegmentFigures
from voicestream.dsp.convert import Converter
from voicestream.dsp.join import Joiner, JoinSettings
from voicestream.dsp.stretch import Stretcher
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
from voicestream.pcm import PcmFormat, Samples, silence
from voicestream.records import replace
from voicestream.session.fetchers import Fetchers
from voicestream.session.job import Job
from voicestream.session.loudness import Loudness
from voicestream.session.pacing import Pacing
from voicestream.session.playback import Playback
from voicestream.session.reply import MOST_FRUITLESS, Reply
from voicestream.session.speech_request import lighter_may_follow
from voicestream.settings.table import Settings
from voicestream.state import Status
from voicestream.text.segment import Boundary
from voicestream.text.segment_queue import SPEECH_CHARS_PER_S

_HOPELESS = 3
"""So many segments that fail one after the other end the reply."""

Announce = Callable[[str, SegmentFigures | None, str], None]


class Feeder:
    """Runs in one thread of its own and owns decoders, converters and the joiner."""

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
        self._settings = settings
        self._loudness = loudness
        self._download_first = not settings.streaming
        self._resumes = min(settings.retries, MOST_FRUITLESS)
        self._announce = announce
        self._pauses_s = {
            Boundary.CLAUSE: settings.pause_clause_ms / 1000,
            Boundary.SENTENCE: settings.pause_sentence_ms / 1000,
            Boundary.PARAGRAPH: settings.pause_paragraph_ms / 1000,
        }
        self._join = JoinSettings(
            trim=settings.trim,
            normalize=settings.normalize,
            # a text with tags may ask for any pause: no quiet is played before that is known
            least_pause_ms=0.0 if settings.tags else 1000 * min(self._pauses_s.values()),
        )
        self._joiner: Joiner | None = None
        self._stretcher: Stretcher | None = None
        self._converter: Converter | None = None
        self._end: Boundary | None = None  # of the last segment that was heard
        self._failed_in_a_row = 0
        self._at_s = 0.0  # the arrival of what is decoded now
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
        job, cues = self._job, self._metrics.feeder.cues  # the job first: it may end meanwhile
        if len(cues) > begun:  # the next one has just begun
            self._playback.controls.seek_frame = cues[begun].start_frame
            return
        if job is not None and job.figures.status is Status.PLAYING:
            self._unwanted = job
            job.spool.cancel()
        self._playback.skip_written()

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
        if self._joiner is not None:
            self._write(self._joiner.flush())
            self._write_held()
            if self._playback.pcm is not None:
                self._write(silence(self._fetchers.trailing_ms / 1000, self._playback.pcm))
                self._write_held()
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
                self._at_s = job.spool.at_s
                if self._cancelled or self._skipping:
                    return
                self._take(job, reply.format, samples)
                self._pacing.skip(job.spool.held_s)
        except DecodeError as error:
            raise _named(job, error) from error
        finally:
            self._metrics.feeder.decode_s += reply.decode_s
            if not self._cancelled:
                self._end_segment(job)  # what came before it broke off is heard all the same
        self._sound = not (reply.skipped or reply.resumed)
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

    def _take(self, job: Job, pcm: PcmFormat | None, samples: Samples) -> None:
        if not len(samples) or pcm is None:
            return
        self._metrics.timeline.mark("first_sample")
        if not job.figures.audio_s:
            self._begin_segment(job, pcm)
        seconds = pcm.frames_to_s(len(samples))
        job.figures.audio_s += seconds
        self._metrics.feeder.decoded_s += seconds
        self._join_on(job, samples)

    def _begin_segment(self, job: Job, source: PcmFormat) -> None:
        pcm = self._playback.pcm or self._playback.open(source, job.segment.spoken)
        if self._joiner is None or self._stretcher is None:
            self._joiner = Joiner(pcm, self._join)
            self._stretcher = Stretcher(pcm, self._settings.tempo)
        self._converter = Converter(source, pcm)
        pause_s = None if self._end is None else self._pauses_s[self._end]
        if self._playback.starved:
            pause_s = 0.0  # the pause has been heard already, and longer than asked for
        told_s = (job.segment.pause_ms or 0) / 1000
        if job.segment.pause_ms is not None and self._end is not None and self._join.trim:
            pause_s, told_s = told_s, 0.0
        self._pacing.begin(job.figures.request_at_s, job.read_late)
        if lighter_may_follow(self._settings, job.request.format):
            figures = job.figures
            asked_s, came_s = figures.request_at_s or 0.0, figures.first_byte_at_s or 0.0
            expected_s = len(job.segment.text) / SPEECH_CHARS_PER_S / self._settings.tempo
            self._pacing.hand_over(expected_s, came_s - asked_s)
        self._write(self._joiner.begin(pause_s), job)
        self._write(silence(told_s, pcm), job)  # before the first, or between untrimmed ones
        begins_at = self._playback.written_frames + self._stretcher.waiting_frames
        segment = job.segment
        cue = Cue(
            begins_at,
            segment.text,
            segment=segment.index,
            goes_on=segment.end is Boundary.CLAUSE,
            recorded=job.recorded,
        )
        self._metrics.feeder.cues.append(cue)
        job.figures.status = Status.PLAYING

    def _join_on(self, job: Job, samples: Samples) -> None:
        if self._joiner is not None and self._converter is not None:
            self._write(self._joiner.feed(self._converter.feed(samples)), job)

    def _end_segment(self, job: Job) -> None:
        if self._joiner is None or self._converter is None or not job.figures.audio_s:
            return
        self._write(self._joiner.feed(self._converter.flush()))
        self._write(self._joiner.end())
        self._write_held()
        cues = self._metrics.feeder.cues
        cues[-1] = replace(cues[-1], end_frame=self._playback.written_frames)
        self._pacing.join()
        self._playback.replan()
        self._converter = None
        self._end = job.segment.end

    def _write(self, samples: Samples, job: Job | None = None) -> None:
        """Play joined sound at the tempo asked for, or slower where more would be late.

        That is after the joiner, so that pauses shorten as speech does.

        Args:
            samples: shape ``(frames, channels)``; they came with the latest arrival.
            job: there may be more of it.
        """
        pcm, stretcher = self._playback.pcm, self._stretcher
        if pcm is None or stretcher is None or not len(samples):
            return
        samples = self._loudness.feed(samples, pcm)
        sound_s = pcm.frames_to_s(len(samples)) / self._settings.tempo
        share = self._pacing.share(self._at_s, sound_s, self._playback.ring_s)
        stretcher.tempo = self._settings.tempo * share
        more = job is not None and (job.spool.size_bytes > 0 or self._download_first)
        self._play(pcm, stretcher.feed(samples), share, more)

    def _write_held(self) -> None:
        """Play what the stretcher holds: nothing of a segment waits for the next one."""
        pcm, stretcher = self._playback.pcm, self._stretcher
        if pcm is not None and stretcher is not None:
            self._play(pcm, stretcher.flush(), stretcher.tempo / self._settings.tempo)

    def _play(self, pcm: PcmFormat, samples: Samples, share: float, more: bool = False) -> None:
        if not len(samples):
            return
        if share < 1.0:
            self._metrics.feeder.stretched_s += pcm.frames_to_s(len(samples))
        self._pacing.arrived(samples, self._at_s)
        self._playback.write(samples, more)


def _named(job: Job, error: EndpointError) -> EndpointError:
    """Return an error of decoding with the name of what was played, where that is no reply."""
    if not job.recorded:
        return error
    what = error.what.replace("The reply", "it").replace("the reply", "it")
    told = f"{what}: {error.why}" if error.why else what
    return SourceError(f"{job.segment.spoken} cannot be played", told)
