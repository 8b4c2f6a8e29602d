"""A reference for comparison: a buffer sized as WebRTC's NetEq does."""

from __future__ import annotations

from voicestream.policy.base import Policy

_BUCKET_S = 0.02
_BUCKETS = 100
_QUANTILE = 0.95
_FORGET = 0.983
_HISTORY_S = 2.0
_START_S = 0.08


class NetEqLike(Policy):
    """Aims at a fill that is a quantile of the relative arrival delay.

    After ``modules/audio_coding/neteq/delay_manager.cc`` and
    ``relative_arrival_delay_tracker.cc``: each packet's delay relative to the
    earliest of the last 2 s goes into a histogram of 20 ms buckets with a
    forget factor of 0.983, and the target is its 95 % quantile, 80 ms at first.
    """

    name = "neteq-like"

    def __init__(self) -> None:
        self._target_s = _START_S
        self._histogram = [0.0] * _BUCKETS
        self._history: list[tuple[float, float]] = []
        self._sound_s = 0.0
        self._packets = 0

    def arrived(self, at_s: float, sound_s: float) -> None:
        late_s = at_s - self._sound_s
        self._sound_s += sound_s
        self._history = [seen for seen in self._history if seen[0] > at_s - _HISTORY_S]
        self._history.append((at_s, late_s))
        delay_s = late_s - min(late for _, late in self._history)
        self._packets += 1
        forget = min(_FORGET, 1.0 - 1.0 / (self._packets + 1))
        self._histogram = [share * forget for share in self._histogram]
        self._histogram[min(int(delay_s / _BUCKET_S), _BUCKETS - 1)] += 1.0 - forget
        self._target_s = max(self._quantile_s(), _START_S)

    def _quantile_s(self) -> float:
        wanted, seen = _QUANTILE * sum(self._histogram), 0.0
        for bucket, share in enumerate(self._histogram):
            seen += share
            if seen >= wanted:
                return (bucket + 1) * _BUCKET_S
        return _BUCKETS * _BUCKET_S

    def start_need_s(self, ahead_s: float, pause_s: float | None) -> float:  # noqa: ARG002
        return self._target_s

    def resume_need_s(self, pause_s: float | None) -> float:  # noqa: ARG002
        return self._target_s
