"""Sound to bytes in each of the six formats, as it is made: FFmpeg's encoders, by way of PyAV."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol

import av
import av.logging
import numpy as np

from voicestream.pcm import Frames16, PcmFormat

av.logging.set_level(None)  # FFmpeg would talk on stderr


class Encoder(Protocol):
    """16-bit frames of one reply -> bytes of its format. Used by one thread at a time."""

    def encode(self, frames: Frames16) -> bytes:
        """Take frames of shape ``(frames, channels)``; return the bytes they complete."""

    def finish(self) -> bytes:
        """No more frames will come: return what is left. Called once, last."""


class PcmEncoder:
    """The samples as they are; with ``header`` a WAV file of unknown length."""

    def __init__(self, pcm: PcmFormat, header: bool) -> None:
        self._head = _wav_header(pcm) if header else b""

    def encode(self, frames: Frames16) -> bytes:
        head, self._head = self._head, b""
        return head + frames.astype("<i2", copy=False).tobytes()

    def finish(self) -> bytes:
        return self._head


def _wav_header(pcm: PcmFormat) -> bytes:
    """Its sizes say: until the end."""
    unknown = 0xFFFFFFFF
    block = pcm.frame_bytes
    form = struct.pack(
        "<HHIIHH", 1, pcm.channels, pcm.rate_hz, pcm.bytes_per_s, block, 8 * block // pcm.channels
    )
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data"
    return b"RIFF" + struct.pack("<I", unknown) + chunks + struct.pack("<I", unknown)


@dataclass(frozen=True, slots=True)
class _Codec:
    name: str
    container: str
    bit_rate: int
    options: dict[str, str]


_CODECS = {
    # without the header frame that tells the length, which nobody knows yet
    "mp3": _Codec("libmp3lame", "mp3", 96_000, {"write_xing": "0", "id3v2_version": "0"}),
    # a page of a second would be held back until it is full
    "opus": _Codec("libopus", "ogg", 48_000, {"page_duration": "100000"}),
    "aac": _Codec("aac", "adts", 96_000, {}),
    "flac": _Codec("flac", "flac", 0, {}),
}


class CodecEncoder:
    """One codec in its container, each packet handed on at once."""

    def __init__(self, codec: _Codec, pcm: PcmFormat) -> None:
        self._pcm = pcm
        self._layout = "mono" if pcm.channels == 1 else "stereo"
        self._pipe = _Pipe()
        self._position = 0
        options = {**codec.options, "flush_packets": "1"}
        self._container = av.open(self._pipe, "w", format=codec.container, options=options)
        stream = self._container.add_stream(codec.name, rate=pcm.rate_hz)
        assert isinstance(stream, av.AudioStream)
        stream.layout = self._layout
        if codec.bit_rate:
            stream.bit_rate = codec.bit_rate
        self._stream = stream

    def encode(self, frames: Frames16) -> bytes:
        if len(frames):
            values = np.ascontiguousarray(frames).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(values, format="s16", layout=self._layout)
            frame.sample_rate = self._pcm.rate_hz
            frame.pts = self._position
            self._position += len(frames)
            self._container.mux(self._stream.encode(frame))
        return self._pipe.take()

    def finish(self) -> bytes:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._pipe.take()


class _Pipe:
    """Where FFmpeg writes; it cannot go back."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def open_encoder(form: str, pcm: PcmFormat) -> Encoder:
    """The encoder of one reply; ``form`` is one of the six formats."""
    if form in ("pcm", "wav"):
        return PcmEncoder(pcm, header=form == "wav")
    return CodecEncoder(_CODECS[form], pcm)
