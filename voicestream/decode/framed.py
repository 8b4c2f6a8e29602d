"""What the compressed formats share: bytes in, frames found one by one, samples out."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from voicestream.decode.base import (
    MAX_SILENT_BYTES,
    check_growth,
    check_layout,
    conform,
    describe,
)
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat, Samples, no_samples

_HEAD_BYTES = 24
_MOST_PICTURE_BYTES = 32 << 20


class FramedDecoder(ABC):
    """A decoder that walks over its buffer in steps.

    A step decides by the bytes alone, never by how many happen to be there:
    where they do not suffice it asks for more. So the cutting cannot matter.

    A subclass writes ``_step``, which looks at ``_buffer`` from ``_at`` on, takes bytes by
    ``_consume``, hands on sound by ``_emit``, and sets ``_understood`` once a header made sense.
    """

    note = ""
    name = "audio"

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0  # everything before was dealt with
        self._head = b""  # the first bytes, for an error message
        self._format: PcmFormat | None = None
        self._skipped = 0
        self._in_junk = False
        self._idle_bytes = 0  # since the last sample
        self._picture_bytes = _MOST_PICTURE_BYTES  # that may still come
        self._done_bytes = 0
        self._samples = 0  # made of them
        self._understood = False  # at least a header made sense
        self._blocks: list[Samples] = []
        self._failure: DecodeError | None = None
        self.complete: bool | None = None
        self.rest: bytes | None = None

    @property
    def format(self) -> PcmFormat | None:
        return self._format

    @property
    def skipped(self) -> int:
        return self._skipped

    def feed(self, data: bytes) -> Samples:
        if len(self._head) < _HEAD_BYTES:
            self._head += data[: _HEAD_BYTES - len(self._head)]
        self._buffer += data
        return self._run(ended=False)

    def flush(self) -> Samples:
        return self._run(ended=True)

    @abstractmethod
    def _step(self, ended: bool) -> bool:
        """Deal with the next bytes.

        Returns:
            True to be called again at once, False when more bytes are needed.
        """

    def _finish(self) -> None:  # noqa: B027 - most codecs hold nothing back
        """The stream has ended: emit what the codec still holds."""

    def _run(self, ended: bool) -> Samples:
        """Take steps until one needs more. An error waits until the sound before it is out."""
        if self._failure is not None:
            raise self._failure
        try:
            while self.rest is None and self._step(ended):
                pass
            if ended:
                self._end()
        except DecodeError as error:
            self._failure = error
            if not self._blocks:
                raise
            self._skipped += 1 if ended else 0  # nobody will come to hear of it
        del self._buffer[: self._at]
        self._at = 0
        return self._collect()

    def _end(self) -> None:
        rest = len(self._buffer) - self._at
        if rest:
            self._drop(rest)
        self._finish()
        if self._head and self._format is None and (self._skipped or not self._understood):
            raise DecodeError(f"The reply holds no {self.name} sound", describe(self._head))

    def _leave_rest(self, at: int) -> None:
        """Leave the bytes from ``at`` on for another decoder: a new stream begins there."""
        self.rest = bytes(self._buffer[at:])
        del self._buffer[at:]
        self._at = at

    def _collect(self) -> Samples:
        blocks, self._blocks = self._blocks, []
        if not blocks:
            return no_samples(self._format.channels if self._format else 1)
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def _consume(self, size_bytes: int) -> bytes:
        """Return the next bytes, which are then behind us."""
        taken = bytes(self._buffer[self._at : self._at + size_bytes])
        self._at += len(taken)
        self._idle_bytes += len(taken)
        self._done_bytes += len(taken)
        if self._idle_bytes > MAX_SILENT_BYTES:
            raise DecodeError(
                f"The reply holds no {'more ' if self._format else ''}sound",
                f"{self._idle_bytes} bytes without a frame of {self.name}; {describe(self._head)}",
            )
        return taken

    def _expect(self, size_bytes: int) -> None:
        """Allow ``size_bytes`` to come without sound: a picture, perhaps."""
        granted = min(size_bytes, self._picture_bytes)
        self._picture_bytes -= granted
        self._idle_bytes -= granted

    def _drop(self, size_bytes: int) -> None:
        """Bytes that are no frame. A stretch of them counts once."""
        self._consume(size_bytes)
        if not self._in_junk:
            self._in_junk = True
            self._skipped += 1

    def _emit(self, samples: Samples, rate_hz: int) -> None:
        """Hand on samples, shape ``(frames, channels)``, in the format of the first ones."""
        if not len(samples):
            return
        if self._format is None:
            check_layout(rate_hz, samples.shape[1], "The reply")
            self._format = PcmFormat(rate_hz, samples.shape[1], "f32")
        elif rate_hz != self._format.rate_hz:
            self._skipped += 1  # no server does that: the frame is broken
            return
        self._samples += samples.size
        check_growth(self._samples, self._done_bytes)
        self._idle_bytes = 0
        self._blocks.append(conform(samples, self._format.channels))


def without(samples: Samples, position: int, windows: list[tuple[int, int]]) -> Samples:
    """Return the samples that lie in none of the windows.

    Args:
        samples: shape ``(frames, channels)``; the first frame has the number ``position``.
        windows: numbers of frames to leave out, from and up to, in rising order.
    """
    kept = []
    at, end = position, position + len(samples)
    for first, last in windows:
        if last <= at or first >= end:
            continue
        if first > at:
            kept.append(samples[at - position : first - position])
        at = last
    if at < end:
        kept.append(samples[at - position :])
    if not kept:
        return samples[:0]
    return kept[0] if len(kept) == 1 else np.concatenate(kept)
