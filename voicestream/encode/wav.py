"""The samples as they are, in a WAV file or without any header."""

from __future__ import annotations

import struct
from typing import BinaryIO

from voicestream.encode.base import Sending, Tags
from voicestream.pcm import Frames16, PcmFormat

_UNKNOWN = 0xFFFFFFFF
"""A size that means "until the end" to every player."""


class WavEncoder:
    """Writes the header first, its sizes unknown, so that even what a crash leaves plays.

    Args:
        header: False: the samples alone.
    """

    def __init__(
        self,
        pcm: PcmFormat,
        target: BinaryIO | Sending,
        tags: Tags | None = None,
        header: bool = True,
    ) -> None:
        self._pcm = pcm
        self._target = target
        self._tags = tags or Tags()
        self._header = header
        self._size_bytes = 0
        if header:
            target.write(_header(pcm, _UNKNOWN, 0))

    def write(self, frames: Frames16) -> None:
        data = frames.astype("<i2", copy=False).tobytes()
        self._target.write(data)
        self._size_bytes += len(data)

    def close(self) -> None:
        """Add the tags and the sizes to a file; who was sent the header cannot be told any more."""
        if not self._header or isinstance(self._target, Sending):
            return
        tags = _tags(self._tags)
        self._target.write(b"\0" * (self._size_bytes % 2) + tags)
        self._target.seek(0)
        self._target.write(_header(self._pcm, self._size_bytes, len(tags)))


def _header(pcm: PcmFormat, size_bytes: int, more_bytes: int) -> bytes:
    """Return the 44 bytes before the samples; ``more_bytes`` come after them."""
    riff = size_bytes if size_bytes == _UNKNOWN else 36 + size_bytes + more_bytes
    block = pcm.frame_bytes
    form = struct.pack(
        "<HHIIHH", 1, pcm.channels, pcm.rate_hz, pcm.bytes_per_s, block, 8 * block // pcm.channels
    )
    return (
        struct.pack("<4sI4s4sI", b"RIFF", min(riff, _UNKNOWN), b"WAVE", b"fmt ", len(form))
        + form
        + struct.pack("<4sI", b"data", min(size_bytes, _UNKNOWN))
    )


def _tags(tags: Tags) -> bytes:
    """Return a chunk that tells title and voice; nothing where neither is known."""
    told = b"".join(
        _chunk(name, value.encode() + b"\0")
        for name, value in ((b"INAM", tags.title), (b"IART", tags.voice))
        if value
    )
    return _chunk(b"LIST", b"INFO" + told) if told else b""


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
