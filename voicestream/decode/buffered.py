"""Containers that FFmpeg reads: played while they arrive where they can be, else gathered first."""

from __future__ import annotations

import threading
import weakref

import numpy as np

from voicestream.decode.base import check_growth, describe
from voicestream.decode.compressed import decode_file, decode_whole
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat, Samples, no_samples

MAX_BYTES = 64_000_000
_GATHERED = "A format that cannot be streamed; it is played once it has all come."


class _Pipe:
    """Bytes on their way to a thread that reads them: one feeds, one reads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._data = bytearray()
        self._idle = False  # the reader waits for more, or has gone
        self._ended = self._gone = False
        self.fed_bytes = 0

    def read(self, most: int) -> bytes:
        """Return what is here, at most so many bytes; wait where nothing is. Empty: the end."""
        with self._changed:
            while not (self._data or self._ended):
                self._idle = True
                self._changed.notify_all()
                self._changed.wait()
            piece = bytes(self._data[:most])
            del self._data[:most]
            return piece

    def leave(self) -> None:
        """The reader has gone."""
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def feed(self, data: bytes) -> None:
        """Return when all of it has been read, and the reader waits or has gone."""
        with self._changed:
            self._data += data
            self.fed_bytes += len(data)
            self._idle = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._idle or self._gone)
            if self._gone:
                self._data.clear()

    def end(self) -> None:
        """No more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class _Pump:
    """Reads a container from a pipe, in a thread of its own. What it has made is looked at only
    while it waits or has ended."""

    def __init__(self) -> None:
        self.pipe = _Pipe()
        self.blocks: list[Samples] = []
        self.format: PcmFormat | None = None
        self.skipped = 0
        self.error: Exception | None = None
        self._samples = 0
        self._thread = threading.Thread(target=self._run, name="demux", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        self.pipe.end()
        self._thread.join()

    def _run(self) -> None:
        try:
            for rate_hz, block in decode_file(self.pipe):
                self._take(rate_hz, block)
        except Exception as error:  # noqa: BLE001  a thread's entry: handed on to who feeds it
            self.error = error
        finally:
            self.pipe.leave()

    def _take(self, rate_hz: int, block: Samples | None) -> None:
        if block is None:
            self.skipped += 1
            return
        if self.format is None:
            self.format = PcmFormat(rate_hz, block.shape[1], "f32")
        if (rate_hz, block.shape[1]) != (self.format.rate_hz, self.format.channels):
            self.skipped += 1
            return
        self._samples += block.size
        check_growth(self._samples, self.pipe.fed_bytes)
        self.blocks.append(block)


class BufferedDecoder:
    """MP4, WebM, Ogg, AIFF and whatever else FFmpeg can read.

    It is read while it arrives. What that brings nothing of, as an MP4 whose index comes last, is
    gathered and decoded at the end.
    """

    complete = False
    rest: bytes | None = None

    def __init__(self) -> None:
        self._gathered: bytearray | None = bytearray()  # None: it is streamed
        self._pump: _Pump | None = None
        self._format: PcmFormat | None = None
        self._skipped = 0
        self.note = ""

    @property
    def format(self) -> PcmFormat | None:
        return self._format

    @property
    def skipped(self) -> int:
        return self._skipped

    def feed(self, data: bytes) -> Samples:
        if self._pump is None:
            self._pump = _Pump()
            weakref.finalize(self, self._pump.pipe.end)  # nobody flushes what is given up
        self._pump.pipe.feed(data)
        samples = self._streamed(self._pump)
        if self._gathered is not None:
            self._gathered += data
            if len(self._gathered) > MAX_BYTES:
                raise DecodeError(
                    f"The reply is longer than {MAX_BYTES // 1_000_000} MB",
                    f"and in a format that cannot be streamed; {describe(self._gathered)}",
                    "Ask the endpoint for another format.",
                )
        return samples

    def flush(self) -> Samples:
        if self._pump is None:
            return no_samples()
        if self._gathered is not None:
            self.note = _GATHERED
        self._pump.finish()
        samples = self._streamed(self._pump)
        if self._gathered is None:
            self._skipped += self._pump.error is not None
            return samples
        self._format, samples, self._skipped = decode_whole(bytes(self._gathered))
        self._gathered.clear()
        return samples

    def _streamed(self, pump: _Pump) -> Samples:
        """Return what has been made of the bytes so far."""
        if isinstance(pump.error, DecodeError):
            raise pump.error
        if not pump.blocks:
            return no_samples(self._format.channels if self._format else 1)
        self._gathered = None
        self._format, self._skipped = pump.format, pump.skipped
        blocks, pump.blocks = pump.blocks, []
        return np.concatenate(blocks)
