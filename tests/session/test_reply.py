"""A segment over several attempts: bounded tries, bounded sound, one format throughout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.support.encode import flac, speech
from voicestream.counters import SegmentFigures
from voicestream.decode.registry import open_decoder
from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    IncompleteReplyError,
    ReplyError,
)
from voicestream.pcm import Samples, no_samples, to_int16
from voicestream.session.job import Job
from voicestream.session.reply import Reply
from voicestream.session.spool import Spool
from voicestream.speech.base import SpeechRequest
from voicestream.text.pieces import Boundary, Segment

SOUND = to_int16(speech(1.0))
BODY = SOUND.tobytes()


class Attempts:
    """Fills the spool of a job anew for each attempt: bytes, and how they end."""

    def __init__(
        self,
        *attempts: tuple[bytes, EndpointError | None],
        rates_hz: Sequence[int] = (24_000,),
        content_type: str = "audio/pcm",
    ) -> None:
        self._attempts = list(attempts)
        self._rates_hz = list(rates_hz)
        self.made = 0
        self.content_type = content_type
        text = "Hello."
        self.job = Job(
            Segment(0, text, Boundary.SENTENCE),
            SpeechRequest(text, "m", "v", "pcm"),
            SegmentFigures(0, text),
        )
        self.again(self.job)

    def again(self, job: Job) -> None:
        body, error = self._attempts[min(self.made, len(self._attempts) - 1)]
        job.rate_hz = self._rates_hz[min(self.made, len(self._rates_hz) - 1)]
        job.content_type = self.content_type
        job.spool = Spool(1 << 30)
        for start in range(0, len(body), 5000):
            job.spool.put(body[start : start + 5000])
        job.spool.end(error)
        self.made += 1


def torn() -> IncompleteReplyError:
    return IncompleteReplyError("broke off")


def played(attempts: Attempts, resumes: int = 2) -> tuple[Samples, EndpointError | None, list[str]]:
    """What is handed on, how it ends, and what is told."""
    told: list[str] = []
    blocks = [no_samples()]
    try:
        blocks.extend(Reply(attempts.job, attempts.again, resumes, told.append))
    except EndpointError as error:
        return np.concatenate(blocks), error, told
    return np.concatenate(blocks), None, told


@pytest.mark.parametrize("cuts", [[0], [1], [20_001, 9_999], [30_000, 30_000], [len(BODY), 3]])
def test_nothing_is_lost_or_heard_twice(cuts: list[int]) -> None:
    attempts = Attempts(*[(BODY[:cut], torn()) for cut in cuts], (BODY, None))
    samples, error, told = played(attempts)
    assert np.array_equal(to_int16(samples), SOUND)
    assert (error, told, attempts.made) == (None, [], len(cuts) + 1)


@pytest.mark.parametrize("resumes", [0, 1, 2])
def test_tries_are_bounded_and_what_came_is_heard(resumes: int) -> None:
    attempts = Attempts((BODY[:20_001], torn()))
    samples, error, _ = played(attempts, resumes)
    assert isinstance(error, IncompleteReplyError)
    assert attempts.made == resumes + 1
    assert np.array_equal(to_int16(samples), SOUND[:10_000])


def test_what_brings_more_each_time_goes_on() -> None:
    cuts = range(12_000, len(BODY), 12_001)  # a quarter of a second more each time
    attempts = Attempts(*[(BODY[:cut], torn()) for cut in cuts], (BODY, None))
    assert len(cuts) > 2
    samples, error, _ = played(attempts, resumes=2)
    assert error is None
    assert np.array_equal(to_int16(samples), SOUND)


def test_a_reply_that_ends_twice_alike_is_whole_where_that_may_be() -> None:
    for untidy, made in ((True, 2), (False, 3)):
        error = torn()
        error.untidy = untidy
        attempts = Attempts((BODY[:20_000], error))
        samples, failure, told = played(attempts)
        assert (failure is None) == untidy
        assert attempts.made == made
        assert len(told) == untidy
        assert np.array_equal(to_int16(samples), SOUND[:10_000])


def test_what_cannot_be_mended_is_not_asked_for_again() -> None:
    lasting = torn()
    lasting.repeatable = False
    for error in (lasting, ReplyError("no speech"), ConnectionFailedError("gone")):
        attempts = Attempts((BODY[:2000], error))
        assert played(attempts)[1] is error
        assert attempts.made == 1


def test_another_rendering_is_told_of() -> None:
    other = to_int16(speech(1.0, seed=5) * np.float32(0.5)).tobytes()
    samples, error, told = played(Attempts((BODY[:24_000], torn()), (other, None)))
    assert error is None
    assert len(told) == 1
    assert abs(len(samples) - 24_000) < 0.35 * 24_000


def test_a_second_attempt_at_another_rate_is_brought_to_the_first() -> None:
    doubled = to_int16(speech(1.0, 48_000)).tobytes()
    attempts = Attempts((BODY[:24_000], torn()), (doubled, None), rates_hz=[24_000, 48_000])
    samples, error, _ = played(attempts)
    assert error is None
    assert abs(len(samples) - 24_000) < 0.35 * 24_000


def test_sound_without_end_is_cut() -> None:
    minutes = bytes(48_000 * 120)
    samples, error, _ = played(Attempts((minutes, None)))
    assert isinstance(error, ReplyError)
    assert "goes on" in str(error)
    assert 60 < len(samples) / 24_000 < 75


def test_a_second_break_off_is_looked_for_in_the_rendering_that_was_heard_last() -> None:
    """The second rendering begins later: places in it are not those of the first."""
    sound = to_int16(speech(3.0))
    body = sound.tobytes()
    later = bytes(2 * 9600) + body
    samples, error, told = played(
        Attempts((body[:48_000], torn()), (later[:96_000], torn()), (later, None))
    )
    assert error is None
    assert np.array_equal(to_int16(samples), sound)
    assert told == ["a reply broke off; it goes on in a second rendering"]


def test_what_the_decoder_holds_is_heard_where_the_rest_never_comes() -> None:
    body = flac(speech(1.0))
    body = body[: body.rfind(b"\xff\xf8")]  # that the frame before is whole shows only now
    attempts = Attempts((body, torn()), content_type="audio/flac")
    samples, error, _ = played(attempts, resumes=0)
    assert isinstance(error, IncompleteReplyError)
    decoder = open_decoder("audio/flac", "flac")
    fed, held = decoder.feed(body), decoder.flush()
    assert len(held)
    assert np.array_equal(samples, np.concatenate((fed, held)))
