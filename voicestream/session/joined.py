"""All segments as one stream of sound: converted, joined, made even, at the tempo."""

from __future__ import annotations

from voicestream.counters import Cue
from voicestream.dsp.convert import Converter
from voicestream.dsp.join import Joiner, JoinSettings
from voicestream.dsp.stretch import Stretcher
from voicestream.metrics import Metrics
from voicestream.pcm import PcmFormat, Samples, silence
from voicestream.records import replace
from voicestream.session.job import Job
from voicestream.session.loudness import Loudness
from voicestream.session.pacing import Pacing
from voicestream.session.playback import Playback
from voicestream.session.speech_request import lighter_may_follow
from voicestream.session.told_words import ToldWords
from voicestream.settings.table import Settings
from voicestream.state import Status
from voicestream.text.pieces import SPEECH_CHARS_PER_S, Boundary


class JoinedSound:
    """Writes the samples of one segment after the other to the playback. Used by the feeder."""

    def __init__(
        self,
        playback: Playback,
        pacing: Pacing,
        metrics: Metrics,
        settings: Settings,
        loudness: Loudness,
    ) -> None:
        self._playback = playback
        self._pacing = pacing
        self._metrics = metrics
        self._settings = settings
        self._loudness = loudness
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
        self._at_s = 0.0  # the arrival of what is written now
        self._told: ToldWords | None = None  # of the segment that is written

    def feed(self, job: Job, pcm: PcmFormat, samples: Samples) -> None:
        """Write the next samples of a segment.

        Args:
            samples: shape ``(frames, channels)``, in the format ``pcm``, which is the same for the
                whole segment; they came with the spool's latest arrival.

        Raises:
            DeviceError: there is no device, or it went away.
        """
        self._at_s = job.spool.at_s
        if not len(samples):
            return
        self._metrics.timeline.mark("first_sample")
        if not job.figures.audio_s:
            self._begin(job, pcm)
        seconds = pcm.frames_to_s(len(samples))
        job.figures.audio_s += seconds
        self._metrics.feeder.decoded_s += seconds
        if self._joiner is not None and self._converter is not None:
            self._write(self._joiner.feed(self._converter.feed(samples)), job)
            self._place_words()

    def _begin(self, job: Job, source: PcmFormat) -> None:
        pcm = self._playback.pcm or self._playback.open(source, job.segment.spoken)
        if self._joiner is None or self._stretcher is None:
            self._joiner = Joiner(pcm, self._join)
            self._stretcher = Stretcher(pcm, self._settings.tempo)
        self._converter = Converter(source, pcm)
        if job.recorded:
            self._loudness.begin(job.segment.spoken)
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
            said="" if job.request.text == segment.text.strip() else job.request.text,
        )
        self._metrics.feeder.cues.append(cue)
        told = job.words
        self._told = None if told is None else ToldWords(segment.text, told, begins_at)
        job.figures.status = Status.PLAYING

    def end(self, job: Job) -> None:
        """End a segment with the samples that came last."""
        if self._joiner is None or self._converter is None or not job.figures.audio_s:
            return
        self._write(self._joiner.feed(self._converter.flush()))
        self._write(self._joiner.end())
        self._write_held()
        self._place_words(last=True)
        cues = self._metrics.feeder.cues
        cues[-1] = replace(cues[-1], end_frame=self._playback.written_frames)
        self._pacing.join()
        self._playback.replan()
        self._converter = None
        self._end = job.segment.end

    def finish(self, trailing_ms: int) -> None:
        """Write what is still held, and so much silence after it: no segment follows."""
        if self._joiner is None:
            return
        self._write(self._joiner.flush())
        self._write_held()
        if self._playback.pcm is not None:
            self._write(silence(trailing_ms / 1000, self._playback.pcm))
            self._write_held()

    def _place_words(self, *, last: bool = False) -> None:
        """Take in where words end, as far as that has been told and written."""
        joiner, stretcher, pcm, told = self._joiner, self._stretcher, self._playback.pcm, self._told
        if joiner is None or stretcher is None or pcm is None or told is None:
            return
        written_frames = self._playback.written_frames + stretcher.waiting_frames
        if told.place(written_frames, pcm.rate_hz, joiner.cut_frames, last):
            cues = self._metrics.feeder.cues
            cues[-1] = replace(cues[-1], word_ends=tuple(told.ends))

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
        if self._told is not None:
            self._told.joined_frames += len(samples)
        samples = self._loudness.feed(samples, pcm)
        sound_s = pcm.frames_to_s(len(samples)) / self._settings.tempo
        share = self._pacing.share(self._at_s, sound_s, self._playback.ring_s)
        stretcher.tempo = self._settings.tempo * share
        more = job is not None and (job.spool.size_bytes > 0 or not self._settings.streaming)
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
