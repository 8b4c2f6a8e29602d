"""WAV, read by hand: its header is there after 44 bytes, and so is its sound.

Library readers want a file with true sizes. Servers that stream write sizes
they cannot know yet (0, 0x7FFFFFFF, 0xFFFFFFFF), chunks nobody needs, and
sometimes a whole new header for each sentence.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from voicestream.decode.base import check_layout, describe
from voicestream.decode.framed import FramedDecoder
from voicestream.errors import DecodeError
from voicestream.pcm import Encoding, PcmFormat, Samples
from voicestream.records import dataclass

_RIFF_IDS = (b"RIFF", b"RF64")
_MAX_FMT_BYTES = 4096
_UNKNOWN_BYTES = 1 << 30
"""A size from here on is no reply's, but that of who does not know it yet."""
_HEADER_BYTES = 16  # RIFF, size, WAVE, and the id of the first chunk

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE
_ENCODINGS: dict[tuple[int, int], Encoding] = {
    (_PCM, 1): "u8",
    (_PCM, 2): "s16",
    (_PCM, 3): "s24",
    (_PCM, 4): "s32",
    (_FLOAT, 4): "f32",
    (_FLOAT, 8): "f64",
}


@dataclass(frozen=True, slots=True)
class _Layout:
    rate_hz: int
    frame_bytes: int
    decode: Callable[[bytes | bytearray | memoryview], Samples]


class WavDecoder(FramedDecoder):
    """One WAV file, or several on end (they go on as one stream)."""

    name = "WAV"

    def __init__(self) -> None:
        super().__init__()
        self._state: Callable[[bool], bool] = self._read_riff
        self._layout: _Layout | None = None
        self._left_bytes: int | None = None  # of this chunk; None = until the end
        self._riff = b""  # the header that was read last
        self._files = 0

    def _step(self, ended: bool) -> bool:
        return self._state(ended)

    def _left(self) -> int:
        return len(self._buffer) - self._at

    def _read_riff(self, ended: bool) -> bool:
        left = self._left()
        if left < 12 and not (ended and left):
            return False
        head = self._buffer[self._at : self._at + 12]
        if left < 12 or head[:4] not in _RIFF_IDS or head[8:] != b"WAVE":
            raise DecodeError("The reply is not a WAV file", describe(head))
        self._riff = self._consume(12)
        self._files += 1
        self.complete = None
        self._state = self._read_chunk
        return True

    def _read_chunk(self, _ended: bool) -> bool:
        if self._left() < 8:
            return False
        name, size_bytes = struct.unpack_from("<4sI", self._buffer, self._at)
        if name == b"fmt ":
            return self._read_fmt(size_bytes)
        self._consume(8)
        if name == b"data":
            if self._layout is None:
                raise DecodeError("The WAV header is broken", "its sound comes before its format")
            # 0 is written by who does not know the size, and so are 0x7FFFFFFF and 0xFFFFFFFF,
            # which no reply ever reaches.
            self._left_bytes = size_bytes or None
            self.complete = False if 0 < size_bytes < _UNKNOWN_BYTES else None
            self._state = self._read_data
        else:
            self._left_bytes = size_bytes + size_bytes % 2
            self._state = self._skip_chunk
        return True

    def _skip_chunk(self, _ended: bool) -> bool:
        assert self._left_bytes is not None
        self._left_bytes -= len(self._consume(min(self._left_bytes, self._left())))
        if self._left_bytes:
            return False
        self._state = self._read_chunk
        return True

    def _read_fmt(self, size_bytes: int) -> bool:
        if not 16 <= size_bytes <= _MAX_FMT_BYTES:
            raise DecodeError(
                "The WAV header is broken", f"its format chunk says it is {size_bytes} bytes long"
            )
        whole_bytes = 8 + size_bytes + size_bytes % 2
        if self._left() < whole_bytes:
            return False
        layout, channels = _parse_fmt(self._consume(whole_bytes)[8:])
        if self._format is None:
            self._format = PcmFormat(layout.rate_hz, channels, "f32")
        elif self._format.rate_hz != layout.rate_hz:
            self._at -= whole_bytes
            self._leave_rest(self._at)
            self.rest = self._riff + (self.rest or b"")
            return False
        self._layout = layout
        self._understood = True
        return True

    def _read_data(self, ended: bool) -> bool:
        """Return samples up to the end of the chunk, or to the header of the next sentence."""
        assert self._layout is not None
        available = self._left()
        if self._left_bytes is not None:
            available = min(available, self._left_bytes)
        header_at, certain = self._find_header(ended)
        sound_bytes = min(available, header_at)
        full = sound_bytes == self._left_bytes
        over = full or (certain and header_at <= available)
        rest_bytes = sound_bytes % self._layout.frame_bytes
        if not over and sound_bytes == rest_bytes:
            return False
        data = self._consume(sound_bytes - rest_bytes)
        if self._left_bytes is not None:
            self._left_bytes -= len(data)
        self._emit(self._layout.decode(data), self._layout.rate_hz)
        if over:
            # who sends one file for each sentence may have more of them
            self.complete = True if full and self._files == 1 else None
            self._in_junk = False
            if rest_bytes:
                self._drop(rest_bytes)
            self._state = self._seek_header
        return True

    def _seek_header(self, ended: bool) -> bool:
        """Behind the sound: chunks and junk are nothing to us, another header is."""
        header_at, certain = self._find_header(ended)
        self._consume(header_at)
        if certain:
            self._state = self._read_riff
        return certain

    def _find_header(self, ended: bool) -> tuple[int, bool]:
        """Return how far away a RIFF header is, or (not certain) might be once more bytes are
        there.

        Eight fixed bytes and four letters: sound never looks like that by chance.
        """
        at = self._at - 1
        while (at := self._buffer.find(b"R", at + 1)) >= 0:
            head = self._buffer[at : at + _HEADER_BYTES]
            fits = any(head[:4] == name[: len(head)] for name in _RIFF_IDS)
            letters = all(32 <= byte < 127 for byte in head[12:])  # of the first chunk's id
            if fits and b"WAVE".startswith(head[8:12]) and letters:
                if len(head) == _HEADER_BYTES:
                    return at - self._at, True
                if not ended:
                    return at - self._at, False
        return self._left(), False


