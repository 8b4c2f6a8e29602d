"""Ways to feed a decoder, and what hypothesis needs to cut and break its bytes."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
from hypothesis import strategies as st

from voicestream.decode.base import Decoder
from voicestream.errors import DecodeError
from voicestream.pcm import Samples

cuttings = st.lists(st.one_of(st.integers(0, 40), st.integers(1, 6000)), min_size=1, max_size=12)
"""Sizes of pieces, used over and over until the bytes are at an end."""


def pieces(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """The data in pieces of these sizes, repeated; a size of 0 gives an empty piece."""
    result = []
    at = 0
    sizes = list(sizes)
    if not any(sizes):
        sizes.append(997)
    while at < len(data):
        for size in sizes:
            result.append(data[at : at + size])
            at += size
    return result


def decode_in_pieces(decoder: Decoder, parts: Iterable[bytes]) -> Samples:
    """Everything the decoder makes of these pieces, joined."""
    blocks = [decoder.feed(part) for part in parts]
    blocks.append(decoder.flush())
    return joined(blocks)


def joined(blocks: list[Samples]) -> Samples:
    """Blocks of samples on end; those before the format is known may have another width."""
    full = [block for block in blocks if len(block)]
    return np.concatenate(full) if full else np.zeros((0, 1), np.float32)


def bytes_to_first_sample(decoder: Decoder, data: bytes) -> int:
    """How many bytes it takes until there is a sample."""
    for at in range(len(data)):
        if len(decoder.feed(data[at : at + 1])):
            return at + 1
    raise AssertionError("there never was a sample")


def mutated(data: bytes, seed: int) -> bytes:
    """The data with some bytes changed, removed, doubled or cut off."""
    dice = random.Random(seed)
    result = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5, 20, 200))):
        if not result:
            break
        at = (
            dice.randrange(len(result))
            if dice.random() < 0.6
            else dice.randrange(min(len(result), 200))
        )
        size = dice.choice((1, 2, 4, 16, 300))
        action = dice.randrange(6)
        if action == 0:
            result[at] ^= 1 << dice.randrange(8)
        elif action == 1:
            result[at : at + size] = dice.randbytes(size)
        elif action == 2:
            del result[at : at + size]
        elif action == 3:
            result[at:at] = result[at : at + size]
        elif action == 4:
            result[at:at] = dice.choice((b"\xff" * size, b"\x00" * size, dice.randbytes(size)))
        elif dice.random() < 0.2:
            del result[at:]
    return bytes(result)


def survives(decoder: Decoder, data: bytes, size: int) -> tuple[Samples, DecodeError | None]:
    """Decode bytes that may be broken. Anything but samples and a DecodeError is raised."""
    blocks: list[Samples] = []
    try:
        for part in pieces(data, [size]):
            blocks.append(decoder.feed(part))
        blocks.append(decoder.flush())
    except DecodeError as error:
        return joined(blocks), error
    return joined(blocks), None
