"""Which decoder a reply gets.

What the response says comes first, then what its first bytes show, then what
was asked for. Raw PCM is never sniffed away: a reply that says it is PCM is
PCM, whatever it looks like; one that says nothing where PCM was asked for is
PCM unless its first bytes are those of a container beyond doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voicestream.decode.base import Decoder
from voicestream.pcm import Encoding, PcmFormat, Samples, no_samples

DEFAULT_RATE_HZ = 24_000
FORMATS = ("pcm", "wav", "mp3", "opus", "aac", "flac")

_TYPES = {
    "audio/pcm": "pcm",
    "audio/x-pcm": "pcm",
    "audio/raw": "pcm",
    "audio/l16": "pcm",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/mpeg3": "mp3",
    "audio/x-mpeg": "mp3",
    "audio/x-mp3": "mp3",
    "audio/opus": "opus",
    "audio/ogg": "opus",
    "application/ogg": "opus",
    "audio/aac": "aac",
    "audio/x-aac": "aac",
    "audio/aacp": "aac",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
}
_ENCODINGS: dict[str, Encoding] = {
    "s16le": "s16",
    "pcm_s16le": "s16",
    "float": "f32",
    "f32le": "f32",
    "pcm_f32le": "f32",
    "float32": "f32",
}
_LONGEST_MAGIC_BYTES = 40


def _wav() -> Decoder:
    from voicestream.decode.wav import WavDecoder

    return WavDecoder()


def _mp3() -> Decoder:
    from voicestream.decode.mp3 import Mp3Decoder

    return Mp3Decoder()


def _opus() -> Decoder:
    from voicestream.decode.opus import OpusDecoder

    return OpusDecoder()


def _aac() -> Decoder:
    from voicestream.decode.aac import AacDecoder

    return AacDecoder()


def _flac() -> Decoder:
    from voicestream.decode.flac import FlacDecoder

    return FlacDecoder()


def _buffered() -> Decoder:
    from voicestream.decode.buffered import BufferedDecoder

    return BufferedDecoder()


_FACTORIES: dict[str, Callable[[], Decoder]] = {
    "wav": _wav,
    "mp3": _mp3,
    "opus": _opus,
    "aac": _aac,
    "flac": _flac,
    "buffered": _buffered,
}
"""What needs no more than bytes. Each imports its own file, and FFmpeg with it, when called."""


@dataclass(frozen=True, slots=True)
class ContentType:
    """A response's content type, taken apart: ``audio/pcm; rate=16000``."""

    kind: str
    parameters: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> ContentType:
        kind, *rest = (part.strip() for part in text.split(";"))
        pairs = (part.partition("=") for part in rest)
        values = {name.strip().lower(): value.strip(' "').lower() for name, _, value in pairs}
        return cls(kind.lower(), values)

    def number(self, *names: str) -> int | None:
        """The first of these parameters that is there and a number."""
        for name in names:
            value = self.parameters.get(name, "")
            if value.isdecimal():
                return int(value)
        return None


def open_decoder(
    content_type: str, requested: str, rate_hz: int | None = None, channels: int | None = None
) -> Decoder:
    """The decoder of one reply.

    It may hold the first bytes (at most 40) until it knows what they are.

    Args:
        content_type: the response's header, with its parameters; empty when there is none.
        requested: the format that was asked for, one of ``FORMATS``.
        rate_hz: of raw PCM, when the response says it elsewhere than in its content type.
        channels: the same.

    Raises:
        DecodeError: raw PCM at a rate or with a number of channels that cannot be played.
    """
    said = ContentType.parse(content_type)
    if _TYPES.get(said.kind) == "pcm":
        raw = _pcm(said, rate_hz, channels)
        return DetectingDecoder(said, requested, lambda: raw)
    return DetectingDecoder(said, requested, lambda: _pcm(said, rate_hz, channels))


def preload(requested: str) -> None:
    """Import what decoding this format needs: to be done while the endpoint is still thinking."""
    if requested in _FACTORIES:
        _FACTORIES[requested]()


def _pcm(said: ContentType, rate_hz: int | None, channels: int | None) -> Decoder:
    from voicestream.decode.raw import PcmDecoder

    parameters = said.parameters
    named = parameters.get("encoding") or parameters.get("format") or parameters.get("codec", "")
    fmt = PcmFormat(
        said.number("rate", "samplerate", "sample_rate", "sample-rate")
        or rate_hz
        or DEFAULT_RATE_HZ,
        said.number("channels") or channels or 1,
        _ENCODINGS.get(named, "s16"),
    )
    # RFC 2586 wants L16 big-endian; speech services send it little-endian unless they say so.
    big_endian = parameters.get("endianness", "") in ("big-endian", "big")
    return PcmDecoder(fmt, big_endian)


