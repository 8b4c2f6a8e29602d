"""Samples without a codec or a container: PCM as OpenAI's ``response_format=pcm`` sends it."""

from __future__ import annotations

from voicestream.decode.base import check_layout
from voicestream.pcm import PcmFormat, Samples


class PcmDecoder:
    """Raw samples; a piece may end inside a frame, the rest waits for the next one."""

    note = ""
    complete = None
    rest: bytes | None = None

    def __init__(self, fmt: PcmFormat, big_endian: bool = False) -> None:
        """
        Args:
            fmt: how the bytes are laid out.
            big_endian: the bytes of each sample come most significant first.

        Raises:
            DecodeError: a rate or a number of channels that cannot be played.
        """
        check_layout(fmt.rate_hz, fmt.channels, "The reply")
        self._format = fmt
        self._swap_bytes = fmt.frame_bytes // fmt.channels if big_endian else 0
        self._rest = b""
        self._skipped = 0

    @property
    def format(self) -> PcmFormat:
        return self._format

    @property
    def skipped(self) -> int:
        return self._skipped

    def feed(self, data: bytes) -> Samples:
        if self._rest:
            data = self._rest + data
        whole_bytes = len(data) - len(data) % self._format.frame_bytes
        self._rest = bytes(data[whole_bytes:])
        frames = memoryview(data)[:whole_bytes]
        return self._format.decode(self._swapped(frames) if self._swap_bytes else frames)

    def flush(self) -> Samples:
        """Nothing is left but, at most, a part of a frame: it is dropped and counted."""
        if self._rest:
            self._skipped += 1
            self._rest = b""
        return self._format.decode(b"")

    def _swapped(self, data: memoryview) -> bytes:
        swapped = bytearray(len(data))
        size = self._swap_bytes
        for index in range(size):
            swapped[index::size] = data[size - 1 - index :: size]
        return bytes(swapped)
