"""Networks: seconds of delay for each packet of 20 ms, infinite where it is lost; and sockets."""

from __future__ import annotations

import math
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import numpy.typing as npt

Rng = np.random.Generator
Delays = npt.NDArray[np.float64]


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


# Real sockets

_ANY_PORT = 32_768
"""From here on the system gives ports to those who ask for any."""


def free_port() -> int:
    """A port of this machine's that nobody listens at, and that none is given who asks for any."""
    while True:
        port = secrets.randbelow(_ANY_PORT - 20_000) + 20_000
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


def bound(port: int) -> bool:
    """Whether somebody listens there: a socket of this machine learns that it is refused."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.05)
        probe.connect(("127.0.0.1", port))
        try:
            probe.send(b"no packet")
            probe.recv(1)
        except TimeoutError:
            return True
        except ConnectionRefusedError:
            return False
    return True


def await_listener(port: int) -> None:
    until_s = time.monotonic() + 30
    while not bound(port):
        assert time.monotonic() < until_s
        time.sleep(0.05)
