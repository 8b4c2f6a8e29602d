"""Opus in Ogg (RFC 7845, RFC 3533), packet by packet.

A page tells in its header how long its packets are and where the sound ends, so
the first packet is decoded when it is there, though the page may hold a second
of speech. Only where something is wrong a page is waited for whole, and must
prove itself by its checksum.
"""

from __future__ import annotations

import struct
import sys
import zlib

from voicestream.decode.compressed import PacketDecoder
from voicestream.decode.framed import FramedDecoder, without
from voicestream.pcm import Samples

RATE_HZ = 48_000

_HEADER_BYTES = 27
_CONTINUED, _BEGINS, _ENDS = 1, 2, 4
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
# Sound per frame in samples at 48 kHz, by the configuration in a packet's first byte.
_SILK = (480, 960, 1920, 2880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)
_FRAME_SAMPLES = _SILK * 3 + _HYBRID * 2 + _CELT * 4


class OpusDecoder(FramedDecoder):
    """One Ogg/Opus stream, or several on end; other streams between its pages are ignored."""

    name = "Ogg Opus"

    def __init__(self) -> None:
        super().__init__()
        self._in_step = True  # at the place where the last page said that it ends
        # The page that is being read.
        self._pieces: list[tuple[int, bool]] = []  # sizes, and whether a packet ends there
        self._flags = 0
        self._page_serial = 0
        self._is_ours = False
        self._parts: bytes | None = b""  # of a packet that goes on; None: it began out of sight
        # The stream.
        self._serial: int | None = None
        self._codec: PacketDecoder | None = None
        self._expects_tags = False
        self._position = 0  # samples the codec has given
        self._announced = 0  # samples that the packets so far hold
        self._granule = 0  # where the last page ended
        self._windows: list[tuple[int, int]] = []

    def _step(self, ended: bool) -> bool:
        if self._pieces:
            return self._read_piece()
        return self._read_header(ended)

    def _finish(self) -> None:
        self._drain()

    def _read_header(self, ended: bool) -> bool:
        left = len(self._buffer) - self._at
        if left < _HEADER_BYTES:
            return False
        mark, version, flags, granule, serial, _, _, count = struct.unpack_from(
            "<4sBBqIIIB", self._buffer, self._at
        )
        if mark != b"OggS" or version != 0:
            return self._resync()
        if left < _HEADER_BYTES + count:
            return False
        lacing_at = self._at + _HEADER_BYTES
        lacing = self._buffer[lacing_at : lacing_at + count]
        if not self._in_step:
            size_bytes = _HEADER_BYTES + count + sum(lacing)
            if left < size_bytes and not ended:
                return False
            page = self._buffer[self._at : self._at + size_bytes]
            if len(page) < size_bytes or not is_intact(page):
                return self._resync()
            self._parts = None
        self._in_step = True
        self._in_junk = False
        self._consume(_HEADER_BYTES + count)
        self._open_page(flags, granule, serial, lacing)
        return True

    def _open_page(self, flags: int, granule: int, serial: int, lacing: bytearray) -> None:
        self._pieces = split_lacing(lacing)
        self._flags = flags
        self._page_serial = serial
        self._is_ours = serial == self._serial or bool(flags & _BEGINS)
        if not self._is_ours:
            return
        if flags & _CONTINUED == 0 and self._parts != b"":
            self._skipped += bool(self._parts)
            self._parts = b""
        elif flags & _CONTINUED and self._parts == b"":
            self._parts = None
        if flags & _BEGINS == 0 and self._codec is not None:
            self._mark_end(flags, granule, lacing)
        if not self._pieces:
            self._close_page()

    def _mark_end(self, flags: int, granule: int, lacing: bytearray) -> None:
        """Note where the sound ends, before this page's packets are read."""
        if flags & _ENDS and self._granule <= granule and lacing:
            end = self._announced + granule - self._granule
            self._windows.append((max(end, self._windows[0][1]), sys.maxsize))
        if granule != -1:
            self._granule = granule

    def _read_piece(self) -> bool:
        size_bytes, ends = self._pieces[0]
        if len(self._buffer) - self._at < size_bytes:
            return False
        self._pieces.pop(0)
        piece = self._consume(size_bytes)
        if self._is_ours:
            if self._parts is not None:
                self._parts += piece
            if ends:
                packet, self._parts = self._parts, b""
                if packet:
                    self._read_packet(packet)
        if not self._pieces:
            self._close_page()
        return True

    def _close_page(self) -> None:
        if self._is_ours and self._flags & _ENDS:
            self._drain()
            self.complete = True

    def _read_packet(self, packet: bytes) -> None:
        if self._flags & _BEGINS and packet.startswith(b"OpusHead"):
            self._begin(packet)
        elif self._codec is None or self._page_serial != self._serial:
            self._is_ours = False  # the begin of another kind of stream
        elif self._expects_tags and packet.startswith(b"OpusTags"):
            self._expects_tags = False
        else:
            self._expects_tags = False
            self._announced += duration(packet)
            samples = self._codec.decode(packet)
            if samples is None:
                self._skipped += 1
                self._position = self._announced
            else:
                self._emit_at(samples)

    def _begin(self, head: bytes) -> None:
        self._drain()
        self.complete = False  # until a page says that it is the last
        # FFmpeg would trim what the header tells it to, but not across packets: it is told 0.
        self._codec = PacketDecoder("opus", head[:10] + b"\0\0" + head[12:])
        self._understood = True
        self._serial = self._page_serial
        self._expects_tags = True
        self._position = self._announced = self._granule = 0
        self._windows = [(0, int.from_bytes(head[10:12], "little"))]

    def _drain(self) -> None:
        """The stream ends: what the codec held back comes out."""
        if self._codec is not None:
            self._emit_at(self._codec.flush())
            self._codec = None

    def _emit_at(self, samples: Samples) -> None:
        self._emit(without(samples, self._position, self._windows), RATE_HZ)
        self._position += len(samples)

    def _resync(self) -> bool:
        """Go to the next place where a page may begin."""
        self._in_step = False
        end = len(self._buffer)
        found = self._buffer.find(b"OggS", self._at + 1)
        limit = found if found >= 0 else max(self._at + 1, end - 3)
        self._drop(limit - self._at)
        return True


def split_lacing(lacing: bytes | bytearray) -> list[tuple[int, bool]]:
    """Return the sizes of the pieces in a page's segment table, and whether a packet ends with
    each."""
    pieces = []
    size_bytes = 0
    for value in lacing:
        size_bytes += value
        if value < 255:
            pieces.append((size_bytes, True))
            size_bytes = 0
    if size_bytes:
        pieces.append((size_bytes, False))
    return pieces


def duration(packet: bytes) -> int:
    """Return how many samples at 48 kHz a packet holds (RFC 6716, section 3.1)."""
    each = _FRAME_SAMPLES[packet[0] >> 3]
    code = packet[0] & 3
    if code < 3:
        return each * (1 if code == 0 else 2)
    return each * (packet[1] & 63) if len(packet) > 1 else 0


def is_intact(page: bytes | bytearray) -> bool:
    """Return whether the checksum of a whole page fits.

    Ogg's CRC-32 is zlib's with the bits of each byte the other way round and
    without the two inversions.
    """
    bare = bytes(page[:22]) + b"\0\0\0\0" + bytes(page[26:])
    reflected = zlib.crc32(bare.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2) == int.from_bytes(page[22:26], "little")
