"""A room with a loudspeaker, a microphone and people, in simulated time."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import soxr

from voicestream.listen.convert import FRAME_BYTES
from voicestream.listen.ears import Ear

RATE_HZ = 16_000
Sound = npt.NDArray[np.float64]


@cache
def _neural() -> object:
    from hibari import Hibari

    return Hibari()


@cache
def voice(text: str, pitch: float = 1.0, seed: int = 0) -> Sound:
    """Return ``text`` as the embedded voice says it, of root mean square 1, without silence around
    it. Another ``pitch`` is another person, who speaks as much faster."""
    made = soxr.resample(_neural()(text, seed=seed), 24_000 * pitch, RATE_HZ)  # type: ignore[operator]
    return _even(made)


@cache
def pico(text: str, language: str = "en-GB", pitch: float = 1.0) -> Sound:
    """The same, as Pico says it."""
    from py_nanotts import NanoTTS

    pcm = NanoTTS().speak(text, voice=language, pitch=pitch, speed=1.0, volume=0.3)
    return _even(np.frombuffer(pcm, "<i2"))


def _even(samples: npt.NDArray[np.generic]) -> Sound:
    values = np.asarray(samples, np.float64)
    loud = np.flatnonzero(np.abs(values) > 0.02 * np.abs(values).max())
    values = values[loud[0] : loud[-1] + 1]
    return values / np.sqrt(np.mean(values**2))


def hum(pitch_hz: float) -> Sound:
    """Return a "mhm": two syllables behind a closed mouth, 0.43 s."""

    def syllable(seconds: float, hz: float) -> Sound:
        times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
        phase = 2 * np.pi * hz * times * (1 + 0.05 * times / seconds)
        gains = [np.exp(-((max(k * hz - 250, 0) / 400) ** 2)) / k for k in range(1, 15)]
        tones = sum(gain * np.sin(k * phase) for k, gain in enumerate(gains, 1))
        return np.asarray(tones) * np.hanning(len(times)) ** 0.3

    between = np.zeros(int(0.08 * RATE_HZ))
    return _even(np.concatenate((syllable(0.15, pitch_hz), between, syllable(0.2, 1.2 * pitch_hz))))


def cough(random: np.random.Generator) -> Sound:
    """Return two bursts of noise, as a cough is."""

    def burst(seconds: float) -> Sound:
        frames = int(seconds * RATE_HZ)
        spectrum = np.fft.rfft(random.normal(size=frames))
        hz = np.fft.rfftfreq(frames, 1 / RATE_HZ)
        spectrum *= np.exp(-(((hz - 700) / 500) ** 2)) + 0.5 * np.exp(-(((hz - 1800) / 900) ** 2))
        fading = np.exp(-np.arange(frames) / RATE_HZ / 0.08)
        return np.asarray(np.fft.irfft(spectrum, frames)) * fading

    return _even(np.concatenate((burst(0.3), np.zeros(RATE_HZ // 10), burst(0.25))))


def chair(random: np.random.Generator) -> Sound:
    """Return 0.6 s of a scraping chair."""
    times = np.arange(int(0.6 * RATE_HZ)) / RATE_HZ
    return _even(
        np.sign(np.sin(2 * np.pi * (300 + 200 * times) * times)) * random.normal(size=len(times))
    )


def echo(sent: Sound, random: np.random.Generator, delay_ms: float, level_db: float) -> Sound:
    """Return what comes back of ``sent`` in a room: late, with an echo of its own, distorted."""
    frames = int(0.15 * RATE_HZ)
    room = 0.3 * random.normal(size=frames) * np.exp(-np.arange(frames) / RATE_HZ / 0.03)
    room[0] = 1.0
    late = np.concatenate((np.zeros(round(delay_ms * RATE_HZ / 1000)), room))
    size = 1 << (len(sent) + len(late)).bit_length()
    back = np.fft.irfft(np.fft.rfft(sent, size) * np.fft.rfft(late, size), size)[: len(sent)]
    back = np.tanh(2 * back / max(np.abs(back).max(), 1e-9)) / 2
    gain = 10 ** (level_db / 20) * np.sqrt(np.mean(sent**2) / max(np.mean(back**2), 1e-12))
    return np.asarray(back * gain)


def heard_at(
    sent: Sound, microphone: Sound, sure: float = 0.5, long_ms: float = 160.0
) -> list[float]:
    """Return when somebody is found to speak, in seconds.

    Args:
        sent: what the loudspeaker is given, 16-bit values; the canceller's reference.
        microphone: what it hears at the same time.
    """
    ear = Ear(sure, long_ms)
    near, far = (_bytes(sound) for sound in (microphone, sent))
    found = []
    for start in range(0, min(len(near), len(far)) - FRAME_BYTES + 1, FRAME_BYTES):
        piece = slice(start, start + FRAME_BYTES)
        if ear.hear(near[piece], [far[piece]]):
            found.append(piece.stop / 2 / RATE_HZ)
    return found


def _bytes(sound: Sound) -> bytes:
    return np.clip(np.rint(sound), -32768, 32767).astype("<i2").tobytes()
