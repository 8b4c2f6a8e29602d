"""What a session description (SDP, RFC 8866) says of its sound, and which payloads are known."""

from __future__ import annotations

import ipaddress

from voicestream.errors import UsageError
from voicestream.records import dataclass

MOST_BYTES = 16_384
_DYNAMIC = range(96, 128)


@dataclass(frozen=True, slots=True)
class Payload:
    """What is in packets of a payload type.

    Attributes:
        codec: ``opus``, ``L16``, ``PCMU`` or ``PCMA``.
        clock_hz: units of the timestamp in a second: the rate of the sound.
    """

    codec: str
    clock_hz: int
    channels: int = 1


OPUS = Payload("opus", 48_000, 2)
STATIC = {
    0: Payload("PCMU", 8_000),
    8: Payload("PCMA", 8_000),
    10: Payload("L16", 44_100, 2),
    11: Payload("L16", 44_100),
}
"""RFC 3551, table 4."""
_CODECS = {"opus": "opus", "l16": "L16", "pcmu": "PCMU", "pcma": "PCMA"}


@dataclass(frozen=True, slots=True)
class Description:
    """Where sound comes to, and what its payload types mean.

    Attributes:
        address: where it is sent to, as the sender wrote it; empty: it did not say.
        port: 0: it did not say.
        key: of SRTP, in base64; empty: it is not encrypted.
    """

    address: str
    port: int
    payloads: dict[int, Payload]
    key: str = ""

    def payload_of(self, payload_type: int) -> Payload | None:
        """Return what is in packets of a type: a dynamic one that nobody described is Opus."""
        if found := self.payloads.get(payload_type):
            return found
        if self.payloads:
            return None
        return OPUS if payload_type in _DYNAMIC else STATIC.get(payload_type)


def parse(text: str) -> Description:
    """Return what the first sound of a session description is.

    Raises:
        UsageError: there is none, or it is in no form that is known here.
    """
    address, port, key = "", 0, ""
    types: list[int] = []
    mapped: dict[int, Payload] = {}
    unknown: list[str] = []
    in_sound = before = True
    for line in text.splitlines():
        kind, mark, value = line.strip().partition("=")
        if not mark:
            continue
        if kind == "m":
            in_sound = before and value.startswith("audio ")
            if in_sound:
                before = False
                port, types = _media(value)
        elif in_sound and kind == "c":
            address = _address(value) or address
        elif in_sound and not before and kind == "a" and value.startswith("rtpmap:"):
            _map(value, mapped, unknown)
        elif in_sound and not before and kind == "a" and value.startswith("crypto:") and not key:
            key = _key(value)
    payloads = {it: mapped.get(it) or STATIC.get(it) for it in types}
    known = {it: found for it, found in payloads.items() if found is not None}
    if not known:
        told = f"it holds {', '.join(unknown)}" if unknown else "it names no sound"
        raise UsageError(
            "this session description cannot be played", told, "Opus, L16, PCMU and PCMA can."
        )
    return Description(address, port, known, key)


def _media(value: str) -> tuple[int, list[int]]:
    words = value.split()
    if len(words) < 4 or not words[2].startswith(("RTP/AVP", "RTP/SAVP")):
        raise UsageError("this session description cannot be played", f"m={value}")
    port = words[1].partition("/")[0]
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        raise UsageError("this session description cannot be played", f"port {port}")
    return int(port), [int(it) for it in words[3:] if it.isdecimal() and int(it) < 128]


def _address(value: str) -> str:
    words = value.split()
    if len(words) < 3:
        return ""
    try:
        return str(ipaddress.ip_address(words[2].partition("/")[0]))
    except ValueError:
        return ""


def _key(value: str) -> str:
    """RFC 4568: ``crypto:1 AES_CM_128_HMAC_SHA1_80 inline:KEY|LIFETIME``."""
    words = value.split()
    if len(words) < 3 or words[1] != "AES_CM_128_HMAC_SHA1_80":
        return ""
    return words[2].removeprefix("inline:").partition("|")[0]


def _map(value: str, mapped: dict[int, Payload], unknown: list[str]) -> None:
    number, _, name = value.removeprefix("rtpmap:").partition(" ")
    codec, _, rest = name.strip().partition("/")
    clock, _, channels = rest.partition("/")
    known = _CODECS.get(codec.lower())
    if not number.isdecimal() or not clock.isdecimal() or not (channels or "1").isdecimal():
        return
    clock_hz, count = int(clock), int(channels or 1)
    if known is None or not 8_000 <= clock_hz <= 192_000 or not 1 <= count <= 8:
        unknown.append(name.strip())
    elif known == "opus":
        mapped[int(number)] = OPUS
    else:
        mapped[int(number)] = Payload(known, clock_hz, count)
