"""All arithmetic between bytes, frames and seconds, and between bytes and samples.

A *sample* is one number, a *frame* one sample of each channel, and *samples* in
this project are always a float32 array of shape ``(frames, channels)`` with a
nominal range of -1 to just below 1. 16-bit samples survive the way to float32
and back exactly.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np

from voicestream.records import dataclass, replace

_Number = TypeVar("_Number", bound=np.generic)
NDArray: TypeAlias = np.ndarray[Any, np.dtype[_Number]]
"""numpy.typing's, without loading all its other types: 5 ms."""
Samples: TypeAlias = NDArray[np.float32]
"""Shape ``(frames, channels)``, nominally -1 to just below 1."""
Frames16: TypeAlias = NDArray[np.int16]
"""Shape ``(frames, channels)``: what the ring holds and a sink takes."""
Encoding = Literal["u8", "s16", "s24", "s32", "f32", "f64"]

_SAMPLE_BYTES: dict[Encoding, int] = {"u8": 1, "s16": 2, "s24": 3, "s32": 4, "f32": 4, "f64": 8}


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """How sound is laid out in bytes (little-endian, channels interleaved)."""

    rate_hz: int
    channels: int = 1
    encoding: Encoding = "s16"

    @property
    def frame_bytes(self) -> int:
        return _SAMPLE_BYTES[self.encoding] * self.channels

    @property
    def bytes_per_s(self) -> int:
        return self.frame_bytes * self.rate_hz

    def frames_to_bytes(self, frames: int) -> int:
        return frames * self.frame_bytes

    def frames_to_s(self, frames: int) -> float:
        return frames / self.rate_hz

    def frames_to_ms(self, frames: int) -> float:
        return 1000.0 * frames / self.rate_hz

    def s_to_frames(self, seconds: float) -> int:
        """Return the nearest number of frames."""
        return round(seconds * self.rate_hz)

    def ms_to_frames(self, milliseconds: float) -> int:
        return round(milliseconds * self.rate_hz / 1000.0)

    def with_encoding(self, encoding: Encoding) -> PcmFormat:
        return replace(self, encoding=encoding)

    def silence(self, frames: int) -> bytes:
        """Return so many frames of digital silence, as bytes."""
        return (b"\x80" if self.encoding == "u8" else b"\x00") * self.frames_to_bytes(frames)

    def decode(self, data: bytes | bytearray | memoryview) -> Samples:
        """Return bytes of whole frames as samples of shape ``(frames, channels)``.

        Raises:
            ValueError: ``data`` ends inside a frame.
        """
        if len(data) % self.frame_bytes:
            raise ValueError(f"{len(data)} bytes are not whole frames of {self.frame_bytes}")
        return _DECODERS[self.encoding](data).reshape(-1, self.channels)

    def encode(self, samples: Samples) -> bytes:
        """Return samples as bytes. Values out of range are clipped. For ``s16`` and ``f32``
        only."""
        if self.encoding == "f32":
            return samples.astype("<f4", copy=False).tobytes()
        return to_int16(samples).tobytes()


def to_int16(samples: Samples) -> NDArray[np.int16]:
    """Return samples as 16-bit integers of the same shape, rounded and clipped."""
    scaled = np.rint(samples * np.float32(32768.0))
    clipped: NDArray[np.int16] = np.clip(scaled, -32768, 32767).astype("<i2")
    return clipped


def from_int16(values: NDArray[np.int16]) -> Samples:
    """Return 16-bit integers as samples of the same shape, exactly."""
    return values.astype(np.float32) * np.float32(1 / 32768.0)


def no_samples(channels: int = 1) -> Samples:
    """Return an empty array of samples."""
    return np.zeros((0, channels), np.float32)


def silence(seconds: float, pcm: PcmFormat) -> Samples:
    """Return an array of silent samples in a format."""
    return np.zeros((pcm.s_to_frames(seconds), pcm.channels), np.float32)


def _decode_u8(data: bytes | bytearray | memoryview) -> Samples:
    return (np.frombuffer(data, "u1").astype(np.float32) - 128.0) * np.float32(1 / 128.0)


def _decode_s16(data: bytes | bytearray | memoryview) -> Samples:
    return from_int16(np.frombuffer(data, "<i2"))


def _decode_s24(data: bytes | bytearray | memoryview) -> Samples:
    wide = np.zeros((len(data) // 3, 4), "u1")
    wide[:, 1:] = np.frombuffer(data, "u1").reshape(-1, 3)
    return _decode_s32(wide.tobytes())


def _decode_s32(data: bytes | bytearray | memoryview) -> Samples:
    return (np.frombuffer(data, "<i4").astype(np.float64) / 2147483648.0).astype(np.float32)


def _bounded(values: NDArray[Any]) -> Samples:
    """Float samples of a stranger may be NaN, infinite or huge; none may reach the loudspeaker."""
    bounded: Samples = np.clip(values, -4.0, 4.0).astype(np.float32)
    return np.nan_to_num(bounded, copy=False)


def _decode_f32(data: bytes | bytearray | memoryview) -> Samples:
    return _bounded(np.frombuffer(data, "<f4"))


def _decode_f64(data: bytes | bytearray | memoryview) -> Samples:
    return _bounded(np.frombuffer(data, "<f8"))


_DECODERS = {
    "u8": _decode_u8,
    "s16": _decode_s16,
    "s24": _decode_s24,
    "s32": _decode_s32,
    "f32": _decode_f32,
    "f64": _decode_f64,
}
