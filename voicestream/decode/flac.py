"""FLAC (RFC 9639), frame by frame.

A frame does not tell its length: it ends where the next one begins. FFmpeg's
parser wants ten headers before it dares to say so; here the next header is
believed because its number is the one that must follow, and its checksum fits.
"""

from __future__ import annotations

import re

from voicestream.decode.compressed import PacketDecoder
from voicestream.decode.framed import FramedDecoder
from voicestream.errors import DecodeError
from voicestream.records import dataclass

_MARK = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_FRAME_OR_MARK = re.compile(rb"\xff[\xf8\xf9]|fLaC[\x00\x80]\x00\x00\x22")
_MARK_BYTES = 8
_MAX_HEADER_BYTES = 16
_PICTURE = 6
_LAST_BLOCK = 0x80
_MAX_LOST_FRAMES = 16

_BLOCKS = (0, 192, 576, 1152, 2304, 4608, -1, -2, *(256 << shift for shift in range(8)))
_RATES_HZ = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_RATE_TAIL_BYTES = {12: 1, 13: 2, 14: 2}
_BITS = (0, 8, 12, -1, 16, 20, 24, 32)


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """The first block of metadata: what all frames have in common."""

    raw: bytes
    max_block: int
    rate_hz: int
    channels: int
    bits: int

    @classmethod
    def parse(cls, raw: bytes) -> StreamInfo:
        packed = int.from_bytes(raw[10:14], "big")
        max_block = int.from_bytes(raw[2:4], "big")
        return cls(raw, max_block, packed >> 12, (packed >> 9 & 7) + 1, (packed >> 4 & 31) + 1)

    @property
    def total(self) -> int:
        """Samples of each channel in the whole stream; 0 if it does not say."""
        return int.from_bytes(self.raw[13:18], "big") & (1 << 36) - 1

    @property
    def max_frame_bytes(self) -> int:
        """No frame can be longer: uncompressed samples (one bit more for a side channel)."""
        return self.max_block * self.channels * (self.bits + 1) // 8 + 64 * self.channels


@dataclass(frozen=True, slots=True)
class FrameHeader:
    number: int  # of the frame; or of its first sample, when the blocks vary
    next_number: int
    slack: int  # how far a number may be ahead when frames were lost


class FlacDecoder(FramedDecoder):
    """One FLAC stream, or several on end."""

    name = "FLAC"

    def __init__(self) -> None:
        super().__init__()
        self._info: StreamInfo | None = None
        self._codec: PacketDecoder | None = None
        self._skip_bytes = 0  # of a metadata block, still to come
        self._in_metadata = False
        self._frame: FrameHeader | None = None  # it begins at ``_at``
        self._stream_samples = 0  # of this stream
        self._searched_bytes = 0  # of it: the next one does not begin in them

    def _step(self, ended: bool) -> bool:
        if self._skip_bytes:
            left = len(self._buffer) - self._at
            self._skip_bytes -= len(self._consume(min(left, self._skip_bytes)))
            return not self._skip_bytes
        if self._in_metadata:
            return self._read_metadata()
        if self._frame is not None:
            return self._read_frame(ended)
        return self._find_frame(ended)

    def _find_frame(self, ended: bool) -> bool:
        """At the begin of a frame or of a stream, or lost: find the next of them."""
        left = len(self._buffer) - self._at
        if left < _MAX_HEADER_BYTES and not (ended and left):
            return False
        if _MARK.match(self._buffer, self._at):
            return self._begin_stream()
        self._frame = self._parse(self._at)
        if self._frame is not None:
            self._searched_bytes = 1
            return True
        found = _FRAME_OR_MARK.search(self._buffer, self._at + 1)
        limit = found.start() if found else max(self._at + 1, len(self._buffer) - _MARK_BYTES + 1)
        self._drop(limit - self._at)
        return True

    def _begin_stream(self) -> bool:
        if len(self._buffer) - self._at < _MARK_BYTES + 34:
            return False
        block = self._consume(_MARK_BYTES + 34)
        info = StreamInfo.parse(block[_MARK_BYTES:])
        if self._format is not None and self._format.rate_hz != info.rate_hz:
            self._at -= len(block)
            self._leave_rest(self._at)
            return False
        if self._info is None or info.raw != self._info.raw:
            self._codec = PacketDecoder("flac", info.raw, err_detect="crccheck+explode")
        if not info.max_block:
            raise DecodeError("The FLAC header is broken", "it says that its frames are empty")
        self._info = info
        self._stream_samples = 0
        self.complete = False if info.total else None
        self._understood = True
        self._in_junk = False
        self._in_metadata = not block[4] & _LAST_BLOCK
        return True

    def _read_metadata(self) -> bool:
        if len(self._buffer) - self._at < 4:
            return False
        block = self._consume(4)
        self._in_metadata = not block[0] & _LAST_BLOCK
        self._skip_bytes = int.from_bytes(block[1:], "big")
        if block[0] & ~_LAST_BLOCK == _PICTURE:
            self._expect(self._skip_bytes)
        return True

    def _read_frame(self, ended: bool) -> bool:
        """Decode the frame at ``_at`` once its end is known."""
        assert self._frame is not None
        assert self._info is not None
        size_bytes = self._find_end(self._frame, ended)
        if size_bytes is None:
            if self._searched_bytes > self._info.max_frame_bytes:
                self._lose_frame()
                return True
            if not ended:
                return False
            size_bytes = len(self._buffer) - self._at
        assert self._codec is not None
        self._frame = None
        self._in_junk = False
        samples = self._codec.decode(self._consume(size_bytes))
        if samples is None:
            self._skipped += 1
        else:
            self._emit(samples, self._codec.rate_hz)
            self._stream_samples += len(samples)
            if self._info.total:
                self.complete = self._info.total <= self._stream_samples
        return True

    def _find_end(self, frame: FrameHeader, ended: bool) -> int | None:
        """Return the size of the frame at ``_at``, when the next one is in sight."""
        assert self._info is not None
        end = len(self._buffer) - (1 if ended else _MAX_HEADER_BYTES)
        place = self._at + self._searched_bytes
        while (found := _FRAME_OR_MARK.search(self._buffer, place)) is not None:
            at = found.start()
            if at > end or at - self._at > self._info.max_frame_bytes:
                break
            place = at + 1
            if self._buffer[at] != 0xFF:
                return at - self._at
            follower = self._parse(at)
            if follower is not None and 0 <= follower.number - frame.next_number <= frame.slack:
                return at - self._at
        self._searched_bytes = max(self._searched_bytes, end + 1 - self._at)
        return None

    def _lose_frame(self) -> None:
        """Too long to be a frame."""
        self._frame = None
        self._drop(1)

    def _parse(self, at: int) -> FrameHeader | None:
        if self._info is None:
            return None
        return parse_frame_header(self._buffer[at : at + _MAX_HEADER_BYTES], self._info)


