"""What a decoder is.

To add a format, write one file with a class that has the members of :class:`Decoder`
(``FramedDecoder`` has most), and name it in a row of ``voicestream/formats.py``.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat, Samples

MIN_RATE_HZ = 8_000
MAX_RATE_HZ = 192_000
MAX_CHANNELS = 8
MAX_SILENT_BYTES = 1_000_000
"""This many bytes without a single sample are not speech."""
FREE_SAMPLES = 8 << 20
MOST_RATIO = 200
"""Samples of each byte, once there are more than the free ones. Speech has 2 to 65, pauses in
FLAC up to 400; ten bytes can ask for half a million."""
MAX_WHOLE_SAMPLES = 64 << 20
"""Most samples of what has to be decoded whole: 256 MB of memory."""


class Decoder(Protocol):
    """Encoded bytes of one segment -> samples, as they arrive.

    However the bytes are cut, the samples joined are the same. Delay and
    padding of the codec are trimmed. A broken frame is skipped and counted.
    Used by one thread.
    """

    @property
    def format(self) -> PcmFormat | None:
        """Rate and channels of the samples; None until the stream has told them.

        Fixed from the first returned sample on.
        """

    @property
    def skipped(self) -> int:
        """Broken frames, and stretches of bytes that are no sound, left out so far."""

    @property
    def note(self) -> str:
        """What a person should know about this stream (one sentence); mostly empty."""

    @property
    def complete(self) -> bool | None:
        """Whether all of the sound is here, where the stream itself tells; None: it does not."""

    @property
    def rest(self) -> bytes | None:
        """Where the reply goes on at another sample rate: the bytes from there on. Else None.

        They need a new decoder; this one may only be flushed then.
        """

    def feed(self, data: bytes) -> Samples:
        """Take the next bytes; return the samples they complete (maybe none).

        Raises:
            DecodeError: nothing (more) of this stream can be decoded.
        """

    def flush(self) -> Samples:
        """Return what is left: the stream has ended. Called once, last.

        Raises:
            DecodeError: nothing of this stream could be decoded.
        """


def check_layout(rate_hz: int, channels: int, where: str) -> None:
    """Refuse what no speech has and no device plays.

    Raises:
        DecodeError: the rate or the number of channels is out of bounds.
    """
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise DecodeError(
            f"{where} names a sample rate of {rate_hz} Hz",
            f"only {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz can be played",
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise DecodeError(
            f"{where} names {channels} channels", f"only 1 to {MAX_CHANNELS} can be played"
        )


def check_growth(samples: int, size_bytes: int) -> None:
    """Refuse what wants to fill memory with silence.

    Raises:
        DecodeError: so few bytes are no speech of so many samples.
    """
    if samples > FREE_SAMPLES + MOST_RATIO * size_bytes:
        raise DecodeError(
            "The reply grows without bound",
            f"{size_bytes} bytes became more than {samples // 1_000_000} million samples",
        )


def describe(head: bytes | bytearray) -> str:
    """Return the first bytes of something, for an error message."""
    seen = bytes(head[:24])
    readable = all(32 <= byte < 127 or byte in b"\r\n\t" for byte in seen)
    return f"it starts with {seen!r}" if readable else f"it starts with {seen[:12].hex(' ')}"


def conform(samples: Samples, channels: int) -> Samples:
    """Return the same sound on so many channels: mixed down, or given to each."""
    if samples.shape[1] == channels:
        return samples
    mono = samples.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.repeat(mono, channels, axis=1)
