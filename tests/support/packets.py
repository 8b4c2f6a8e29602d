"""Packets as networks deliver them, and what becomes of them, in simulated time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicestream.packets.jitter import JitterBuffer, Kind
from voicestream.packets.rtp import RtpPacket

CLOCK_HZ = 48_000
FRAMES = 960
"""20 ms a packet."""
Arrival = tuple[float, RtpPacket]
Rng = np.random.Generator
Delays = npt.NDArray[np.float64]


def packet(number: int) -> RtpPacket:
    """The packet with a number: both counters of it wrap round soon."""
    return RtpPacket(
        96,
        (65_500 + number) & 0xFFFF,
        (0xFFFFF000 + number * FRAMES) & 0xFFFFFFFF,
        7,
        number.to_bytes(4, "big"),
        number == 0,
    )


def frames_of(_payload: bytes) -> int:
    return FRAMES


def sent(count: int, drift_ppm: float = 0.0, start_s: float = 10.0) -> list[Arrival]:
    """Packets on a network without delay. Drift: how much slower the sender's clock runs."""
    each_s = FRAMES / CLOCK_HZ * (1 + drift_ppm / 1e6)
    return [(start_s + number * each_s, packet(number)) for number in range(count)]


def delayed(packets: Sequence[Arrival], delays_s: Sequence[float]) -> list[Arrival]:
    """Packets with a delay each; one that is infinite is lost."""
    late = [
        (at_s + delay_s, it)
        for (at_s, it), delay_s in zip(packets, delays_s, strict=True)
        if math.isfinite(delay_s)
    ]
    return sorted(late, key=lambda it: it[0])


@dataclass(frozen=True)
class Played:
    """What came out: the numbers of packets in order, None for each 10 ms that was made up."""

    order: list[int | None]
    buffer: JitterBuffer

    @property
    def numbers(self) -> list[int]:
        return [it for it in self.order if it is not None]

    @property
    def concealed_s(self) -> float:
        return self.buffer.figures.concealed_frames / CLOCK_HZ


def play(
    buffer: JitterBuffer,
    arrivals: Sequence[Arrival],
    change_frames: int = 240,
    end_s: float = 0.0,
    watch: Callable[[float, JitterBuffer], None] | None = None,
) -> Played:
    """Play arrivals as a loudspeaker asks for them; a period of the pitch is 5 ms."""
    order: list[int | None] = []
    at = round(arrivals[0][0] * CLOCK_HZ)
    index = 0
    while True:
        at_s = at / CLOCK_HZ
        while index < len(arrivals) and arrivals[index][0] <= at_s:
            buffer.put(*arrivals[index])
            index += 1
        if index == len(arrivals) and not buffer.waiting and at_s >= end_s:
            return Played(order, buffer)
        piece = buffer.take(at_s)
        at += piece.frames
        if piece.kind is Kind.SOUND:
            order.append(int.from_bytes(piece.payload, "big"))
            at += piece.change * change_frames
        elif piece.kind is not Kind.SILENCE:
            order.append(None)
        if watch is not None:
            watch(at_s, buffer)


# Networks: seconds of delay for each packet, infinite where it is lost.


def uniform(rng: Rng, count: int) -> Delays:
    """Each as it likes, a few lost."""
    delays = rng.uniform(0.0, rng.uniform(0.005, 0.08), count)
    delays[rng.random(count) < rng.uniform(0.0, 0.05)] = math.inf
    return delays


def gilbert_elliott(rng: Rng, count: int) -> Delays:
    """Losses in bursts: a good and a bad state (E. N. Gilbert 1960, E. O. Elliott 1963)."""
    into, out = rng.uniform(0.002, 0.02), rng.uniform(0.2, 0.6)
    delays = rng.gamma(2.0, rng.uniform(0.002, 0.01), count)
    turns = rng.random((2, count))
    bad = False
    for number in range(count):
        bad = turns[0, number] >= out if bad else turns[0, number] < into
        if turns[1, number] < (0.6 if bad else 0.002):
            delays[number] = math.inf
    return delays


def wifi(rng: Rng, count: int) -> Delays:
    """Nothing goes through for a while now and then; then all that waited comes at once."""
    delays = rng.gamma(1.5, rng.uniform(0.001, 0.004), count)
    at = 0.0
    while (at := at + rng.exponential(rng.uniform(1.0, 6.0))) < count * 0.02:
        length_s = min(rng.gamma(2.0, rng.uniform(0.02, 0.06)), 0.4)
        for number in range(math.ceil(at / 0.02), min(math.ceil((at + length_s) / 0.02), count)):
            delays[number] = max(delays[number], at + length_s - number * 0.02)
    return delays


def handover(rng: Rng, count: int) -> Delays:
    """A mobile set changes its cell: a gap, a loss, another way afterwards."""
    delays = rng.gamma(2.0, 0.004, count)
    for begin in range(int(rng.integers(50, 200)), count, int(rng.integers(200, 500))):
        length = int(rng.integers(4, 12))
        delays[begin:] += rng.uniform(-0.01, 0.02)
        for number in range(begin, min(begin + length, count)):
            delays[number] = (begin + length - number) * 0.02
        delays[begin : begin + int(rng.integers(0, 4))] = math.inf
    return delays - min(delays.min(), 0.0)


def full_queue(rng: Rng, count: int) -> Delays:
    """Somebody uploads: a router's queue fills for seconds, runs over, and empties."""
    at, period = np.arange(count) * 0.02, rng.uniform(4.0, 9.0)
    fill = (at / period + rng.random()) % 1.0
    queue = np.where(fill < 0.7, fill / 0.7, (1.0 - fill) / 0.3)
    delays = rng.uniform(0.03, 0.12) * queue + rng.gamma(2.0, 0.002, count)
    delays[(queue > 0.95) & (rng.random(count) < 0.2)] = math.inf
    return delays


def video(rng: Rng, count: int) -> Delays:
    """A video's chunks pass now and then, and everything else waits for them."""
    delays = rng.gamma(2.0, 0.0015, count)
    at = np.arange(count) * 0.02
    every, length = rng.uniform(1.5, 4.0), rng.uniform(0.1, 0.5)
    inside = at % every < length
    delays[inside] += rng.uniform(0.0, rng.uniform(0.02, 0.06), int(inside.sum()))
    return delays


def clumps(rng: Rng, count: int) -> Delays:
    """A sender that wakes every so often, and sends all that is ready."""
    each = int(rng.integers(2, 5))
    waits = (each - 1 - np.arange(count) % each) * 0.02
    return np.maximum(waits, 0.0) + rng.gamma(1.5, 0.002, count)


def two_ways(rng: Rng, count: int) -> Delays:
    """Two ways of different length, so that packets overtake each other."""
    longer = rng.random(count) < rng.uniform(0.02, 0.5)
    delays = rng.gamma(2.0, 0.002, count) + longer * rng.uniform(0.015, 0.07)
    delays[rng.random(count) < 0.01] = math.inf
    return delays


NETWORKS: dict[str, Callable[[Rng, int], Delays]] = {
    "uniform": uniform,
    "Gilbert-Elliott": gilbert_elliott,
    "Wi-Fi": wifi,
    "handover": handover,
    "full queue": full_queue,
    "video": video,
    "clumps": clumps,
    "two ways": two_ways,
}