def _parse_fmt(chunk: bytes) -> tuple[_Layout, int]:
    """Return the layout and the number of channels.

    Raises:
        DecodeError: no such samples can be read.
    """
    tag, channels, rate_hz, _, block_bytes, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    check_layout(rate_hz, channels, "The WAV header")
    if tag in (_ALAW, _MULAW) and bits == 8:
        table = _ALAW_TABLE if tag == _ALAW else _MULAW_TABLE
        return _Layout(
            rate_hz,
            channels,
            lambda data: table[np.frombuffer(data, "u1")].reshape(-1, channels),
        ), channels
    sample_bytes = (bits + 7) // 8
    # 20 bits may lie in 3 bytes or, padded, in 4: the block says which.
    if block_bytes % channels == 0 and block_bytes // channels > sample_bytes:
        sample_bytes = block_bytes // channels
    encoding = _ENCODINGS.get((tag, sample_bytes))
    if encoding is None or bits == 0:
        raise DecodeError(
            "The WAV file holds no plain samples",
            f"format 0x{tag:04x} with {bits} bits",
            "Ask the endpoint for another format.",
        )
    fmt = PcmFormat(rate_hz, channels, encoding)
    return _Layout(rate_hz, fmt.frame_bytes, fmt.decode), channels


def _expand_alaw() -> Samples:
    """ITU-T G.711 A-law, all 256 codes."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    linear = (mantissa << 4) + 8
    size = np.where(exponent == 0, linear, (linear + 0x100) << np.maximum(exponent - 1, 0))
    return (np.where(code & 0x80, size, -size) / 32768.0).astype(np.float32)


def _expand_mulaw() -> Samples:
    """ITU-T G.711 mu-law, all 256 codes."""
    code = ~np.arange(256) & 0xFF
    size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return (np.where(code & 0x80, -size, size) / 32768.0).astype(np.float32)


_ALAW_TABLE = _expand_alaw()
_MULAW_TABLE = _expand_mulaw()
