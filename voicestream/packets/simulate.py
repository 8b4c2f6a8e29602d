"""Packets in simulated time: what a jitter buffer makes of a network, and the best there could be.

The delay of a packet counts from the earliest that it could have come (of the last two seconds) to
its turn; concealed is all that had to be made up, a lost packet included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from voicestream.packets.jitter import JitterBuffer, Kind
from voicestream.packets.rtp import RtpPacket
from voicestream.policy.delay import DelayTarget
from voicestream.records import dataclass

CLOCK_HZ = 48_000
_GRID_S = 0.005
_GRID = 100
Arrival = tuple[float, RtpPacket]
Delays = npt.NDArray[np.float64]
"""Seconds on the way for each packet, in the order they were sent; infinite where it was lost."""
Point = tuple[float, float]
"""Mean delay in seconds, concealed share of the time."""


def packet(number: int, frames: int) -> RtpPacket:
    """Return the packet with a number, which it holds; both counters wrap round soon."""
    return RtpPacket(
        96,
        (65_500 + number) & 0xFFFF,
        (0xFFFFF000 + number * frames) & 0xFFFFFFFF,
        7,
        number.to_bytes(4, "big"),
        number == 0,
    )


def sent(
    count: int, packet_s: float = 0.02, drift_ppm: float = 0.0, start_s: float = 10.0
) -> list[Arrival]:
    """Return packets on a network without delay. Drift: how much slower the sender's clock runs."""
    frames = round(packet_s * CLOCK_HZ)
    each_s = frames / CLOCK_HZ * (1 + drift_ppm / 1e6)
    return [(start_s + number * each_s, packet(number, frames)) for number in range(count)]


def delayed(packets: Sequence[Arrival], delays_s: Sequence[float] | Delays) -> list[Arrival]:
    """Return packets as they come with these delays; one that is infinite is lost."""
    late = [
        (at_s + float(delay_s), it)
        for (at_s, it), delay_s in zip(packets, delays_s, strict=True)
        if math.isfinite(delay_s)
    ]
    return sorted(late, key=lambda it: it[0])


@dataclass(frozen=True, slots=True)
class Played:
    """The result: the numbers of packets in order, None for each 10 ms that was made up."""

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


def simulate(delays: Delays, target: DelayTarget, packet_s: float = 0.02) -> Played:
    """Return what is played of packets with these delays under a target."""
    frames = round(packet_s * CLOCK_HZ)
    return play(
        JitterBuffer(CLOCK_HZ, lambda _: frames, target),
        delayed(sent(len(delays), packet_s), delays),
    )


def point(played: Played, sound_s: float) -> Point:
    """Return mean delay and concealed share of a simulation."""
    return played.buffer.figures.mean_delay_s, played.concealed_s / sound_s


def relative(delays: Delays, packet_s: float = 0.02) -> Delays:
    """Return how much later than the earliest of the last two seconds each packet comes."""
    count = max(round(2.0 / packet_s), 1)
    whole = np.concatenate((np.full(count - 1, np.inf), delays))
    least = np.lib.stride_tricks.sliding_window_view(whole, count).min(axis=1)
    return np.where(np.isfinite(delays), delays - np.where(np.isfinite(least), least, 0), np.inf)


def fixed_at(share: float, late: Delays) -> float:
    """Return the fixed delay at which that share is concealed; where more was lost, that at which
    nothing is late."""
    came = late[np.isfinite(late)]
    found = float(np.quantile(late, min(max(1.0 - share, 0.0), 1.0), method="lower"))
    return min(found, float(came.max()))


def optimum(late: Delays, price: float, packet_s: float = 0.02) -> Point:
    """Return the least of delay + price * concealed of one who knows all packets before.

    By dynamic programming over delays of 5 ms: from one packet to the next the delay goes down or
    up by 5 ms for nothing, and up by what is concealed.
    """
    grid = np.arange(_GRID) * _GRID_S
    steps = price * grid
    cost = np.zeros((3, _GRID))  # all, delay, concealed
    for at in late:
        best = cost
        for moved in (np.roll(cost, 1, axis=1), np.roll(cost, -1, axis=1)):
            edge = 0 if moved[0, 1] == cost[0, 0] else -1
            moved[0, edge] = np.inf
            best = np.where(moved[0] < best[0], moved, best)
        lifted = best[0] - steps
        least = np.minimum.accumulate(lifted)
        origin = np.maximum.accumulate(np.where(lifted == least, np.arange(_GRID), 0))
        cost = best[:, origin].copy()
        risen = grid - grid[origin]
        cost[0] += price * risen
        cost[2] += risen
        missed = (at > grid) * packet_s
        cost += np.stack((grid * packet_s + price * missed, grid * packet_s, missed))
    _, delay, concealed = cost[:, int(np.argmin(cost[0]))]
    whole_s = len(late) * packet_s
    return float(delay) / whole_s, float(concealed) / whole_s
