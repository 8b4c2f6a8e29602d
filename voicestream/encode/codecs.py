"""Compressed sound, as it is made: FFmpeg's encoders, by way of PyAV."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import BinaryIO

import av
import av.logging
import numpy as np

from voicestream.encode.base import Sending, Tags
from voicestream.pcm import Frames16, PcmFormat
from voicestream.records import dataclass, field

av.logging.set_level(None)  # FFmpeg would talk on stderr


@dataclass(frozen=True, slots=True)
class _Codec:
    name: str
    container: str
    bit_rate: int = 0
    """Of one channel; 0: as it comes."""
    sent: dict[str, str] = field(default_factory=dict)
    """Options where it is sent and cannot be gone back in."""


_CODECS = {
    # without the header frame that tells the length, which nobody knows yet
    "mp3": _Codec("libmp3lame", "mp3", 96_000, {"write_xing": "0", "id3v2_version": "0"}),
    # a page of a second would be held back until it is full
    "opus": _Codec("libopus", "ogg", 48_000, {"page_duration": "100000"}),
    "aac": _Codec("aac", "adts", 96_000),
    "flac": _Codec("flac", "flac"),
    "m4a": _Codec("aac", "ipod", 96_000, {"movflags": "empty_moov+frag_every_frame"}),
}

_LAYOUTS = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")
"""By the number of channels, from 1."""


class CodecEncoder:
    """One codec in its container; what is sent leaves packet by packet.

    Where the codec does not know the rate of the sound it gets the next one, and more than two
    channels become two.
    """

    def __init__(
        self, form: str, pcm: PcmFormat, target: BinaryIO | Sending, tags: Tags | None = None
    ) -> None:
        codec = _CODECS[form]
        self._pcm = pcm
        self._channels = pcm.channels if pcm.channels <= len(_LAYOUTS) else 2
        self._position = 0
        options = {**codec.sent, "flush_packets": "1"} if isinstance(target, Sending) else {}
        with _as_os_error():
            self._container = av.open(target, "w", format=codec.container, options=options)
            if tags is not None:
                told = {"title": tags.title, "artist": tags.voice}
                self._container.metadata.update({name: it for name, it in told.items() if it})
            stream = self._container.add_stream(codec.name, rate=_rate_hz(codec, pcm.rate_hz))
            assert isinstance(stream, av.AudioStream)
            stream.layout = "mono" if pcm.channels == 1 else "stereo"
            if codec.bit_rate:
                stream.bit_rate = codec.bit_rate * min(pcm.channels, 2)
            self._stream = stream

    def write(self, frames: Frames16) -> None:
        if not len(frames):
            return
        values = np.ascontiguousarray(frames[:, : self._channels]).reshape(1, -1)
        layout = _LAYOUTS[self._channels - 1]
        with _as_os_error():
            frame = av.AudioFrame.from_ndarray(values, format="s16", layout=layout)
            frame.sample_rate = self._pcm.rate_hz
            frame.time_base = Fraction(1, self._pcm.rate_hz)
            frame.pts = self._position
            self._position += len(frames)
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        with _as_os_error():
            if self._position:
                self._container.mux(self._stream.encode(None))
            self._container.close()


class OpusPackets:
    """Opus, packet by packet, without a container: 20 ms each.

    Args:
        pcm: a rate that Opus knows, and one or two channels.
    """

    def __init__(self, pcm: PcmFormat) -> None:
        context = av.CodecContext.create("libopus", "w")
        assert isinstance(context, av.AudioCodecContext)
        context.sample_rate, context.format = pcm.rate_hz, "s16"
        context.layout = self._layout = _LAYOUTS[pcm.channels - 1]
        context.bit_rate = 32_000 * pcm.channels
        context.options = {"application": "voip", "frame_duration": "20"}
        context.open()
        self._rate_hz = pcm.rate_hz
        self._context = context

    def feed(self, frames: Frames16) -> list[bytes]:
        """Return the packets that are whole with these frames."""
        values = np.ascontiguousarray(frames).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(values, format="s16", layout=self._layout)
        frame.sample_rate = self._rate_hz
        return [bytes(packet) for packet in self._context.encode(frame)]


@contextmanager
def _as_os_error() -> Iterator[None]:
    """What FFmpeg finds wrong, as if the file could not be written."""
    try:
        yield
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise OSError(errno.EIO, f"the encoder failed: {error}") from error


def _rate_hz(codec: _Codec, wanted_hz: int) -> int:
    """Return the lowest rate of the codec that loses nothing, else its highest."""
    known = av.codec.Codec(codec.name, "w").audio_rates
    if known is None:
        return wanted_hz
    return min((rate for rate in known if rate >= wanted_hz), default=max(known))
