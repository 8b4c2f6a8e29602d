"""Real encoders (FFmpeg's, through PyAV), and speech to give them."""

from __future__ import annotations

import io
import struct
from typing import Any

import av
import numpy as np

from voicestream.pcm import Samples


def speech(seconds: float, rate_hz: int = 24_000, channels: int = 1, seed: int = 1) -> Samples:
    """Something like a voice: voiced and noisy syllables with short pauses between them.

    Shape ``(frames, channels)``, each channel a different voice.
    """
    frames = round(seconds * rate_hz)
    time_s = np.arange(frames) / rate_hz
    noise = np.random.default_rng(seed)
    voices = []
    for channel in range(channels):
        pitch_hz = 120 + 35 * channel + 20 * np.sin(2 * np.pi * 0.7 * time_s + channel)
        phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
        buzz = sum(np.sin(phase * n) / n for n in range(1, 12))
        hiss = noise.standard_normal(frames) * 0.4
        syllable = np.clip(np.sin(2 * np.pi * 3.1 * time_s + 0.5) * 1.6, 0, 1)
        voiced = np.sin(2 * np.pi * 1.3 * time_s) > -0.5
        voices.append(0.2 * syllable * np.where(voiced, buzz, hiss))
    return np.stack(voices, axis=1).astype(np.float32)


def encode(
    samples: Samples,
    rate_hz: int,
    codec: str,
    container: str,
    bit_rate: int | None = None,
    seekable: bool = True,
    **options: Any,
) -> bytes:
    """The samples in that codec and container.

    ``seekable=False`` writes as to a pipe: no sizes, no Info frame, as servers stream.
    """
    buffer = io.BytesIO()
    target: Any = buffer if seekable else _Pipe(buffer)
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1", 16: "hexadecagonal"}[samples.shape[1]]
    names = {key: str(value) for key, value in options.items()}
    with av.open(target, "w", format=container, options=names) as out:
        stream = out.add_stream(codec, rate=rate_hz)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        if bit_rate:
            stream.bit_rate = bit_rate
        stream.codec_context.options = names
        resampler = av.AudioResampler(stream.codec_context.format, layout, rate_hz)
        # Interleaved: with eight planes and more PyAV counts too many of them.
        values = np.ascontiguousarray(samples).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(values, format="flt", layout=layout)
        frame.sample_rate = rate_hz
        frame.pts = 0
        for converted in resampler.resample(frame):
            out.mux(stream.encode(converted))
        out.mux(stream.encode(None))
    return buffer.getvalue()


def mp3(samples: Samples, rate_hz: int = 24_000, bit_rate: int = 64_000, **options: Any) -> bytes:
    return encode(samples, rate_hz, "libmp3lame", "mp3", bit_rate, **options)


def opus(samples: Samples, bit_rate: int = 32_000, **options: Any) -> bytes:
    """Ogg/Opus. The samples are at 48 kHz."""
    return encode(samples, 48_000, "libopus", "ogg", bit_rate, **options)


def aac(samples: Samples, rate_hz: int = 24_000, bit_rate: int = 64_000, **options: Any) -> bytes:
    return encode(samples, rate_hz, "aac", "adts", bit_rate, **options)


def flac(samples: Samples, rate_hz: int = 24_000, **options: Any) -> bytes:
    return encode(samples, rate_hz, "flac", "flac", **options)


def wav_header(
    data_bytes: int,
    rate_hz: int = 24_000,
    channels: int = 1,
    bits: int = 16,
    tag: int = 1,
    before_data: bytes = b"",
) -> bytes:
    """A WAV header with exactly these numbers in it, true or not."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * block, block, bits)
    riff_bytes = (36 + len(before_data) + data_bytes) & 0xFFFFFFFF
    if data_bytes in (0, 0x7FFFFFFF, 0xFFFFFFFF):
        riff_bytes = data_bytes
    return (
        b"RIFF" + struct.pack("<I", riff_bytes) + b"WAVEfmt " + struct.pack("<I", 16) + form
    ) + (before_data + b"data" + struct.pack("<I", data_bytes))


def decode_at_once(data: bytes, container: str | None = None) -> tuple[int, Samples]:
    """The reference: the whole file by FFmpeg's demuxer and decoder. Rate and samples."""
    blocks = []
    rate_hz = 0
    with av.open(io.BytesIO(data), "r", format=container) as source:
        for frame in source.decode(audio=0):
            rate_hz = frame.sample_rate
            values = frame.to_ndarray()
            if not frame.format.is_planar:
                values = values.reshape(-1, frame.layout.nb_channels).T
            scale = {"s16": 2.0**15, "s32": 2.0**31}.get(frame.format.name.removesuffix("p"), 1.0)
            blocks.append((values / scale).astype(np.float32))
    return rate_hz, np.concatenate(blocks, axis=1).T


class _Pipe:
    """A file that cannot be told to go back."""

    def __init__(self, buffer: io.BytesIO) -> None:
        self._buffer = buffer

    def write(self, data: bytes) -> int:
        return self._buffer.write(data)


def every_format(sound: Samples, rate_hz: int = 24_000) -> dict[str, bytes]:
    """The same sound in each of the six formats, and a container that cannot be streamed.

    Opus has it at 48 kHz, too high by an octave: only the bytes matter.
    """
    values = np.rint(np.clip(sound, -1, 0.9999) * 32768).astype("<i2").tobytes()
    return {
        "pcm": values,
        "wav": wav_header(0xFFFFFFFF, rate_hz, sound.shape[1]) + values,
        "mp3": mp3(sound, rate_hz),
        "opus": opus(sound),
        "aac": aac(sound, rate_hz),
        "flac": flac(sound, rate_hz),
        "buffered": encode(sound, rate_hz, "aac", "mp4"),
    }