class DetectingDecoder:
    """Holds the first bytes until they show what they are, then hands on to that decoder."""

    def __init__(self, said: ContentType, requested: str, pcm: Callable[[], Decoder]) -> None:
        self._said = said
        self._requested = requested
        self._pcm = pcm
        self._head = b""
        self._decoder: Decoder | None = None

    @property
    def format(self) -> PcmFormat | None:
        return self._decoder.format if self._decoder else None

    @property
    def skipped(self) -> int:
        return self._decoder.skipped if self._decoder else 0

    @property
    def note(self) -> str:
        return self._decoder.note if self._decoder else ""

    @property
    def complete(self) -> bool:
        return self._decoder is not None and self._decoder.complete

    @property
    def rest(self) -> bytes | None:
        return self._decoder.rest if self._decoder else None

    def feed(self, data: bytes) -> Samples:
        if self._decoder is not None:
            return self._decoder.feed(data)
        self._head += data
        decoder = self._decide(ended=False)
        if decoder is None:
            return no_samples()
        head, self._head = self._head, b""
        return decoder.feed(head)

    def flush(self) -> Samples:
        if self._decoder is not None:
            return self._decoder.flush()
        if not self._head:
            return no_samples()
        decoder = self._decide(ended=True)
        assert decoder is not None
        first = decoder.feed(self._head)
        rest = decoder.flush()
        return np.concatenate((first, rest)) if len(first) else rest

    def _decide(self, ended: bool) -> Decoder | None:
        name = choose(self._head, self._said.kind, self._requested, ended)
        if name is None:
            return None
        if name == "pcm":
            self._decoder = self._pcm()
        else:
            self._decoder = _FACTORIES[name]()
        return self._decoder


def choose(head: bytes, kind: str, requested: str, ended: bool) -> str | None:
    """The name of the decoder for a reply that begins like this; None if more must be seen.

    Args:
        head: the first bytes.
        kind: the content type without its parameters, lower case.
        requested: the format that was asked for.
        ended: no more bytes will come.
    """
    said = _TYPES.get(kind)
    if said is None and kind.startswith(("audio/", "video/")):
        said = "buffered"
    magic = sniff(head)
    if magic == "mp3" and said in ("aac", "flac"):
        return said  # an ID3 tag may stand before these, too
    if magic is None and not ended and len(head) < _LONGEST_MAGIC_BYTES and _may_be_magic(head):
        return None
    if magic is not None:
        return magic
    if said == "pcm":
        return said
    weak = _sniff_weakly(head)
    if weak is None and len(head) < 4 and not ended:
        return None
    if requested == "pcm":
        # Two bytes prove nothing here, but they do together with the reply's own word. Servers
        # that label whatever they send as MP3 or WAV exist.
        if said in ("mp3", "aac") and weak is not None:
            return weak
        return "pcm" if said in (None, "mp3", "wav", "buffered") else said
    return weak or said or requested


def sniff(head: bytes) -> str | None:
    """The container that these first bytes show beyond doubt (40 bits of them or more)."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:8] == b"fLaC\x00\x00\x00\x22" or head[:8] == b"fLaC\x80\x00\x00\x22":
        return "flac"
    if head[:6] == b"OggS\x00\x02" and len(head) >= 36:
        return "opus" if head[28:36] == b"OpusHead" else "buffered"
    if head[4:8] == b"ftyp" and head[:3] == b"\x00\x00\x00":
        return "buffered"  # MP4
    if head[:4] == b"\x1a\x45\xdf\xa3" and (b"webm" in head or b"matroska" in head):
        return "buffered"
    if (head[:4] == b"FORM" and head[8:11] == b"AIF") or head[:8] == b"caff\x00\x01\x00\x00":
        return "buffered"
    if head[:3] == b"ID3" and len(head) >= 10 and head[3] in (2, 3, 4) and head[4] == 0:
        return "mp3" if not head[5] & 0x0F and max(head[6:10]) < 0x80 else None
    return None


_BEGINNINGS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"\x1a\x45\xdf\xa3", b"FORM", b"caff", b"ID3")


def _may_be_magic(head: bytes) -> bool:
    """More bytes could still make this one of the containers."""
    if any(head.startswith(begin[: len(head)]) for begin in _BEGINNINGS):
        return True
    return head[:3] == b"\x00\x00\x00"[: len(head)] and b"ftyp".startswith(head[4:8])


def _sniff_weakly(head: bytes) -> str | None:
    """The codec whose frames may begin with these two bytes."""
    if len(head) < 2 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "aac"
    return "mp3" if head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08 else None
