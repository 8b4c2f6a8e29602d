"""When packets came, as a trace."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from itertools import pairwise

from voicestream.trace import PacketTrace

_MOST = 1_000_000
"""Five hours of packets of 20 ms; what follows is left out."""


class PacketRecorder:
    """Notes the packets of one sender. Used by one thread."""

    def __init__(self) -> None:
        self._at_s = array("d")
        self._numbers = array("q")
        self._sent_s = array("d")

    def begin(self) -> None:
        """Forget all: another stream begins."""
        del self._at_s[:], self._numbers[:], self._sent_s[:]

    def arrived(self, at_s: float, number: int, sent_s: float) -> None:
        """Note a packet.

        Args:
            number: its sequence number, unwrapped.
            sent_s: its timestamp, unwrapped, in seconds of the sender's clock.
        """
        if len(self._at_s) < _MOST:
            self._at_s.append(at_s)
            self._numbers.append(number)
            self._sent_s.append(sent_s)

    def trace(self, name: str) -> PacketTrace | None:
        """Return the packets in the order they were sent; None: too few to tell of."""
        by_number = {
            number: (at_s - sent_s, sent_s)
            for at_s, number, sent_s in zip(self._at_s, self._numbers, self._sent_s, strict=True)
        }
        order = sorted(by_number)
        steps = Counter(
            round(by_number[b][1] - by_number[a][1], 4) for a, b in pairwise(order) if b == a + 1
        )
        if not steps or (packet_s := steps.most_common(1)[0][0]) <= 0:
            return None
        least_s = min(offset_s for offset_s, _ in by_number.values())
        delays = tuple(
            by_number[number][0] - least_s if number in by_number else math.inf
            for number in range(order[0], order[-1] + 1)
        )
        return PacketTrace(name, packet_s, delays[:_MOST])
