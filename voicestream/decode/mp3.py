"""MP3, frame by frame.

The first frame of a file may be an "Info" frame: no sound, but the encoder's
delay, padding and the number of frames
(http://gabriel.mp3-tech.org/mp3infotag.html).
"""

from __future__ import annotations

import re

from voicestream.decode.compressed import PacketDecoder
from voicestream.decode.framed import without
from voicestream.decode.synced import SyncedDecoder
from voicestream.records import dataclass

DECODER_DELAY_FRAMES = 529
ENCODER_DELAY_FRAMES = 576  # LAME's, and so nearly everybody's, where no Info frame tells it

_BIT_RATES_KBPS = (
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),  # MPEG-2 and 2.5, layer III
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # MPEG-1, layer III
)
_RATES_HZ = (44100, 48000, 32000)


@dataclass(frozen=True, slots=True)
class Mp3Header:
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


def parse_header(data: bytes | bytearray, at: int = 0) -> Mp3Header | None:
    """Return the header of a layer III frame at that place, or None."""
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
    return Mp3Header(version, rate_hz, size_bytes, frames, data[at + 3] >> 6 == 3)


class Mp3Decoder(SyncedDecoder):
    """MP3 of one file, or of several on end: each has its own delay trimmed."""

    name = "MP3"
    beginning = re.compile(rb"\xff(?:[\xe2\xe3\xf2\xf3\xfa\xfb]|\Z)|I(?:D3|D?\Z)")

    def __init__(self) -> None:
        super().__init__()
        self._codec = PacketDecoder("mp3float")
        self._file_begins = True
        self._position = 0  # in frames of sound since the file began
        self._windows: list[tuple[int, int]] = []
        self._named_frames = 0  # of sound, as the file's Info frame says; 0: it does not

    def _parse(self, at: int) -> Mp3Header | None:
        return parse_header(self._buffer, at)

    def _decode(self, frame: bytes) -> None:
        header = parse_header(frame)
        assert header is not None
        info = parse_info(header, frame)
        if info is not None:
            self._begin_file()
            self._windows = info
            self._named_frames = named_frames(header, frame)
        if self._file_begins:
            self._file_begins = False
            self._windows = self._windows or [(0, ENCODER_DELAY_FRAMES + DECODER_DELAY_FRAMES)]
        if info is not None:
            return
        samples = self._codec.decode(frame)
        if samples is None:
            self._skipped += 1
        else:
            self._emit(without(samples, self._position, self._windows), self._codec.rate_hz)
        self._position += header.frames
        if self._named_frames:
            self.complete = self._named_frames <= self._position

    def _begin_file(self) -> None:
        self._file_begins = True
        self._position = 0
        self._windows = []
        self._named_frames = 0
        self.complete = None


def named_frames(header: Mp3Header, frame: bytes) -> int:
    """Return frames of sound in a file, padding included, as its Info frame tells; 0 if it does
    not."""
    at = 4 + header.side_info_bytes
    if frame[at : at + 4] not in (b"Xing", b"Info") or not frame[at + 7 : at + 8].strip(b"\0"):
        return 0
    counted = frame[at + 7] & 1
    return int.from_bytes(frame[at + 8 : at + 12], "big") * header.frames if counted else 0


def parse_info(header: Mp3Header, frame: bytes) -> list[tuple[int, int]] | None:
    """Return the frames of sound to leave out, as an Info frame tells; None if it is an ordinary
    frame.

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
