"""SRTP (RFC 3711), by libsrtp: packets that only those who have the key can read or make."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from voicestream.errors import UsageError
from voicestream.files import read_bounded
from voicestream.packets.rtp import NotRtpError

KEY_BYTES = 30
"""Key and salt of AES_CM_128_HMAC_SHA1_80, the suite that every program knows."""
MORE_BYTES = 10
"""What a packet is longer than without."""
_MOST_BYTES = 1000


def read_key(file: str) -> bytes:
    """Return the key in a file: 30 bytes in base64, as FFmpeg and session descriptions have it.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    try:
        return parse_key(read_bounded(Path(file), _MOST_BYTES).strip())
    except OSError as error:
        raise UsageError(f"cannot read the key {file}", error.strerror or "") from error


def parse_key(text: str | bytes) -> bytes:
    """Return the key that stands there in base64. No message holds it.

    Raises:
        UsageError: it is none.
    """
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(
            "this is no key for SRTP",
            f"it must be {KEY_BYTES} bytes in base64",
            f"Make one: openssl rand -base64 {KEY_BYTES} > srtp.key",
        )
    return key


class Srtp:
    """Packets of either direction under one key. Used by one thread.

    Args:
        key: see :func:`parse_key`.

    Raises:
        UsageError: the library is not installed.
    """

    def __init__(self, key: bytes) -> None:
        try:
            from pylibsrtp import Error, Policy, Session
        except ImportError as error:
            raise UsageError(
                "SRTP needs pylibsrtp", hint="Run: pip install 'voicestream[srtp]'"
            ) from error
        self._error = Error
        self._out = Session(Policy(key, Policy.SSRC_ANY_OUTBOUND))
        self._in = Session(Policy(key, Policy.SSRC_ANY_INBOUND))

    def protect(self, packet: bytes) -> bytes:
        """Return an RTP packet as it is sent."""
        return self._out.protect(packet)

    def unprotect(self, data: bytes) -> bytes:
        """Return the RTP packet in what came.

        Raises:
            NotRtpError: it was not made with the key, or came before.
        """
        try:
            return self._in.unprotect(data)
        except (self._error, ValueError) as error:  # ValueError: longer than any packet
            raise NotRtpError(str(error)) from error
