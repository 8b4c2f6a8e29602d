"""How an input of the fuzzer is taken apart and cut."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Text = TypeVar("Text", bytes, str)


def options_of(data: bytes, count: int) -> tuple[Sequence[int], bytes]:
    """The first ``count`` bytes choose what is tested and how it is cut; the rest is the input."""
    return data[:count].ljust(count, b"\0"), data[count:]


def cut(data: Text, seed: int) -> list[Text]:
    """The data in pieces: by one, by a few, or of very different sizes."""
    dice = random.Random(seed)
    least, most = ((1, 1), (1, 7), (1, 300), (0, 5000))[seed % 4]
    pieces = []
    at = 0
    while at < len(data):
        size = dice.randint(least, most)
        pieces.append(data[at : at + size])
        at += size
    return pieces
