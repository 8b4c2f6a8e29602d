"""Which decoder a reply gets.

What the response says comes first, then what its first bytes show, then what
was asked for. Raw PCM is never sniffed away: a reply that says it is PCM is
PCM, whatever it looks like; one that says nothing where PCM was asked for is
PCM unless its first bytes are those of a container beyond doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import get_args

import numpy as np

from voicestream.decode.base import Decoder
from voicestream.errors import DecodeError
from voicestream.formats import FORMATS, OTHER, hinted_by, named_by, shown_by
from voicestream.pcm import Encoding, PcmFormat, Samples, no_samples
from voicestream.records import dataclass

DEFAULT_RATE_HZ = 24_000
_ENCODINGS: dict[str, Encoding] = {
    **{name: name for name in get_args(Encoding)},
    "s16le": "s16",
    "pcm_s16le": "s16",
    "float": "f32",
    "f32le": "f32",
    "pcm_f32le": "f32",
    "float32": "f32",
}
_LAWS = frozenset("basic pcmu pcma g711 mulaw ulaw alaw x-mulaw x-ulaw x-alaw mu-law a-law".split())
"""Names of 8-bit codings that are not decoded, and no samples."""
_CONTAINERS = (b"RIFF", b"OggS", b"fLaC", b"ID3")
_HEAD_BYTES = 40
"""How many first bytes show every format that can be known by them."""


@dataclass(frozen=True, slots=True)
class ContentType:
    """A response's content type, taken apart: ``audio/pcm; rate=16000``."""

    kind: str
    parameters: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> ContentType:
        kind, *rest = (part.strip() for part in text.replace(",", ";").split(";"))
        pairs = (part.lower().partition("=") for part in rest)
        values = {name.strip().replace("_", "-"): value.strip(' "') for name, _, value in pairs}
        return cls(kind.lower(), values)

    def number(self, *names: str) -> int | None:
        """Return the first of these parameters that is there and a number."""
        for name in names:
            value = self.parameters.get(name, "")
            if value.isdecimal():
                return int(value)
        return None


def open_decoder(
    content_type: str, requested: str, rate_hz: int | None = None, channels: int | None = None
) -> Decoder:
    """Return the decoder of one reply.

    It may hold the first bytes (at most 40) until it knows what they are.

    Args:
        content_type: the response's header, with its parameters; empty when there is none.
        requested: the format that was asked for, one of ``voicestream.formats.FORMATS``.
        rate_hz: of raw PCM, when the response says it elsewhere than in its content type.
        channels: the same.

    Raises:
        DecodeError: raw PCM at a rate or with a number of channels that cannot be played.
    """
    said = ContentType.parse(content_type)
    if named_by(said.kind) is FORMATS["pcm"]:
        raw = _pcm(said, rate_hz, channels)
        return DetectingDecoder(said, requested, lambda: raw)
    return DetectingDecoder(said, requested, lambda: _pcm(said, rate_hz, channels))


def preload(requested: str) -> None:
    """Import what decoding this format needs: to be done while the endpoint is still thinking."""
    if requested != "pcm":
        _made(requested)


def _pcm(said: ContentType, rate_hz: int | None, channels: int | None) -> Decoder:
    from voicestream.decode.raw import PcmDecoder

    parameters = said.parameters
    named = parameters.get("encoding") or parameters.get("format") or parameters.get("codec", "")
    if named in _LAWS or said.kind.removeprefix("audio/") in _LAWS:
        raise DecodeError(
            f"the reply is in {named or said.kind}, the coding of telephones",
            hint="Ask the endpoint for another format: --format.",
        )
    fmt = PcmFormat(
        said.number("rate", "samplerate", "sample-rate", "samplingrate", "sampling-rate")
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
        self._odd = False  # called PCM, and begins as a container would
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
    def complete(self) -> bool | None:
        return False if self._odd or self._decoder is None else self._decoder.complete

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
            self._odd = self._head.startswith(_CONTAINERS)
            self._decoder = self._pcm()
        else:
            self._decoder = _made(name)
        return self._decoder


def choose(head: bytes, kind: str, requested: str, ended: bool) -> str | None:
    """Return the name of the format of a reply that begins like this; None if more must be seen.

    Args:
        head: the first bytes.
        kind: the content type without its parameters, lower case.
        requested: the format that was asked for.
        ended: no more bytes will come.
    """
    if len(head) < _HEAD_BYTES and not ended:
        return None
    said, shown = named_by(kind), shown_by(head)
    if shown is not None:
        # an ID3 tag says no more than that one of those it may stand before will follow
        return said.name if shown.tagged and said is not None and said.tagged else shown.name
    if said is not None and said.name == "pcm":
        return "pcm"
    hinted = hinted_by(head)
    if requested == "pcm":
        # Two bytes prove nothing here, but they do together with the reply's own word. Servers
        # that label whatever they send as MP3 or WAV exist.
        if said is None or said.name in ("wav", OTHER.name):
            return "pcm"
        if said.name in ("mp3", "aac") and hinted is not None:
            return hinted.name
        return "pcm" if said.name == "mp3" else said.name
    known = hinted or said
    return known.name if known is not None else requested


def _made(name: str) -> Decoder:
    """Return a decoder of this format. Imports its file, and FFmpeg with it where that decodes
    it."""
    module, _, made = (OTHER if name == OTHER.name else FORMATS[name]).decoder.partition(":")
    decoder: Decoder = getattr(import_module(module), made)()
    return decoder
