"""Speech that can be read off a recording: each number in a text sounds as a tone of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from tests.support.sound import Int16

RATE_HZ = 24_000
_BASE_HZ, _STEP_HZ = 400, 50
_WINDOW = 480  # 20 ms: 50 Hz of resolution
_ATTACK = 240


def tone(number: int, seconds: float, loud_ends: bool = False) -> Int16:
    """The tone of a number, soft at both ends unless asked otherwise. Shape ``(frames,)``."""
    frames = round(seconds * RATE_HZ)
    wave = 9000 * np.cos(2 * np.pi * (_BASE_HZ + _STEP_HZ * number) * np.arange(frames) / RATE_HZ)
    if not loud_ends:
        rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(_ATTACK) + 0.5) / _ATTACK)
        wave[:_ATTACK] *= rise
        wave[-_ATTACK:] *= rise[::-1]
    return wave.astype(np.int16)


def numbers_of(text: str) -> list[int]:
    return [int(word) for word in re.findall(r"\d+", text)]


def speech(
    text: str, seconds: float = 0.5, silence_s: float = 0.0, loud_ends: bool = False
) -> Int16:
    """What an engine makes of a text: the tones of its numbers (99 if it has none), with
    silence at both ends as engines leave it."""
    silence = np.zeros(round(silence_s * RATE_HZ), np.int16)
    tones = [tone(number, seconds, loud_ends) for number in numbers_of(text) or [99]]
    return np.concatenate([silence, *tones, silence])


def _without_holes(samples: Int16) -> Int16:
    """What was played on either side of silences of 1 to 100 ms, which a busy machine makes."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], samples == 0, [False]))))
    runs = edges.reshape(-1, 2)
    sizes = runs[:, 1] - runs[:, 0]
    kept = np.ones(len(samples), bool)
    for begin, end in runs[(sizes > RATE_HZ // 1000) & (sizes < RATE_HZ // 10)]:
        kept[begin:end] = False
    return samples[kept]


def heard_numbers(samples: Int16) -> list[int]:
    """The tones of a recording in their order; one that lasts is named once."""
    samples = _without_holes(samples)
    windows = samples[: len(samples) // _WINDOW * _WINDOW].reshape(-1, _WINDOW).astype(float)
    found: list[int] = []
    before = None
    for window in windows:
        level = np.sqrt((window**2).mean())
        spectrum = np.abs(np.fft.rfft(window * np.hanning(_WINDOW), 4 * _WINDOW))
        at_hz = np.argmax(spectrum) * RATE_HZ / (4 * _WINDOW)
        number = round((at_hz - _BASE_HZ) / _STEP_HZ) if level > 4000 else None
        if number is not None and number == before and (not found or found[-1] != number):
            found.append(number)
        before = number
    return found


def tokens(text: str) -> Iterable[str]:
    """A text as a language model writes it: words and parts of words, blanks before them."""
    return re.findall(r"\s*\w{1,6}|\s*[^\w\s]|\s+$", text)
