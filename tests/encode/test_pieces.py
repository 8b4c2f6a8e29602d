"""Each format is made as the sound comes, and is that sound."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support import encode
from voicestream.encode.pieces import PiecesEncoder
from voicestream.pcm import PcmFormat, to_int16
from voicestream.serve import app

PCM = PcmFormat(24_000)
VOICE = to_int16(encode.speech(2.0))
CONTAINERS = {"mp3": "mp3", "opus": "ogg", "aac": "aac", "flac": "flac", "wav": "wav"}


def encoded(form: str, sizes: list[int]) -> bytes:
    encoder = PiecesEncoder(form, PCM)
    marks = np.cumsum([0, *sizes])
    parts = [encoder.encode(VOICE[a:b]) for a, b in itertools.pairwise(marks)]
    return b"".join([*parts, encoder.finish()])


@pytest.mark.parametrize("form", CONTAINERS)
@pytest.mark.parametrize("sizes", [[48_000], [1, 0, 997, 24_000, 23_002], [16_000] * 3])
def test_however_the_sound_comes_the_file_holds_it(form: str, sizes: list[int]) -> None:
    rate_hz, samples = encode.decode_at_once(encoded(form, sizes), CONTAINERS[form])
    heard = samples[:: rate_hz // 24_000, 0]
    own = VOICE[:, 0] / 32768
    if form in ("wav", "flac"):
        assert np.array_equal(heard, own.astype(np.float32))
        return
    assert len(heard) >= len(own)
    # the codec's own delay is left in by this reference decoder, Opus excepted
    spectrum = np.fft.rfft(heard, 1 << 17) * np.conj(np.fft.rfft(own, 1 << 17))
    delay = int(np.argmax(np.fft.irfft(spectrum)))
    assert delay <= 1152
    shared = min(len(heard) - delay, len(own))
    assert np.corrcoef(heard[delay : delay + shared], own[:shared])[0, 1] > 0.95


@pytest.mark.parametrize("form", ["pcm", *CONTAINERS])
def test_nothing_to_say_is_still_a_reply(form: str) -> None:
    encoder = PiecesEncoder(form, PCM)
    assert isinstance(encoder.encode(VOICE[:0]) + encoder.finish(), bytes)


@pytest.mark.parametrize("form", ["pcm", *CONTAINERS])
@pytest.mark.parametrize("events", [False, True])
def test_each_sentence_leaves_before_the_next_is_made(form: str, events: bool) -> None:
    made: list[str] = []

    def sounds() -> Iterator[bytes]:
        for sentence in "abc":
            made.append(sentence)
            yield VOICE[:24_000].tobytes()

    pieces = app._encoded(form, sounds(), PCM)
    stream = iter(app._events(pieces) if events else pieces)
    sizes = []
    for expected in (["a"], ["a", "b"], ["a", "b", "c"]):
        sizes.append(len(next(stream)))
        assert made == expected
    # a codec may hold back its last frames, never most of a sentence
    assert min(sizes) > 0.5 * max(sizes)
