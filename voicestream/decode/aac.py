"""AAC as servers stream it: frames with ADTS headers (ISO/IEC 13818-7)."""

from __future__ import annotations

import re

from voicestream.decode.compressed import PacketDecoder
from voicestream.decode.synced import SyncedDecoder
from voicestream.records import dataclass

_RATES_HZ = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)


@dataclass(frozen=True, slots=True)
class AdtsHeader:
    """What the seven bytes at the start of a frame say."""

    rate_hz: int  # of the core: with spectral band replication the sound has twice that
    size_bytes: int


def parse_adts(data: bytes | bytearray, at: int = 0) -> AdtsHeader | None:
    """Return the ADTS header at that place, or None."""
    if len(data) < at + 7 or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return None
    rate = data[at + 2] >> 2 & 15
    size_bytes = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    least_bytes = 7 if data[at + 1] & 1 else 9
    if rate >= len(_RATES_HZ) or size_bytes <= least_bytes:
        return None
    return AdtsHeader(_RATES_HZ[rate], size_bytes)


class AacDecoder(SyncedDecoder):
    """AAC in ADTS, of one file or of several on end."""

    name = "AAC"
    header_bytes = 7
    beginning = re.compile(rb"\xff(?:[\xf0\xf1\xf8\xf9]|\Z)|I(?:D3|D?\Z)")

    def __init__(self) -> None:
        super().__init__()
        self._codec = PacketDecoder("aac")
        self._file_begins = True

    def _parse(self, at: int) -> AdtsHeader | None:
        return parse_adts(self._buffer, at)

    def _decode(self, frame: bytes) -> None:
        samples = self._codec.decode(frame)
        # The first frame holds what encoder and decoder need to get going: 1024 samples
        # (2048 with band replication) without any sound of their own.
        primes, self._file_begins = self._file_begins, False
        if samples is None:
            self._skipped += 1
        elif not primes:
            self._emit(samples, self._codec.rate_hz)

    def _begin_file(self) -> None:
        self._file_begins = True