def parse_frame_header(head: bytes | bytearray, info: StreamInfo) -> FrameHeader | None:
    """Return the header of a frame of this stream, checksum and all; None if it is none."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    block_code, rate_code = head[2] >> 4, head[2] & 15
    channel_code, bits = head[3] >> 4, _BITS[head[3] >> 1 & 7]
    channels = channel_code + 1 if channel_code < 8 else 2
    if block_code == 0 or rate_code == 15 or channel_code > 10 or channels != info.channels:
        return None
    if bits not in (0, info.bits):
        return None
    number, size = _read_number(head)
    block_tail = {6: 1, 7: 2}.get(block_code, 0)
    crc_at = size + block_tail + _RATE_TAIL_BYTES.get(rate_code, 0)
    if not size or crc_at >= len(head) or crc8(head[:crc_at]) != head[crc_at]:
        return None
    if 0 < rate_code < 12 and _RATES_HZ[rate_code] != info.rate_hz:
        return None
    block = _BLOCKS[block_code]
    if block_tail:
        block = int.from_bytes(head[size : size + block_tail], "big") + 1
    if head[1] & 1:
        return FrameHeader(number, number + block, _MAX_LOST_FRAMES * info.max_block)
    return FrameHeader(number, number + 1, _MAX_LOST_FRAMES)


def _read_number(head: bytes | bytearray) -> tuple[int, int]:
    """Return the number coded like UTF-8 from byte 4 on, and where it ends (0: it is broken)."""
    first = head[4]
    if first < 0x80:
        return first, 5
    extra = 7 - (first ^ 0xFF).bit_length()
    if not 1 <= extra <= 6 or len(head) < 5 + extra:
        return 0, 0
    number = first & (0x3F >> extra)
    for byte in head[5 : 5 + extra]:
        if byte & 0xC0 != 0x80:
            return 0, 0
        number = number << 6 | byte & 0x3F
    return number, 5 + extra


def crc8(data: bytes | bytearray) -> int:
    """CRC-8 with the polynomial x^8 + x^2 + x + 1."""
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _crc8_of_byte(value: int) -> int:
    for _ in range(8):
        value = (value << 1 ^ 0x07 if value & 0x80 else value << 1) & 0xFF
    return value


_CRC8 = bytes(_crc8_of_byte(byte) for byte in range(256))
