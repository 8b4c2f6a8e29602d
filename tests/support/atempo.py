"""FFmpeg's ``atempo``, the reference for changing the tempo; and what to compare by."""

from __future__ import annotations

import itertools
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from voicestream.pcm import Samples

_BANDS_HZ = (100, 200, 400, 800, 1600, 3200, 6400, 11_000)


def atempo(samples: Samples, rate_hz: int, tempo: float) -> Samples:
    """Mono samples ``(frames, 1)`` at the tempo (0.5 to 100), by FFmpeg."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=rate_hz, format="flt", layout="mono", time_base=Fraction(1, rate_hz)
    )
    change, sink = graph.add("atempo", str(tempo)), graph.add("abuffersink")
    source.link_to(change)
    change.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples.reshape(1, -1)), format="flt", layout="mono"
    )
    frame.sample_rate = rate_hz
    frame.pts, frame.time_base = 0, Fraction(1, rate_hz)
    parts = [np.zeros((1, 0), np.float32)]
    for piece in (frame, None):
        source.push(piece)
        try:
            while True:
                parts.append(sink.pull().to_ndarray())
        except (av.error.BlockingIOError, av.error.EOFError):
            continue
    return np.concatenate(parts, axis=1).reshape(-1, 1)


def pitch_hz(tone: Samples, rate_hz: int) -> float:
    """The strongest frequency, to 0.1 Hz."""
    size = 1 << (10 * rate_hz).bit_length()
    spectrum = np.abs(np.fft.rfft(tone[:, 0] * np.hanning(len(tone)), size))
    return float(np.argmax(spectrum) * rate_hz / size)


def band_levels_db(samples: Samples, rate_hz: int) -> npt.NDArray[np.float64]:
    """Mean power in each octave from 100 Hz to 11 kHz."""
    window = np.hanning(1024)
    whole = samples[: len(samples) // 1024 * 1024, 0].reshape(-1, 1024)
    power = (np.abs(np.fft.rfft(whole * window)) ** 2).mean(axis=0)
    at_hz = np.fft.rfftfreq(1024, 1 / rate_hz)
    edges = itertools.pairwise(_BANDS_HZ)
    levels = [power[(at_hz >= low) & (at_hz < high)].mean() for low, high in edges]
    found: npt.NDArray[np.float64] = 10 * np.log10(np.array(levels) + 1e-15)
    return found
