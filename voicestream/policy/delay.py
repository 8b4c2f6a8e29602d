"""How long packets should wait, by how much later than the earliest they come."""

from __future__ import annotations

import math
from collections import deque

from voicestream.policy.base import Policy

_WINDOW_S = 2.0
_BUCKET_S = 0.005
_BUCKETS = 200
_START_S = 0.015
"""The target of a sender that is not known yet."""
_GROWN = 1e100
_BLOCK_S = 5.0
_BLOCKS = 60
_LOW_S, _HIGH_S = 0.003, 0.02
"""Between these above the target nothing is done about it: an even network costs no sample, and a
sender whose clock is slow is followed before its packets are late."""
_SLOW_PPM, _WRONG_PPM = 20.0, 500.0
_SLOW_LOW_S = 0.012
"""In place of ``_LOW_S`` for a sender whose clock is slow: its delay sinks all the time."""
_HASTE_S = 0.06
"""A delay this far off is corrected at every packet, a smaller one every 0.1 s."""
_EVERY_S = 0.1


class DelayTarget:
    """The delay at which all but a few packets are in time.

    The idea is that of WebRTC's NetEq (``delay_manager.cc`` and
    ``relative_arrival_delay_tracker.cc``): a packet's delay relative to the earliest of the last
    two seconds goes into a histogram that forgets, whose quantile is the target. The buckets here
    are of 5 ms in place of 20, and there is no least target.

    Args:
        quantile: the share of packets that is to be in time.
        forget: what a packet weighs once the next one is here.
    """

    def __init__(self, quantile: float = 0.97, forget: float = 0.995) -> None:
        self._quantile = quantile
        self._grow = 1.0 / forget
        self._weight = 1.0
        self._sum = 0.0
        self._histogram = [0.0] * _BUCKETS
        self._top = 0
        self._earliest: deque[tuple[float, float]] = deque()  # rising offsets
        self._packets = 0
        self._blocks: deque[tuple[float, float]] = deque(maxlen=_BLOCKS)
        self.target_s = _START_S

    @property
    def base_s(self) -> float:
        """Difference of the two clocks plus the shortest way: the least of the last 2 s."""
        return self._earliest[0][1] if self._earliest else 0.0

    def relative_s(self, at_s: float, sent_s: float) -> float:
        """Return how much later than the earliest something sent at ``sent_s`` is at ``at_s``."""
        return at_s - sent_s - self.base_s

    def arrived(self, at_s: float, sent_s: float) -> None:
        """Take in a packet.

        Args:
            at_s: when it came.
            sent_s: when it was sent, on the sender's clock.
        """
        offset_s = at_s - sent_s
        earliest = self._earliest
        while earliest and earliest[-1][1] >= offset_s:
            earliest.pop()
        earliest.append((at_s, offset_s))
        while earliest[0][0] < at_s - _WINDOW_S:
            earliest.popleft()
        if not self._blocks or at_s >= self._blocks[-1][0] + _BLOCK_S:
            self._blocks.append((at_s, offset_s))
        elif offset_s < self._blocks[-1][1]:
            self._blocks[-1] = (self._blocks[-1][0], offset_s)
        self._count(offset_s - earliest[0][1])

    def _count(self, late_s: float) -> None:
        bucket = min(int(late_s / _BUCKET_S), _BUCKETS - 1)
        self._histogram[bucket] += self._weight
        self._sum += self._weight
        self._weight *= self._grow
        self._packets += 1
        self._top = max(self._top, bucket)
        if self._weight > _GROWN:
            self._histogram = [it / self._weight for it in self._histogram]
            self._sum /= self._weight
            self._weight = 1.0
        self._settle()

    def _settle(self) -> None:
        """Find the quantile from above: few packets are there."""
        left, bucket = (1.0 - self._quantile) * self._sum, self._top
        while bucket > 0 and self._histogram[bucket] <= left:
            left -= self._histogram[bucket]
            bucket -= 1
        # linear within the bucket
        inside = min(left / self._histogram[bucket], 1.0) if self._histogram[bucket] else 0.0
        self.target_s = (bucket + 1 - inside) * _BUCKET_S
        if self._packets < 10:  # too few to know
            self.target_s = max(self.target_s, _START_S)

    @property
    def drift_ppm(self) -> float:
        """How much slower the sender's clock runs than this one, about; 0 until that shows.

        The slope of the earliest of each five seconds, by least squares.
        """
        if len(self._blocks) < 4:
            return 0.0
        blocks = list(self._blocks)[:-1]  # the last one is not whole
        mean_at = sum(at for at, _ in blocks) / len(blocks)
        mean = sum(it for _, it in blocks) / len(blocks)
        spread = sum((at - mean_at) ** 2 for at, _ in blocks)
        return 1e6 * sum((at - mean_at) * (it - mean) for at, it in blocks) / spread


class LengthRule:
    """Which packets are made shorter or longer, so that their delay stays near the target."""

    def __init__(self) -> None:
        self._changed_at_s = 0.0

    def change(self, at_s: float, delay_s: float, target: DelayTarget) -> int:
        """Return -1 where a packet is to be shorter, 1 where longer, else 0.

        Args:
            at_s: when it is played, which does not go back.
            delay_s: of this packet.
        """
        off_s = delay_s - target.target_s
        every_s = _EVERY_S if abs(off_s) < _HASTE_S else 0.0
        if at_s < self._changed_at_s + every_s:
            return 0
        low_s = _LOW_S
        if off_s < _SLOW_LOW_S and _SLOW_PPM < target.drift_ppm < _WRONG_PPM:
            low_s = _SLOW_LOW_S
        if low_s < off_s < _HIGH_S:
            return 0
        self._changed_at_s = at_s
        return -1 if off_s >= _HIGH_S else 1


class NetEqDelay(DelayTarget):
    """NetEq's own numbers: 95 %, forgetting 0.983, buckets of 20 ms."""

    def __init__(self) -> None:
        super().__init__(0.95, 0.983)

    def arrived(self, at_s: float, sent_s: float) -> None:
        super().arrived(at_s, sent_s)
        self.target_s = math.ceil(self.target_s / 0.02 - 1e-9) * 0.02


class FixedDelay(DelayTarget):
    """One delay for ever."""

    def __init__(self, delay_s: float) -> None:
        super().__init__()
        self.target_s = self._fixed_s = delay_s

    def arrived(self, at_s: float, sent_s: float) -> None:
        super().arrived(at_s, sent_s)
        self.target_s = self._fixed_s


class DelayPolicy(Policy):
    """A packet's rule as a policy for streams: sound is taken as sent when all before it has
    sounded, and playback starts, and goes on, with as much as the target.

    Args:
        least_s: less than this is never enough.
    """

    def __init__(self, target: DelayTarget, name: str, least_s: float = 0.0) -> None:
        self.name = name
        self._target = target
        self._least_s = least_s
        self._sound_s = 0.0

    def arrived(self, at_s: float, sound_s: float) -> None:
        self._target.arrived(at_s, self._sound_s)
        self._sound_s += sound_s

    def start_need_s(self, ahead_s: float, pause_s: float | None) -> float:  # noqa: ARG002
        return max(self._target.target_s, self._least_s)

    def resume_need_s(self, pause_s: float | None) -> float:  # noqa: ARG002
        return max(self._target.target_s, self._least_s)


def neteq_like() -> DelayPolicy:
    """Return NetEq's rule for streams, a reference for comparison: 80 ms at least."""
    return DelayPolicy(NetEqDelay(), "neteq-like", 0.08)
