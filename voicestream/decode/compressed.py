"""FFmpeg's decoders, by way of PyAV. The only importer of ``av``.

Splitting a stream into packets is done by the format's own file (``mp3``,
``opus``, ...): FFmpeg's demuxers want kilobytes more before the first sample.
Whatever ``av`` raises on broken bytes ends here.
"""

from __future__ import annotations

import errno
import io
import math
from collections.abc import Iterator
from typing import Any, Protocol

import av
import av.logging
import numpy as np

from voicestream.decode.base import MAX_CHANNELS, MAX_WHOLE_SAMPLES, check_growth
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat, Samples, no_samples

# FFmpeg talks about every broken frame, on stderr. They are counted here instead. Set to
# None, PyAV's hook drops them in C, without taking the GIL.
av.logging.set_level(None)

# What a stranger's file may be opened as. Playlists and their like could name other files and
# addresses to open; no protocol is allowed besides.
_CONTAINERS = "mov,matroska,ogg,aiff,caf,wav,w64,flac,mp3,aac,amr,au,asf,mpegts,loas,wv,tta,ape"
_OPEN_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}

_TOO_LONG = (
    "The reply is too long for a format that cannot be streamed",
    f"more than {MAX_WHOLE_SAMPLES // 1_000_000} million samples",
    "Ask the endpoint for another format.",
)

_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8"}
_FULL_SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0}


class Readable(Protocol):
    """What a container is read from; without ``seek`` it is read once, from its begin."""

    def read(self, size: int, /) -> bytes: ...


class PacketDecoder:
    """One codec: packets -> samples."""

    def __init__(self, codec: str, extradata: bytes = b"", **options: str) -> None:
        """
        Args:
            codec: FFmpeg's name of the decoder.
            extradata: what the container says about the codec, if it needs that.
            options: FFmpeg's options of the decoder.

        Raises:
            DecodeError: FFmpeg has no such decoder, or it refuses the extradata.
        """
        self.rate_hz = 0  # of the last samples; 0 until there were some
        try:
            context = av.CodecContext.create(codec, "r")
            # Threads would hold frames back.
            context.thread_count = 1
            context.options = options
            if extradata:
                context.extradata = extradata
            context.open()
        except Exception as error:  # foreign boundary: av raises what it likes
            raise DecodeError(f"The {codec} decoder cannot be opened", str(error)) from error
        assert isinstance(context, av.AudioCodecContext)
        self._context = context

    def decode(self, packet: bytes) -> Samples | None:
        """Return the samples of one packet, shape ``(frames, channels)``; None if it is broken."""
        # Not av.Packet(packet): that lends FFmpeg the bytes without the padding it reads into.
        padded = av.Packet(len(packet))
        padded.update(packet)
        return self._decode(padded)

    def flush(self) -> Samples:
        """Return what the codec still holds; afterwards it is as new."""
        samples = self._decode(None)
        self._context.flush_buffers()
        return no_samples() if samples is None else samples

    def _decode(self, packet: av.Packet[Any] | None) -> Samples | None:
        try:
            frames = self._context.decode(packet)
            blocks = [_to_samples(frame) for frame in frames if frame.samples]
        except Exception:  # noqa: BLE001 - foreign boundary: FFmpegError, but also UnicodeDecodeError, IndexError and PermissionError were seen; the caller counts
            return None
        if not blocks:
            return no_samples()
        self.rate_hz = frames[0].sample_rate
        if len({block.shape[1] for block in blocks}) > 1:
            return None
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def decode_whole(data: bytes) -> tuple[PcmFormat, Samples, int]:
    """Decode a whole file in any container FFmpeg knows; return its format, samples, and broken
    packets.

    Raises:
        DecodeError: FFmpeg does not know it, finds no sound in it, or one without end.
    """
    blocks: list[Samples] = []
    skipped = samples = 0
    rate_hz = 0
    try:
        for found_hz, block in decode_file(io.BytesIO(data)):
            rate_hz = rate_hz or found_hz
            if block is None or found_hz != rate_hz:
                skipped += block is None
                continue
            blocks.append(block)
            samples += block.size
            check_growth(samples, len(data))
            if samples > MAX_WHOLE_SAMPLES:
                raise DecodeError(*_TOO_LONG)
    except DecodeError:
        raise
    except Exception as error:  # foreign boundary, see above
        if not blocks:
            raise DecodeError("The reply cannot be decoded", _told(error)) from error
        skipped += 1
    if not blocks:
        raise DecodeError("The reply cannot be decoded", "there is no sound in it")
    channels = blocks[0].shape[1]
    same = [block for block in blocks if block.shape[1] == channels]
    skipped += len(blocks) - len(same)
    return PcmFormat(rate_hz, channels, "f32"), np.concatenate(same), skipped


def decode_file(file: Readable) -> Iterator[tuple[int, Samples | None]]:
    """Yield rate and samples of each frame of the first sound in any container FFmpeg knows; None
    for each broken packet.

    Raises:
        DecodeError: there is no sound in it.
        Exception: whatever ``av`` likes, or the file's own.
    """
    with av.open(file, "r", metadata_errors="replace", options=dict(_OPEN_OPTIONS)) as container:
        if not container.streams.audio:
            raise DecodeError("The reply cannot be decoded", "there is no sound in it")
        for packet in container.demux(container.streams.audio[0]):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                yield 0, None
                continue
            for frame in frames:
                if frame.samples:
                    yield frame.sample_rate, _to_samples(frame)


def _told(error: Exception) -> str:
    if isinstance(error, EOFError) or getattr(error, "errno", 0) == errno.EIO:
        return "it breaks off before its first sound"
    return getattr(error, "strerror", None) or str(error) or repr(error)


def _to_samples(frame: av.AudioFrame) -> Samples:
    """Return the frame's sound. Raises whatever it likes on what cannot be: the caller catches."""
    channels = frame.layout.nb_channels
    # Not frame.to_ndarray(): with eight channels and more PyAV takes what lies behind the
    # pointers to the planes for planes, too, and reading there kills the process.
    if channels > MAX_CHANNELS:
        raise ValueError(f"{channels} channels")
    name = frame.format.name.removesuffix("p")
    dtype = _DTYPES[name]
    planes: tuple[Any, ...] = frame.planes[:channels]
    if frame.format.is_planar and channels > 1:
        values = np.stack([np.frombuffer(it, dtype, frame.samples) for it in planes], axis=1)
    else:
        values = np.frombuffer(planes[0], dtype, frame.samples * channels).reshape(-1, channels)
    if name in _FULL_SCALE:
        offset = 128.0 if name == "u8" else 0.0
        return ((values - offset) / _FULL_SCALE[name]).astype(np.float32)
    samples = values.astype(np.float32)
    # One number shows them all, ten times as fast; it may overflow, too, and nothing is lost then.
    if not math.isfinite(np.vdot(samples, samples)):
        np.nan_to_num(samples, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    return samples
