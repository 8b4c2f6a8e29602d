"""MP3, frame by frame.

The header of a frame tells its length, so a frame is decoded when its last byte
is there, without waiting for the next one. The first frame of a file may be an
"Info" frame: no sound, but the encoder's delay, padding and the number of
frames (http://gabriel.mp3-tech.org/mp3infotag.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from voicestream.decode.compressed import PacketDecoder
from voicestream.decode.framed import FramedDecoder, without

DECODER_DELAY_FRAMES = 529
ENCODER_DELAY_FRAMES = 576  # LAME's, and so nearly everybody's, where no Info frame tells it

_BIT_RATES_KBPS = (
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),  # MPEG-2 and 2.5, layer III
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # MPEG-1, layer III
)
_RATES_HZ = (44100, 48000, 32000)
# Sync word of a layer III frame, or a tag; at the very end a part of them will do.
_BEGINNING = re.compile(rb"\xff(?:[\xe2\xe3\xf2\xf3\xfa\xfb]|\Z)|I(?:D3|D?\Z)")
_ID3_HEADER_BYTES = 10
_ID3V1_BYTES = 128


@dataclass(frozen=True, slots=True)
class Header:
    """What the four bytes at the start of a frame say."""

    version: int  # 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
    rate_hz: int
    size_bytes: int
    frames: int  # of sound, on each channel
    mono: bool

    @property
    def side_info_bytes(self) -> int:
        if self.version == 3:
            return 17 if self.mono else 32
        return 9 if self.mono else 17


def parse_header(data: bytes | bytearray, at: int = 0) -> Header | None:
    """The header of a layer III frame at that place, or None."""
    if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] & 0xE6 != 0xE2:
        return None
    version = data[at + 1] >> 3 & 3
    bit_rate, rate, padding = data[at + 2] >> 4, data[at + 2] >> 2 & 3, data[at + 2] >> 1 & 1
    # Bit rate 0 ("free") is used by nobody and would leave the length unknown.
    if version == 1 or rate == 3 or bit_rate in (0, 15) or data[at + 3] & 3 == 2:
        return None
    first = version == 3
    rate_hz = _RATES_HZ[rate] >> (0 if first else 1 if version == 2 else 2)
    frames = 1152 if first else 576
    size_bytes = frames // 8 * 1000 * _BIT_RATES_KBPS[first][bit_rate] // rate_hz + padding
    return Header(version, rate_hz, size_bytes, frames, data[at + 3] >> 6 == 3)


def id3_size_bytes(data: bytes | bytearray, at: int = 0) -> int | None:
    """How long the ID3v2 tag at that place is, with its header; None if it is none."""
    head = data[at : at + _ID3_HEADER_BYTES]
    if len(head) < _ID3_HEADER_BYTES or head[:3] != b"ID3":
        return None
    if head[3] == 0xFF or head[4] == 0xFF or any(byte & 0x80 for byte in head[6:]):
        return None
    size_bytes = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    footer = _ID3_HEADER_BYTES if head[5] & 0x10 else 0
    return _ID3_HEADER_BYTES + size_bytes + footer


class Mp3Decoder(FramedDecoder):
    """MP3 of one file, or of several on end: each has its own delay trimmed."""

    name = "MP3"

    def __init__(self) -> None:
        super().__init__()
        self._codec = PacketDecoder("mp3float")
        self._tag_bytes = 0  # of an ID3 tag, still to come
        self._in_step = True  # right behind a frame or a tag: the next header needs no proof
        self._file_begins = True
        self._position = 0  # in frames of sound since the file began
        self._windows: list[tuple[int, int]] = []

    def _step(self, ended: bool) -> bool:
        left = len(self._buffer) - self._at
        if self._tag_bytes:
            self._tag_bytes -= len(self._consume(min(left, self._tag_bytes)))
            return not self._tag_bytes
        if left < 4 or (self._looks_like_tag() and left < _ID3_HEADER_BYTES):
            return False
        if size_bytes := id3_size_bytes(self._buffer, self._at):
            self._tag_bytes = size_bytes
            self._begin_file()
            return True
        if self._buffer.startswith(b"TAG", self._at) and self._in_step:
            return self._skip_id3v1(left, ended)
        header = parse_header(self._buffer, self._at)
        if header is None or (self._format and header.rate_hz != self._format.rate_hz):
            return self._resync()
        return self._read_frame(header, left, ended)

    def _read_frame(self, header: Header, left: int, ended: bool) -> bool:
        if not self._in_step:
            # After junk a header is believed only when the next one agrees.
            if left < header.size_bytes + 4 and not ended:
                return False
            follower = parse_header(self._buffer, self._at + header.size_bytes)
            proven = follower is not None and follower.rate_hz == header.rate_hz
            if not proven and not (ended and left == header.size_bytes):
                return self._resync()
        if left < header.size_bytes:
            return False
        self._in_step = True
        self._in_junk = False
        self._understood = True
        self._decode(header, self._consume(header.size_bytes))
        return True

    def _decode(self, header: Header, frame: bytes) -> None:
        info = parse_info(header, frame)
        if info is not None:
            self._begin_file()
            self._windows = info
        if self._file_begins:
            self._file_begins = False
            self._windows = self._windows or [(0, ENCODER_DELAY_FRAMES + DECODER_DELAY_FRAMES)]
        if info is not None:
            return
        samples = self._codec.decode(frame)
        if samples is None:
            self._skipped += 1
        else:
            kept = without(samples, self._position, self._windows)
            self._emit(kept, self._codec.rate_hz)
        self._position += header.frames

    def _begin_file(self) -> None:
        self._file_begins = True
        self._in_step = True
        self._position = 0
        self._windows = []

    def _looks_like_tag(self) -> bool:
        return self._buffer.startswith(b"ID3", self._at)

    def _skip_id3v1(self, left: int, ended: bool) -> bool:
        if left < _ID3V1_BYTES and not ended:
            return False
        self._consume(min(left, _ID3V1_BYTES))
        return True

    def _resync(self) -> bool:
        """Go to the next byte a frame or a tag may begin with."""
        self._in_step = False
        found = _BEGINNING.search(self._buffer, self._at + 1)
        limit = found.start() if found else len(self._buffer)
        self._drop(limit - self._at)
        return True


def parse_info(header: Header, frame: bytes) -> list[tuple[int, int]] | None:
    """The frames of sound to leave out, as an Info frame tells; None if it is an ordinary frame.

    The arithmetic is that of FFmpeg's ``mp3dec.c``.
    """
    at = 4 + header.side_info_bytes
    if frame[36:40] == b"VBRI":
        return [(0, ENCODER_DELAY_FRAMES + DECODER_DELAY_FRAMES)]
    if frame[at : at + 4] not in (b"Xing", b"Info"):
        return None
    flags = frame[at + 7] if len(frame) > at + 7 else 0
    at += 8
    count = 0
    if flags & 1:
        count = int.from_bytes(frame[at : at + 4], "big")
        at += 4
    at += (4 if flags & 2 else 0) + (100 if flags & 4 else 0) + (4 if flags & 8 else 0)
    tag = frame[at : at + 24]
    if len(tag) < 24 or tag[:4] not in (b"LAME", b"Lavf", b"Lavc"):
        return [(0, ENCODER_DELAY_FRAMES + DECODER_DELAY_FRAMES)]
    delays = int.from_bytes(tag[21:24], "big")
    delay, padding = delays >> 12, delays & 0xFFF
    windows = [(0, delay + DECODER_DELAY_FRAMES)]
    if count:
        end = count * header.frames
        windows.append((max(windows[0][1], end - padding + DECODER_DELAY_FRAMES), end))
    return [window for window in windows if window[0] < window[1]]
