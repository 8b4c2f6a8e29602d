"""How well languages are told apart, what a change costs, and whether figures are read rightly.

    python -m tests.bench.languages

Pico says the same words in the same way each time, so that what it makes of a figure and of that
figure in words differ as little as its melody does: by up to 0.6 in the mean distance of their
spectra (nats), measured on what it certainly reads rightly. No recogniser is needed; what one
writes down is shown by ``tests/bench/recogniser.py``.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import voicestream
from tests.loudspeaker.test_say import wav_samples
from tests.loudspeaker.test_spoken_languages import LANGUAGES, TEXT, pauses_s
from voicestream.languages import language_of
from voicestream.speech.embedded import EmbeddedEndpoint, Part, embedded_voices
from voicestream.speech.neural import RATE_HZ
from voicestream.speech.readable import readable

DATA = Path(__file__).parents[1] / "data"
MISREAD = 0.65
"""A distance above which other words were said."""
KINDS = {"s": ("sentences", 99), "g": ("greetings", 90), "m": ("mixed", 0)}


def rows(name: str, mark: str) -> list[list[str]]:
    lines = (DATA / name).read_text("utf-8").splitlines()
    return [line.split(mark) for line in lines if not line.startswith("#")]


def told_apart() -> None:
    known = rows("languages.txt", "\t")
    language_of("The first one loads the words.")
    for kind, (name, goal) in KINDS.items():
        texts = [(language, text) for language, its, text in known if its == kind]
        began_s = time.process_time()  # what others do meanwhile costs nothing
        right = sum(language_of(text) == language for language, text in texts)
        took_ms = 1000 * (time.process_time() - began_s) / len(texts)
        print(f"{name:10} {right} of {len(texts)}: {100 * right / len(texts):5.1f} %", end="")
        print(f" (goal {goal} %), {took_ms:.3f} ms of CPU each (goal 1)")


def spectra(pcm: bytes) -> np.ndarray:
    """Logarithmic power in 23 bands, 100 times a second, of what is no silence."""
    sound = np.frombuffer(pcm, "<i2").astype(float)
    size, hop = RATE_HZ // 40, RATE_HZ // 100
    window = np.hanning(size)
    frames = np.array([sound[at : at + size] * window for at in range(0, len(sound) - size, hop)])
    power = np.abs(np.fft.rfft(frames, 1024)) ** 2
    edges = np.linspace(4, 270, 24).astype(int)
    bands = np.log(np.add.reduceat(power, edges, axis=1)[:, :-1] + 1e4)
    level = bands.mean(axis=1)
    return bands[level > level.max() - 8][::2]


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Of two sounds whose times may be warped."""
    cost = np.sqrt(((one[:, None] - other[None]) ** 2).mean(axis=2))
    best = np.full((len(one) + 1, len(other) + 1), np.inf)
    best[0, 0] = 0
    for row in range(len(one)):
        for column in range(len(other)):
            before = min(best[row, column], best[row, column + 1], best[row + 1, column])
            best[row + 1, column + 1] = cost[row, column] + before
    return float(best[-1, -1] / (len(one) + len(other)))


def read_rightly() -> None:
    voices = {voice.language: voice for voice in embedded_voices()}
    endpoint = EmbeddedEndpoint()
    found: dict[str, list[tuple[float, float]]] = {}
    for tag, written, reading in rows("readings.txt", "|"):
        raw, mended, wanted = (
            spectra(b"".join(endpoint.speak(Part(text, voices[tag]), 1.0)))
            for text in (written, readable(written, tag), reading)
        )
        both = distance(raw, wanted), distance(mended, wanted)
        found.setdefault(tag, []).append(both)
        if both[1] > MISREAD:
            print(f"  {tag} {both[1]:.2f} {written} = {reading}")
    for tag, distances in found.items():
        before, after = (np.array(column) for column in zip(*distances, strict=True))
        print(
            f"{tag}: of {len(before)} misread {sum(before > MISREAD)} as the engine reads them, "
            f"{sum(after > MISREAD)} as they are spoken; mean {before.mean():.2f} -> "
            f"{after.mean():.2f}"
        )


def changed_within_a_text(runs: int = 3) -> None:
    """The pause at a change of language, as it was played, beside that of two English sentences."""
    english, changes, stalls_ms = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "kept.wav")
            settings = voicestream.Settings(base_url="embedded:", device="null", turn="mix")
            seen = voicestream.say(TEXT, settings, save=file).snapshot
            first, *others = pauses_s(wav_samples(file))
        english.append(first)
        changes.append(max(others))
        stalls_ms.append(seen.stall_ms)
    usual, longest = statistics.median(english), statistics.median(changes)
    print(
        f"a change of language: the longest pause of {LANGUAGES} is {longest:.2f} s, "
        f"{longest / usual:.2f} of that between English sentences (goal 1); stalls "
        f"{statistics.median(stalls_ms):.0f} ms"
    )


if __name__ == "__main__":
    told_apart()
    changed_within_a_text()
    read_rightly()
