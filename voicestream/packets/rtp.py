"""Packets of RTP (RFC 3550): their bytes, and their bytes made."""

from __future__ import annotations

import struct

from voicestream.records import dataclass

MOST_BYTES = 1500
"""No packet of sound is longer: it would not pass an Ethernet whole."""
_HEAD = struct.Struct(">BBHII")
_VERSION = 2 << 6
_PADDED, _EXTENDED, _SOURCES = 0x20, 0x10, 0x0F
_MARKER = 0x80
_RTCP = range(64, 96)
"""Payload types that are RTCP's where both come on one port (RFC 5761)."""


class NotRtpError(ValueError):
    """Bytes that are no packet of RTP."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet of sound.

    Attributes:
        sequence: counts packets, modulo 2^16.
        timestamp: of the first frame of ``payload``, in units of the payload type's clock,
            modulo 2^32.
        marker: sound begins here after a pause.
        ssrc: who sends; a restart picks another.
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False


def parse(data: bytes) -> RtpPacket:
    """Return the packet in ``data``. Contributing sources and extensions are passed over.

    Raises:
        NotRtpError: it is none.
    """
    if not _HEAD.size <= len(data) <= MOST_BYTES:
        raise NotRtpError(f"{len(data)} bytes")
    first, second, sequence, timestamp, ssrc = _HEAD.unpack_from(data)
    if first & 0xC0 != _VERSION:
        raise NotRtpError(f"version {first >> 6}")
    if second & 0x7F in _RTCP:
        raise NotRtpError("RTCP")
    begin, end = _HEAD.size + 4 * (first & _SOURCES), len(data)
    if first & _EXTENDED:
        if end < begin + 4:
            raise NotRtpError("cut off in its extension")
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
    if first & _PADDED:
        if not data[-1]:
            raise NotRtpError("padding of no length")
        end -= data[-1]
    if begin > end:
        raise NotRtpError("cut off in its header")
    return RtpPacket(
        second & 0x7F, sequence, timestamp, ssrc, data[begin:end], bool(second & _MARKER)
    )


def build(packet: RtpPacket) -> bytes:
    """Return the bytes of a packet."""
    second = packet.payload_type | (_MARKER if packet.marker else 0)
    head = _HEAD.pack(
        _VERSION,
        second,
        packet.sequence & 0xFFFF,
        packet.timestamp & 0xFFFFFFFF,
        packet.ssrc,
    )
    return head + packet.payload


def unwrap(value: int, near: int, bits: int) -> int:
    """Return the number nearest to ``near`` that is ``value`` modulo ``2 ** bits``."""
    half = 1 << (bits - 1)
    return near + ((value - near + half) & ((1 << bits) - 1)) - half
