"""The samples of one segment, over as many attempts as it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from voicestream.decode.base import Decoder
from voicestream.decode.registry import open_decoder
from voicestream.dsp.align import Outline
from voicestream.dsp.convert import Converter
from voicestream.dsp.seam import PAST_S, Seam
from voicestream.errors import DecodeError, EndpointError, IncompleteReplyError, ReplyError
from voicestream.pcm import PcmFormat, Samples, no_samples
from voicestream.session.job import Job

MOST_FRUITLESS = 2
"""A reply that broke off is asked for again at most so often while that brings nothing more."""
_MOST_RESUMES = 20
_PROGRESS_S = 0.25
"""New sound that makes another try worth its price."""
_TAKEN_FOR_WHOLE = "ended twice at the same place, not as a reply should; taken for whole"
_JOINED = "a reply broke off; it goes on in a second rendering"
_UNSURE = "a word may be missing or heard twice there"
_LEAST_S = 60.0
_S_PER_CHAR = 1.0
"""Sound that a character may take; speech takes a fifteenth of it."""


class Reply:
    """Makes the samples of one segment, over as many attempts as it takes. Owned by the feeder's
    thread.

    When the endpoint breaks off in the middle, the segment is asked for again, and
    what was handed on already is skipped in the new rendering. Meanwhile what waits
    in the ring is heard.

    Args:
        again: makes the request anew; its spool replaces that of the job.
        resumes: how often at most in a row without bringing more; 0: never.
        tell: called with a sentence a person should know.
    """

    def __init__(
        self,
        job: Job,
        again: Callable[[Job], None],
        resumes: int = MOST_FRUITLESS,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._job = job
        self._again = again
        self._resumes = resumes
        self._tell = tell
        self._ended_at_bytes = 0  # where the last attempt ended untidily
        self._fruitless = 0
        self._new_frames = 0  # handed on by this attempt
        self._position = 0  # in the rendering that is read
        self._past: Samples | None = None
        self._outline: Outline | None = None  # of all that was handed on
        self._tail: Samples | None = None  # what the decoder still held when it broke off
        longest_s = _LEAST_S + _S_PER_CHAR * len(job.request.text)
        self._longest_s = longest_s / min(job.request.speed, 1.0)
        self.format: PcmFormat | None = None
        """Of all samples; None until there are some."""
        self.decode_s = 0.0
        """Time spent on decoding."""
        self.skipped = 0
        """Broken pieces left out."""
        self.notes: list[str] = []
        """What the decoders have to say."""
        self.resumed = 0
        """How often it was asked for again."""
        self.lacking = False
        """By what the stream tells of itself, it holds more sound than came."""

    def __iter__(self) -> Iterator[Samples]:
        """Yield blocks of samples, shape ``(frames, channels)``, as they come; none is empty.

        Raises:
            EndpointError: it broke off for good; what came before has been handed on.
        """
        while True:
            try:
                yield from self._attempt()
                return
            except IncompleteReplyError as error:
                if not error.repeatable or self._job.recorded or not self._may_resume():
                    yield from self._leftover()
                    raise
            except EndpointError:
                yield from self._leftover()
                raise
            self.resumed += 1
            self._again(self._job)

    def _may_resume(self) -> bool:
        """Return whether to ask once more: as long as that brings more, and for a while without."""
        pcm = self.format
        if self.resumed and (pcm is None or pcm.frames_to_s(self._new_frames) < _PROGRESS_S):
            self._fruitless += 1
        else:
            self._fruitless = 0
        return self._fruitless < self._resumes and self.resumed < _MOST_RESUMES

    def _attempt(self) -> Iterator[Samples]:
        self._new_frames = 0
        seam = self._seam()
        sound = _Sound(self._job, self.format)
        try:
            for piece in self._job.spool:
                yield from self._hand_on(seam, sound.feed(piece), sound)
            last = sound.flush()
        except EndpointError as error:
            rest = sound.rest()
            if not (isinstance(error, IncompleteReplyError) and self._is_whole(error, sound)):
                if seam is None or seam.closed:
                    self._tail = rest
                    self.format = self.format or sound.format
                raise
            last = no_samples(sound.channels) if rest is None else rest
        finally:
            self._note(sound)
        yield from self._hand_on(seam, last, sound)
        if seam is not None and not seam.closed:
            rest = seam.flush()
            self._joined(seam)
            yield from self._hand_on(None, rest, sound)
        self._tail = None

    def _note(self, sound: _Sound) -> None:
        self.decode_s += sound.spent_s
        self.skipped += sound.skipped
        self.lacking = sound.complete is False
        if sound.note and sound.note not in self.notes:
            self.notes.append(sound.note)

    def _is_whole(self, error: IncompleteReplyError, sound: _Sound) -> bool:
        """Return whether a reply that ended as it should not has all its sound: by its own header,
        or since it ends at that place again."""
        if self._job.in_parts:
            return False  # the end of one part says nothing of the others
        if sound.complete:
            return True
        if not error.untidy or not sound.size_bytes:
            return False
        again = sound.size_bytes == self._ended_at_bytes
        self._ended_at_bytes = sound.size_bytes
        if again:
            self._tell(f'{_TAKEN_FOR_WHOLE}: "{self._job.segment.text.strip()}"')
        return again

    def _seam(self) -> Seam | None:
        if self.format is None or self._past is None or self._outline is None:
            return None
        return Seam(self.format, self._position, self._past, self._outline.rows)

    def _hand_on(self, seam: Seam | None, samples: Samples, sound: _Sound) -> Iterator[Samples]:
        pcm = self.format = self.format or sound.format
        open_seam = None if seam is None or seam.closed else seam
        if open_seam is not None and len(samples):
            samples = open_seam.feed(samples)
            if open_seam.closed:
                self._joined(open_seam)
        if len(samples) and pcm is not None and self._job.recorded:
            yield samples  # for days, perhaps: nothing is kept of it
        elif len(samples) and pcm is not None:
            self._remember(samples, pcm)
            yield samples
            self._check_length(pcm)

    def _joined(self, seam: Seam) -> None:
        self._position = seam.place
        self._tail = None
        if not seam.exact:
            self._tell(_JOINED if seam.sure else f"{_JOINED}; {_UNSURE}")

    def _remember(self, samples: Samples, pcm: PcmFormat) -> None:
        self._position += len(samples)
        self._new_frames += len(samples)
        self._outline = self._outline or Outline(pcm)
        self._outline.feed(samples)
        past = samples if self._past is None else np.concatenate((self._past, samples))
        self._past = past[-pcm.s_to_frames(PAST_S) :]

    def _check_length(self, pcm: PcmFormat) -> None:
        if pcm.frames_to_s(self._position) > self._longest_s:
            raise ReplyError(
                f"the reply sounds for more than {self._longest_s:.0f} s, and goes on",
                f"its text has {len(self._job.request.text)} characters",
            )

    def _leftover(self) -> Iterator[Samples]:
        if self._tail is not None and len(self._tail):
            yield self._tail
        self._tail = None


class _Sound:
    """One attempt's bytes as samples of one format, that of the first attempt."""

    def __init__(self, job: Job, wanted: PcmFormat | None) -> None:
        self._job = job
        self._wanted = wanted
        self._decoder: Decoder | None = None
        self._converter: Converter | None = None
        self._skipped = 0  # by decoders before this one
        self.spent_s = 0.0
        self.size_bytes = 0

    @property
    def complete(self) -> bool | None:
        """See ``Decoder.complete``."""
        return None if self._decoder is None else self._decoder.complete

    @property
    def channels(self) -> int:
        return self.format.channels if self.format else 1

    @property
    def format(self) -> PcmFormat | None:
        return self._wanted or (self._decoder.format if self._decoder else None)

    @property
    def skipped(self) -> int:
        return self._skipped + (self._decoder.skipped if self._decoder else 0)

    @property
    def note(self) -> str:
        return self._decoder.note if self._decoder else ""

    def feed(self, piece: bytes) -> Samples:
        began_s = time.perf_counter()
        self.size_bytes += len(piece)
        decoder = self._decoder = self._decoder or self._open()
        samples = self._converted(decoder.feed(piece))
        while (rest := decoder.rest) is not None:
            # another stream follows, at another rate: it goes on in the format of the first
            tail = self._finished(decoder)
            self._skipped += decoder.skipped
            self._wanted = self.format
            decoder = self._decoder = self._open()
            self._converter = None
            samples = np.concatenate((samples, tail, self._converted(decoder.feed(rest))))
        self.spent_s += time.perf_counter() - began_s
        return samples

    def _open(self) -> Decoder:
        job = self._job
        return open_decoder(job.content_type, job.request.format, job.rate_hz, job.channels)

    def _finished(self, decoder: Decoder) -> Samples:
        samples = self._converted(decoder.flush())
        if self._converter is not None:
            samples = np.concatenate((samples, self._converter.flush()))
        return samples

    def flush(self) -> Samples:
        if self._decoder is None:
            return no_samples()
        began_s = time.perf_counter()
        samples = self._finished(self._decoder)
        self.spent_s += time.perf_counter() - began_s
        return samples

    def rest(self) -> Samples | None:
        """Return what the decoder can still make of a reply that broke off; None: nothing."""
        try:
            return self.flush()
        except DecodeError:
            return None  # that it broke off says more

    def _converted(self, samples: Samples) -> Samples:
        source = self._decoder.format if self._decoder else None
        if source is None or self._wanted is None or not len(samples):
            return samples if self._wanted is None else no_samples(self._wanted.channels)
        if self._converter is None:
            self._converter = Converter(source, self._wanted)
        return self._converter.feed(samples)
