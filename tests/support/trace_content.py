"""The sound that made-up traces carry: speech of a given length, and where it pauses."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicestream.pcm import Samples
from voicestream.policy.pauses import PauseFinder

RATE_HZ = 24_000


Rng = np.random.Generator


SENTENCES = """\
Bread rises because yeast eats sugar and gives off carbon dioxide.
The gas is caught in a net of gluten, so the dough swells like a balloon.
Warm dough rises in an hour and a half; cold dough may take twelve.
A slow rise tastes better, for example overnight in the fridge.
Too much salt slows the yeast, and none at all tastes flat.
First, we move the files to the new server on Monday and check every checksum.
Second, the old machine stays up until Friday, four full days, in case something breaks.
Nobody should notice anything, unless the name service misbehaves, which it did last year.
Is that fine with you?
Otherwise tell me what worries you; I have time until five o'clock.
The sky is blue because small molecules scatter short waves more than long ones.
At sunset the light travels a longer way through the air, and most of the blue is gone.
Yes, of course.
Please remember to close the window before you leave.
There are three reasons: cost, time, and the weather.
I looked at the log you sent me, and the error happens before the first request.
Try to restart it once, then wait a minute.
The train to Hanoi leaves at seven in the evening and arrives in the morning.
When the network is slow, a buffer keeps the speech from breaking up.
That was a good question.""".split("\n")


@dataclass(frozen=True)
class Piece:
    """One sentence of speech."""

    text: str
    samples: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Content:
    """What arrives: samples of shape ``(frames,)`` and the length of its text."""

    samples: npt.NDArray[np.float32]
    chars: int
    pauses: tuple[tuple[int, int], ...]
    """Frames ``start`` to ``end`` where a wait is natural, known to the judge alone."""

    @property
    def column(self) -> Samples:
        return self.samples[:, None]

    def found_pauses(self) -> tuple[tuple[int, int], ...]:
        """What the player finds."""
        finder = PauseFinder(RATE_HZ)
        finder.feed(self.column)
        return tuple((pause.start, pause.end) for pause in finder.pauses())


@functools.cache
def sentences() -> tuple[Piece, ...]:
    """The embedded voice's, without the silence at their ends."""
    from hibari import Hibari

    voice = Hibari()
    return tuple(Piece(text, _trimmed(voice(text, seed=0))) for text in SENTENCES)


def _trimmed(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    loud = np.flatnonzero(np.abs(samples) > 0.003)
    margin = RATE_HZ // 50
    return samples[max(loud[0] - margin, 0) : loud[-1] + margin].astype(np.float32)


def silence(seconds: float) -> npt.NDArray[np.float32]:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def natural_pauses(samples: npt.NDArray[np.float32]) -> tuple[tuple[int, int], ...]:
    """60 ms or more of 10 ms windows 35 dB below the loud part of the whole."""
    window = RATE_HZ // 100
    count = len(samples) // window
    if not count:
        return ()
    power = (samples[: count * window].reshape(count, window) ** 2).mean(1)
    db = 10 * np.log10(power + 1e-12)
    low = db < np.percentile(db, 95) - 35
    edges = np.flatnonzero(np.diff(np.concatenate(([0], low.astype(np.int8), [0]))))
    runs = edges.reshape(-1, 2)
    return tuple((int(a) * window, int(b) * window) for a, b in runs if b - a >= 6)


def content_of(parts: Sequence[npt.NDArray[np.float32]], chars: int) -> Content:
    samples = np.concatenate(parts)
    return Content(samples, chars, natural_pauses(samples))


def speech_of(seconds: float, rng: Rng) -> Content:
    """Sentences at random, cut to a length."""
    parts: list[npt.NDArray[np.float32]] = []
    chars, frames, wanted = 0.0, 0, round(seconds * RATE_HZ)
    while frames < wanted:
        piece = sentences()[rng.integers(len(SENTENCES))]
        part = np.concatenate((piece.samples, silence(rng.uniform(0.2, 0.5))))
        share = min(1.0, (wanted - frames) / len(part))
        parts.append(part[: wanted - frames])
        chars += len(piece.text) * share
        frames += len(parts[-1])
    return content_of(parts, max(round(chars), 1))


def speech_in_parts(seconds: Sequence[float], rng: Rng) -> Content:
    """Sentences that each end, with their pause, after so many seconds."""
    parts, chars = [], 0
    for length_s in seconds:
        wanted = round(length_s * RATE_HZ)
        one = speech_of(length_s, rng)
        quiet = min(round(0.2 * RATE_HZ), wanted // 4)
        part = one.samples[:wanted].copy()
        part[wanted - quiet :] = 0
        parts.append(part)
        chars += one.chars
    return content_of(parts, chars)
