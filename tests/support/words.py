"""Words that can be told apart however they are resampled: each is a chirp of its own."""

from __future__ import annotations

import numpy as np

from voicestream.pcm import PcmFormat, Samples

RATE_HZ = 24_000
PCM = PcmFormat(RATE_HZ)
LEVEL = 0.3
_HOP_S = 0.01
_PARTS = 5
_LOWEST_HZ, _STEP, _RISE = 300.0, 1.07, 0.01


def tone_hz(word: int) -> float:
    return float(_LOWEST_HZ * _STEP**word)


def rendering(
    lengths_s: np.ndarray, pauses_s: np.ndarray, late_s: float = 0.0, pitch: float = 1.0
) -> Samples:
    """Words, each a chirp that rises by 2 %, with the pause behind each; at most 30 words.

    Args:
        lengths_s, pauses_s: of each word, and of the pause behind it.
        late_s: silence before the first one.
        pitch: factor on all tones, from 0.98 to 1.02.
    """
    parts = [np.zeros(PCM.s_to_frames(late_s))]
    for word, (length_s, pause_s) in enumerate(zip(lengths_s, pauses_s, strict=True)):
        times_s = np.arange(PCM.s_to_frames(length_s)) / RATE_HZ
        rise = 1 + _RISE * times_s / length_s
        chirp = LEVEL * np.sin(2 * np.pi * tone_hz(word) * pitch * rise * times_s)
        chirp *= np.clip(np.minimum(times_s, times_s[::-1]) / 0.015, 0, 1)
        parts += [chirp, np.zeros(PCM.s_to_frames(pause_s))]
    return np.concatenate(parts).astype(np.float32)[:, None]


def heard_s(samples: Samples, words: int) -> np.ndarray:
    """How long each of so many words is heard in all. ``samples``: (frames, channels)."""
    size, hop = 1024, PCM.s_to_frames(_HOP_S)
    frames = np.lib.stride_tricks.sliding_window_view(samples[:, 0], size)[::hop]
    # how much of the hop in the middle sounds: holes that cut a word make it no longer
    begin = (size - hop) // 2
    parts = np.abs(frames[:, begin : begin + hop]).reshape(len(frames), _PARTS, -1).max(axis=2)
    sounds = (parts > 0.1 * LEVEL).mean(axis=1)
    frames, sounds = frames[sounds > 0], sounds[sounds > 0]
    spectra = np.abs(np.fft.rfft(frames * np.hanning(size), 8192))
    hz = spectra.argmax(axis=1) * RATE_HZ / 8192
    middle_hz = _LOWEST_HZ * (1 + _RISE)
    found = np.round(np.log(np.maximum(hz, 1) / middle_hz) / np.log(_STEP)).astype(int)
    found = np.clip(found, 0, words)
    return np.bincount(found, weights=sounds, minlength=words + 1)[:words] * _HOP_S


def faults(heard: Samples, lengths_s: np.ndarray) -> tuple[int, int]:
    """Words that are lost, and words that are heard twice."""
    share = heard_s(heard, len(lengths_s)) / lengths_s
    return int((share < 0.5).sum()), int((share > 1.5).sum())
