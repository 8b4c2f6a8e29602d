"""A reply made of files of different sample rates: where one ends, and how the next begins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given

from tests.support import encode, sound
from tests.support.decoding import cuttings, pieces
from voicestream.counters import SegmentFigures
from voicestream.decode.base import Decoder
from voicestream.decode.registry import open_decoder
from voicestream.pcm import no_samples, to_int16
from voicestream.session.job import Job
from voicestream.session.reply import Reply
from voicestream.speech.base import SpeechRequest
from voicestream.text.pieces import Boundary, Segment

VOICE = {rate_hz: encode.speech(1.0, rate_hz) for rate_hz in (24_000, 48_000)}


def wav_of(rate_hz: int) -> bytes:
    return sound.wav(to_int16(VOICE[rate_hz]).ravel(), rate_hz=rate_hz)


FILES: dict[str, Callable[[int], bytes]] = {
    "mp3": lambda rate_hz: encode.mp3(VOICE[rate_hz], rate_hz),
    "aac": lambda rate_hz: encode.aac(VOICE[rate_hz], rate_hz),
    "flac": lambda rate_hz: encode.flac(VOICE[rate_hz], rate_hz),
    "wav": wav_of,
}
BODIES = {form: (make(24_000), make(48_000)) for form, make in FILES.items()}


def feed(decoder: Decoder, parts: list[bytes]) -> tuple[int, bytes]:
    """Frames made of the first file, and the bytes that were left to another decoder."""
    frames = 0
    for number, part in enumerate(parts):
        frames += len(decoder.feed(part))
        if decoder.rest is not None:
            return frames + len(decoder.flush()), decoder.rest + b"".join(parts[number + 1 :])
    return frames + len(decoder.flush()), decoder.rest or b""


@pytest.mark.parametrize("form", FILES)
@given(sizes=cuttings)
def test_what_follows_at_another_rate_is_left_whole(form: str, sizes: list[int]) -> None:
    first, second = BODIES[form]
    frames, rest = feed(open_decoder("", form), pieces(first + second, sizes))
    alone, none = feed(open_decoder("", form), [first])
    # a tag at the begin of the second one says nothing of its rate
    assert second.endswith(rest)
    assert len(second) - len(rest) < 100
    assert none == b""
    assert frames == alone


@pytest.mark.parametrize("form", FILES)
def test_all_of_it_is_heard_at_the_first_rate(form: str) -> None:
    job = Job(
        Segment(0, "Hello.", Boundary.SENTENCE),
        SpeechRequest("Hello.", "m", "v", form),
        SegmentFigures(0, "Hello."),
    )
    for part in pieces(b"".join(BODIES[form]), [4096]):
        job.spool.put(part)
    job.spool.end()
    reply = Reply(job, lambda _: None)
    samples = np.concatenate([no_samples(), *reply])
    assert reply.format is not None
    assert reply.format.rate_hz == 24_000
    assert reply.skipped == 0
    assert abs(len(samples) - 48_000) < 0.05 * 48_000
    second = samples[-20_000:-2_000, 0]
    assert float(np.abs(second).mean()) > 0.5 * float(np.abs(samples[2_000:20_000, 0]).mean())


@pytest.mark.parametrize("form", ["wav", "flac", "opus", "mp3"])
def test_a_stream_that_says_how_long_it_is_knows_when_it_is_whole(form: str) -> None:
    body = encode.opus(VOICE[24_000]) if form == "opus" else BODIES[form][0]
    decoder = open_decoder("", form)
    decoder.feed(body[: len(body) // 2])
    assert not decoder.complete
    decoder.feed(body[len(body) // 2 :])
    decoder.flush()
    assert decoder.complete
    cut = open_decoder("", form)
    cut.feed(body[: len(body) * 9 // 10])
    cut.flush()
    assert not cut.complete
