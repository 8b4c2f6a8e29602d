"""Encoded sound: samples, or a DecodeError, and the same ones however the bytes are cut."""

from __future__ import annotations

import numpy as np

from tests.fuzz.pieces import cut, options_of
from tests.support.decoding import joined
from voicestream.decode.base import FREE_SAMPLES, MOST_RATIO, Decoder
from voicestream.decode.registry import open_decoder
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat, Samples

REPLIES = (
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "opus"),
    ("audio/aac", "aac"),
    ("audio/flac", "flac"),
    ("audio/wav", "wav"),
    ("audio/pcm;rate=22050;channels=2", "pcm"),
    ("audio/pcm;encoding=float32", "pcm"),
    ("audio/l16;endianness=big-endian", "pcm"),
    ("", "pcm"),
    ("", "mp3"),
    ("audio/mp4", "aac"),
    ("audio/webm", "opus"),
)
"""Content type and the format that was asked for."""
WHOLE = frozenset({"audio/mp4", "audio/webm"})
"""FFmpeg sees these whole, whatever the cuts."""


def heard(decoder: Decoder, pieces: list[bytes]) -> tuple[Samples, str, PcmFormat | None]:
    """What came, how it failed if it did, and the format; anything but DecodeError is raised."""
    blocks: list[Samples] = []
    try:
        for piece in pieces:
            blocks.append(decoder.feed(piece))
        blocks.append(decoder.flush())
    except DecodeError as error:
        return joined(blocks), str(error), decoder.format
    return joined(blocks), "", decoder.format


def check_decoders(data: bytes) -> None:
    """The first byte chooses the reply's kind, the second how it is cut."""
    (kind, seed), body = options_of(data, 2)
    _check(*REPLIES[kind % len(REPLIES)], body, seed)


def check_wav(data: bytes) -> None:
    """WAV chunks behind the beginning that every file has; the first byte tells the cut."""
    (seed,), body = options_of(data, 1)
    _check("audio/wav", "wav", b"RIFF\xff\xff\xff\xffWAVE" + body, seed)


def _check(content_type: str, requested: str, body: bytes, seed: int) -> None:
    decoder = open_decoder(content_type, requested)
    samples, error, pcm = heard(decoder, [body])
    assert samples.dtype == np.float32
    assert samples.ndim == 2
    assert np.isfinite(samples).all()
    assert samples.size <= FREE_SAMPLES + MOST_RATIO * len(body) + 65536 * 8
    assert not len(samples) or (pcm is not None and pcm.channels == samples.shape[1])
    if content_type in WHOLE:
        return
    other = open_decoder(content_type, requested)
    again, other_error, _ = heard(other, cut(body, seed))
    assert np.array_equal(samples, again), f"{len(samples)} samples whole, {len(again)} in pieces"
    # whole, what fails behind the last sound is only counted: nobody hears of it any more
    if error == other_error:
        assert decoder.skipped == other.skipped
    else:
        assert not error
        assert len(samples)
        assert decoder.skipped
