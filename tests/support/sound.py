"""Sound to send: numbered samples for PCM and WAV, speech-like sound for lossy codecs."""

from __future__ import annotations

import io
import struct
import wave
from typing import Literal

import numpy as np
import numpy.typing as npt

Int16 = npt.NDArray[np.int16]
WavSizes = Literal["true", "zero", "max", "signed_max"]

QUIETEST = 2000
"""No sample of a ramp is nearer to zero than this."""

_SPAN = 28_000


def ramp(frames: int, start: int = 0) -> Int16:
    """Numbered samples: a dropped, doubled or swapped one can be told. Shape ``(frames,)``.

    A plain ramp of 16-bit values begins again after two seconds and could hide
    a loss, so a number is spread over two samples: its low digits (positive, one
    higher each time) and its high digits (negative). No value is near silence, and
    ``ramp(n, start=s)`` continues ``ramp(s)``.
    """
    index = np.arange(start, start + frames, dtype=np.int64)
    low, high = (index // 2) % _SPAN, (index // 2) // _SPAN
    return np.where(index % 2 == 0, QUIETEST + low, -QUIETEST - high).astype(np.int16)


def samples_in(wav_file: bytes) -> bytes:
    """The samples of a WAV file as bytes, without its header and its tags."""
    with wave.open(io.BytesIO(wav_file)) as source:
        return source.readframes(source.getnframes())


def speechlike(seconds: float, rate_hz: int = 24_000) -> Int16:
    """Vowel-like sound: harmonics of 120 Hz, loud from the first sample on, with a slow swell."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    voice = sum(np.sin(2 * np.pi * 120 * n * time_s + n) / n for n in range(1, 9))
    swell = 0.7 + 0.3 * np.cos(2 * np.pi * 3 * time_s)
    return np.asarray(9000 * swell * voice).astype(np.int16)


def wav(
    samples: Int16,
    rate_hz: int = 24_000,
    *,
    channels: int = 1,
    sizes: WavSizes = "true",
    extra_chunk: bool = False,
) -> bytes:
    """A WAV file. ``sizes`` other than true are what servers write that do not know the length."""
    data = samples.astype("<i2").tobytes()
    unknown = {"zero": 0, "max": 0xFFFFFFFF, "signed_max": 0x7FFFFFFF}.get(sizes)
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * channels * 2, channels * 2, 16)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form
    if extra_chunk:
        note = b"INFOISFT\x0e\x00\x00\x00Lavf60.16.100\x00"
        chunks += b"LIST" + struct.pack("<I", len(note)) + note
    chunks += b"data" + struct.pack("<I", len(data) if unknown is None else unknown) + data
    size = 4 + len(chunks) if unknown is None else unknown
    return b"RIFF" + struct.pack("<I", size) + b"WAVE" + chunks


def mp3(samples: Int16, rate_hz: int = 24_000, bit_rate: int = 128_000) -> bytes:
    """Mono MP3, as servers send it: with the header frame that tells encoder delay and length."""
    import av

    with io.BytesIO() as file:
        with av.open(file, "w", format="mp3") as container:
            stream = container.add_stream("libmp3lame", rate=rate_hz)
            stream.bit_rate = bit_rate
            stream.layout = "mono"
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16p", layout="mono")
            frame.sample_rate = rate_hz
            for piece in (frame, None):
                container.mux(stream.encode(piece))
        return file.getvalue()
