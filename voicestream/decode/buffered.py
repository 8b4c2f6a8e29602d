"""Containers that cannot be played while they arrive: gathered, then decoded whole."""

from __future__ import annotations

from voicestream.decode.base import describe
from voicestream.decode.compressed import decode_whole
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat, Samples, no_samples

MAX_BYTES = 64_000_000


class BufferedDecoder:
    """MP4, WebM, AIFF and whatever else FFmpeg can read from a whole file."""

    note = "A format that cannot be streamed; it is played once it has all come."
    complete = None
    rest: bytes | None = None

    def __init__(self) -> None:
        self._data = bytearray()
        self._format: PcmFormat | None = None
        self._skipped = 0

    @property
    def format(self) -> PcmFormat | None:
        return self._format

    @property
    def skipped(self) -> int:
        return self._skipped

    def feed(self, data: bytes) -> Samples:
        """Keep the bytes. There are no samples before the end."""
        self._data += data
        if len(self._data) > MAX_BYTES:
            raise DecodeError(
                f"The reply is longer than {MAX_BYTES // 1_000_000} MB",
                f"and in a format that cannot be streamed; {describe(self._data)}",
                "Ask the endpoint for another format.",
            )
        return no_samples()

    def flush(self) -> Samples:
        if not self._data:
            return no_samples()
        self._format, samples, self._skipped = decode_whole(bytes(self._data))
        self._data.clear()
        return samples
