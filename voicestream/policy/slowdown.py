"""How much slower than asked to play, so that a server that lags is heard without a stop."""

from __future__ import annotations

from voicestream.policy.arrivals import Arrivals, quantile

LEAST = 0.75
"""Slower than this share of the tempo a listener minds."""
_DOWN_PER_S, _UP_PER_S = 0.8, 0.2
"""The share changes no faster, a second of sound."""
_MOST_STEP = 0.1
_WORTH_IT = 0.97
"""A share nearer to 1 is not worth the work: what is asked for is played."""
_SEEN_S = 0.15
_FORESEEN_S = 8.0
_REFILL_S = 2.0
_MARGIN_S = 0.2
_AMPLE_S = 1.0


class Slowdown:
    """Sees arrivals and what waits, and says at which share of the tempo to play on.

    With r seconds of sound arriving a second, w seconds waiting and h to come, the
    share f at which what waits lasts until all has come solves
    ``w + h / f = h / r``. Used by the feeder.
    """

    def __init__(self) -> None:
        self.arrivals = Arrivals()
        """In seconds of sound at the tempo asked for, whatever was made of it."""
        self.share = 1.0

    def arrived(self, at_s: float, sound_s: float, waiting_s: float, rest_s: float) -> float:
        """Return the share of the tempo at which to play what arrived now: 0.75 to 1.

        Args:
            at_s: when; does not go back.
            sound_s: seconds of sound at the tempo asked for.
            waiting_s: of sound that is ready and not played yet, without this.
            rest_s: of sound still to come.
        """
        self.arrivals.add(at_s, sound_s)
        wanted = self._wanted(waiting_s, rest_s)
        if wanted > _WORTH_IT:
            wanted = 1.0
        down = min(_DOWN_PER_S * sound_s, _MOST_STEP)
        up = min(_UP_PER_S * sound_s, _MOST_STEP)
        self.share = min(max(wanted, self.share - down), self.share + up)
        return self.share

    def _wanted(self, waiting_s: float, rest_s: float) -> float:
        seen = self.arrivals
        if seen.count < 3 or seen.last_s - seen.first_s < _SEEN_S or waiting_s > _AMPLE_S:
            return 1.0
        rate = max(min(seen.rate, seen.recent_rate), 0.1)
        coming_s = min(max(rest_s, 0.5), _FORESEEN_S)
        spare_s = waiting_s - _MARGIN_S - quantile(seen.gaps, 0.9)
        if spare_s < 0:
            coming_s = min(coming_s, _REFILL_S)
        return min(max(1.0 / max(1.0 / rate - spare_s / coming_s, 1.0), LEAST), 1.0)
