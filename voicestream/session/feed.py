"""The feeder: the head segment's bytes to samples, joined, into the ring and the saved file."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from functools import partial

from voicestream.decode.base import Decoder
from voicestream.decode.registry import open_decoder
from voicestream.errors import (
    DeviceError,
    EndpointError,
    ReplyError,
    SaveError,
    VoicestreamError,
)
from voicestream.metrics import Metrics, SegmentFigures
from voicestream.output.base import Sink
from voicestream.output.save import Saver
from voicestream.pcm import Frames16, PcmFormat, Samples, to_int16
from voicestream.playout.convert import Converter
from voicestream.playout.player import Player
from voicestream.playout.ring import Ring
from voicestream.session.fetch import Fetchers, Job

_DEVICE_SILENT_S = 0.25
"""How often a wait looks whether the device is still alive."""


class Feeder:
    """Runs in one thread of its own and owns decoder, converter, sink and saver.

    Args:
        sink: None when there is nothing to play on, only to save.
        prebuffer_s: sound gathered before playback starts, and again after an underrun.
        download_first: start only when every segment is here.
    """

    def __init__(
        self,
        fetchers: Fetchers,
        metrics: Metrics,
        sink: Sink | None,
        saver: Saver | None,
        prebuffer_s: float,
        capacity_s: float,
        download_first: bool,
        announce: Callable[[str, SegmentFigures | None, str], None],
    ) -> None:
        self._fetchers = fetchers
        self._metrics = metrics
        self._sink = sink
        self._saver = saver
        self._prebuffer_s = prebuffer_s
        self._capacity_s = capacity_s
        self._download_first = download_first
        self._announce = announce
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._pcm: PcmFormat | None = None
        self._ring: Ring | None = None
        self._converter: Converter | None = None
        self._playing = False
        self.errors: list[VoicestreamError] = []
        # conductor
        self._cancelled = False
        # feeder, read by the conductor
        self.player: Player | None = None

    def cancel(self) -> None:
        """Any thread: fade out and end. Safe in a signal handler."""
        self._cancelled = True
        if self.player:
            self.player.cancelled = True
        self._wakes.put(None)

    def run(self) -> None:
        """Play all jobs in order, drain, and stop the sink."""
        try:
            self._run_jobs()
            self._finish()
        except VoicestreamError as error:
            self.errors.append(error)
        finally:
            self._stop()

    def _run_jobs(self) -> None:
        jobs: list[Job] = []
        while not self._cancelled and (job := self._fetchers.next_job()):
            if self._download_first:
                job.spool.wait_ended()
                self._fetchers.job_done()
                jobs.append(job)
            else:
                self._run_job(job)
                self._fetchers.job_done()
        for job in jobs:
            self._run_job(job)

    def _run_job(self, job: Job) -> None:
        """One segment. Its failure is noted and does not keep the others from being heard."""
        try:
            self._decode(job)
        except EndpointError as error:
            if self._cancelled:
                return
            self.errors.append(error)
            job.figures.status = "failed"
            self._announce("segment_failed", job.figures, str(error))
        else:
            job.figures.status = "cancelled" if self._cancelled else "done"
            self._announce("segment_done", job.figures, "")

    def _decode(self, job: Job) -> None:
        decoder: Decoder | None = None
        try:
            for piece in job.spool:
                if decoder is None:
                    decoder = open_decoder(
                        job.content_type, job.request.format, job.rate_hz, job.channels
                    )
                self._take(job, decoder, partial(decoder.feed, piece))
                if self._cancelled:
                    return
        finally:
            # what came before an error is heard all the same
            if decoder is not None and not self._cancelled:
                self._take(job, decoder, decoder.flush)
        if decoder and decoder.skipped:
            self._warn(f"{decoder.skipped} broken pieces of the reply were left out")
        if not job.figures.audio_s and not self._cancelled:
            raise ReplyError("the reply holds no sound", f"{job.figures.bytes} bytes came")

    def _take(self, job: Job, decoder: Decoder, step: Callable[[], Samples]) -> None:
        started = time.perf_counter()
        samples = step()
        self._metrics.decode_s += time.perf_counter() - started
        if not len(samples) or decoder.format is None:
            return
        self._metrics.timeline.mark("first_sample")
        self._metrics.speaking = job.segment.text
        job.figures.status = "playing"
        seconds = decoder.format.frames_to_s(len(samples))
        job.figures.audio_s += seconds
        self._metrics.audio_s += seconds
        self._push(samples, decoder.format)

    def _push(self, samples: Samples, source: PcmFormat) -> None:
        if self._pcm is None:
            self._pcm = self._open(source)
        if self._converter is None or self._converter.source != source:
            if self._converter is not None:
                self._write(self._converter.flush())
            self._converter = Converter(source, self._pcm)
        self._write(self._converter.convert(samples))

    def _open(self, source: PcmFormat) -> PcmFormat:
        """The first samples tell what to play: open the sink, or do without one."""
        wanted = PcmFormat(source.rate_hz, source.channels)
        if self._sink is not None:
            try:
                wanted = self._sink.open(wanted)
            except DeviceError as error:
                if self._saver is None:
                    self._fetchers.cancel()
                    raise
                self._sink = None
                self._warn(f"not played, only saved: {error}")
        if self._saver is not None:
            self._saver.open(wanted)
        if self._sink is not None:
            self._make_player(self._sink, wanted)
        return wanted

    def _make_player(self, sink: Sink, pcm: PcmFormat) -> None:
        metrics = self._metrics
        metrics.rate_hz = pcm.rate_hz
        ring = Ring(pcm.s_to_frames(self._capacity_s), pcm.channels)
        player = Player(
            ring,
            pcm,
            metrics.machine,
            metrics.timeline,
            metrics.play,
            lambda: self._wakes.put(None),
        )
        player.resume_frames = min(pcm.s_to_frames(self._prebuffer_s), ring.capacity_frames)
        player.lead_in_frames = pcm.s_to_frames(sink.lead_in_s)
        player.latency_frames = pcm.s_to_frames(sink.latency_s)
        player.cancelled = self._cancelled
        self._ring, self.player = ring, player

    def _write(self, samples: Samples) -> None:
        if not len(samples):
            return
        frames = to_int16(samples)
        if self._saver is not None:
            self._save(self._saver, frames)
        if self._ring is None or self.player is None:
            return
        done = 0
        while not self._cancelled:
            done += self._ring.write(frames[done:])
            self._start_when_ready()
            if done == len(frames):
                return
            self._wait_for_room(self._ring, self.player)

    def _save(self, saver: Saver, frames: Frames16) -> None:
        try:
            saver.write(frames)
        except SaveError as error:
            self._saver = None
            self.errors.append(error)
            self._warn(str(error))

    def _start_when_ready(self) -> None:
        if self._playing or not self.player or not self._sink or not self.player.ready:
            return
        self._playing = True
        self._announce("playing", None, "")
        self._sink.start(self.player.fill)

    def _wait_for_room(self, ring: Ring, player: Player) -> None:
        player.wants_room = True
        while not ring.writable_frames and not self._cancelled:
            self._wait()
        player.wants_room = False

    def _wait(self) -> None:
        """Until the callback or a cancel says something; a device that died is an error."""
        try:
            self._wakes.get(timeout=_DEVICE_SILENT_S)
        except queue.Empty:
            if self._playing and self._sink and not self._sink.active:
                raise DeviceError(
                    "the audio device stopped",
                    hint="Was it unplugged, or its server restarted? Try again.",
                ) from None

    def _finish(self) -> None:
        """Everything is decoded: the converter's rest, then play to the last sample."""
        if self._converter is not None:
            self._write(self._converter.flush())
        player = self.player
        if player is None or self._cancelled:
            return
        player.ended = True
        self._start_when_ready()
        while not player.drained and not self._cancelled:
            self._wait()

    def _stop(self) -> None:
        if self._sink is None:
            return
        if self._cancelled and self._playing and self.player:
            deadline = time.monotonic() + 0.2
            while not self.player.silenced and time.monotonic() < deadline and self._sink.active:
                try:
                    self._wakes.get(timeout=0.02)
                except queue.Empty:
                    continue
            # the fade waits in the device behind what was there before
            time.sleep(self._sink.latency_s)
        self._sink.stop(drain=False)

    def _warn(self, text: str) -> None:
        self._metrics.warnings.append(text)
        self._announce("warning", None, text)
