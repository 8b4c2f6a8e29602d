"""Replies that break off and go on in another rendering: no word is lost or heard twice.

    python -m tests.bench.resume [--runs 200] [--first 0]

Each word is a chirp of its own. The second rendering has another tempo (0.92 to 1.1 of
the length, each word a little off), another level and pitch, and begins up to 1 s later;
the first breaks off anywhere. Both go through the decoders, in each format in turn. The
reference goes on at the same position, as a range request would.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support import encode
from tests.support.words import PCM, RATE_HZ, faults, rendering
from voicestream.decode.registry import open_decoder
from voicestream.dsp.align import Outline
from voicestream.dsp.convert import Converter
from voicestream.dsp.seam import PAST_S, Seam
from voicestream.pcm import PcmFormat, Samples, no_samples

WORDS = 30


def _pcm(samples: Samples) -> bytes:
    return np.round(samples * 32767).astype("<i2").tobytes()


def _opus(samples: Samples) -> bytes:
    convert = Converter(PCM, PcmFormat(48_000))
    return encode.opus(np.concatenate((convert.feed(samples), convert.flush())))


ENCODERS: dict[str, tuple[str, Callable[[Samples], bytes]]] = {
    "pcm": ("audio/pcm", _pcm),
    "wav": ("audio/wav", lambda samples: encode.encode(samples, RATE_HZ, "pcm_s16le", "wav")),
    "mp3": ("audio/mpeg", encode.mp3),
    "opus": ("audio/ogg", _opus),
    "aac": ("audio/aac", encode.aac),
    "flac": ("audio/flac", lambda samples: encode.encode(samples, RATE_HZ, "flac", "flac")),
}


def through(name: str, samples: Samples) -> Samples:
    content_type, encoder = ENCODERS[name]
    decoder = open_decoder(content_type, "pcm" if name == "pcm" else name, RATE_HZ, 1)
    made = np.concatenate((decoder.feed(encoder(samples)), decoder.flush()))
    assert decoder.format is not None
    convert = Converter(decoder.format, PCM)
    return np.concatenate((convert.feed(made), convert.flush()))


def resumed(first: Samples, second: Samples, cut: int, piece: int) -> tuple[Samples, Seam]:
    """What is heard where ``first`` breaks off at frame ``cut`` and ``second`` follows."""
    outline = Outline(PCM)
    outline.feed(first[:cut])
    past = first[:cut][-PCM.s_to_frames(PAST_S) :]
    seam = Seam(PCM, cut, past, outline.rows)
    parts = [first[:cut], no_samples()]
    parts += [seam.feed(second[at : at + piece]) for at in range(0, len(second), piece)]
    return np.concatenate([*parts, seam.flush()]), seam


def trial(seed: int) -> tuple[str, bool, tuple[int, int], tuple[int, int]]:
    """One break; returns format, whether it is named, and faults of ours and the reference."""
    chance = np.random.default_rng(seed)
    name = list(ENCODERS)[seed % len(ENCODERS)]
    lengths_s = chance.uniform(0.15, 0.5, WORDS)
    pauses_s = chance.choice([0.02, 0.05, 0.1, 0.35], WORDS)
    first = through(name, rendering(lengths_s, pauses_s, 0.1, 1.0))
    tempo, late_s = chance.uniform(0.92, 1.1), chance.choice([0.0, 0.1, 0.4, 1.0])
    own = lengths_s * tempo * chance.uniform(0.95, 1.05, WORDS)
    second = rendering(own, pauses_s * tempo, late_s, chance.uniform(0.99, 1.01))
    second = through(name, second * np.float32(chance.uniform(0.7, 1.2)))
    cut = int(chance.integers(PCM.s_to_frames(0.05), len(first)))
    heard, seam = resumed(first, second, cut, int(chance.integers(200, 9000)))
    reference = np.concatenate((first[:cut], second[cut:]))
    return name, not seam.sure, faults(heard, lengths_s), faults(reference, lengths_s)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    lost = doubled = named = silent = lost_before = doubled_before = 0
    for seed in range(arguments.first, arguments.first + arguments.runs):
        name, unsure, ours, reference = trial(seed)
        lost, doubled, named = lost + ours[0], doubled + ours[1], named + unsure
        lost_before, doubled_before = lost_before + reference[0], doubled_before + reference[1]
        if sum(ours) and not unsure:
            silent += 1
            print(f"seed {seed}, {name}: {ours[0]} lost, {ours[1]} twice, not named")
    print(f"words in {arguments.runs} breaks   lost  heard twice")
    print(f"  joined                {lost:4}  {doubled:4}   named as not sure: {named}")
    print(f"  at the same position  {lost_before:4}  {doubled_before:4}")
    print(f"{silent} breaks with a fault that is not named (goal: 0)")
    return bool(silent)


if __name__ == "__main__":
    sys.exit(main())
