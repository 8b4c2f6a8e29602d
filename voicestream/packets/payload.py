"""What is in a packet, to samples."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from voicestream.packets.sdp import Payload
from voicestream.pcm import Samples, from_int16

_OPUS_HEAD = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 0, 48_000, 0, 0)
_MOST_OPUS_FRAMES = 5760

Decode = Callable[[bytes], Samples | None]
"""The samples of one payload, shape ``(frames, channels)``; None: it is broken."""


def frames_of(payload: Payload) -> Callable[[bytes], int]:
    """Return a function of a payload's bytes: how many frames they hold; 0: they are broken."""
    if payload.codec == "opus":
        from voicestream.decode.opus import duration

        def opus_frames(data: bytes) -> int:
            frames = duration(data) if data else 0
            return frames if frames <= _MOST_OPUS_FRAMES else 0

        return opus_frames
    frame_bytes = payload.channels * (2 if payload.codec == "L16" else 1)
    return lambda data: 0 if len(data) % frame_bytes else len(data) // frame_bytes


def decoder(payload: Payload) -> Decode:
    """Return a decoder for a payload. FFmpeg's of Opus cannot be asked for the packet before out
    of a packet's FEC data."""
    if payload.codec == "opus":
        from voicestream.decode.compressed import PacketDecoder

        return PacketDecoder("opus", _OPUS_HEAD).decode
    channels = payload.channels
    if payload.codec == "L16":
        return lambda data: from_int16(np.frombuffer(data, ">i2")).reshape(-1, channels)
    table = _mu_law() if payload.codec == "PCMU" else _a_law()
    return lambda data: table[np.frombuffer(data, np.uint8)].reshape(-1, channels)


def _mu_law() -> Samples:
    """ITU-T G.711, by value."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return from_int16(np.where(code & 128, -size, size).astype(np.int16))


def _a_law() -> Samples:
    """ITU-T G.711, by value."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    step, part = (code >> 4) & 7, code & 15
    size = np.where(step == 0, (part << 4) + 8, ((part << 4) + 264) << np.maximum(step - 1, 0))
    return from_int16(np.where(code & 128, size, -size).astype(np.int16))
