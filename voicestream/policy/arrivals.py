"""What arrivals say about those to come: rate, gaps, and how much waiting sound they need.

The *need* at a horizon of H seconds of sound is how much must be waiting at one
arrival so that none of the next H seconds comes late when playback goes on at
once: ``max_j (a_j - sound in between) - a_i``. It holds the drift of a slow
server, the jitter and the gaps in one number, and its distribution is taken
from all arrivals so far, as NetEq takes that of the relative delay.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence

import numpy as np

from voicestream.pcm import NDArray

HORIZONS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
SAME_S = 0.02
"""Arrivals this near to each other are one."""
_HORIZONS = np.array(HORIZONS_S)
_RECENT_S = 1.5
_LOOKED_AT = 2048
"""Only so many of the latest arrivals are looked at: an hour must not cost more than a minute."""
_MOST_KEPT = 4 * _LOOKED_AT
"""Then those between the first and the latest are thinned: nor must it take more memory."""
_ROUNDING = 1e-9

Floats = NDArray[np.float64]


def horizon_row(horizon_s: float) -> int:
    """Return the index of the shortest horizon that is at least this long, or of the longest."""
    return min(bisect.bisect_left(HORIZONS_S, horizon_s), len(HORIZONS_S) - 1)


def quantile(values: Floats | Sequence[float], share: float) -> float:
    """Return a quantile of sorted values, by linear interpolation; 0 when there are none."""
    if not len(values):
        return 0.0
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return float(values[low] + (values[high] - values[low]) * (place - low))


class Arrivals:
    """Keeps the arrivals of one reply, in order: seconds of sound and seconds of time.

    However long the reply is, no more than ``_MOST_KEPT`` of them are kept: the first
    quarter, the latest half, and of the time between the fewer the longer ago.
    """

    def __init__(self) -> None:
        self.count = 0
        """Arrivals, those close together counted as one."""
        self.first_s = 0.0
        self.last_s = 0.0
        self.sound_s = 0.0
        self.jitter_s = 0.0
        """Interarrival jitter after RFC 3550, section 6.4.1."""
        self.gaps: list[float] = []
        """Seconds between arrivals, sorted."""
        self.enough_s = 0.0
        """With a prebuffer of so much, none of what has arrived would have been late."""
        self._safe_s = -math.inf
        self._transit_s: float | None = None
        self._opened_s = -math.inf
        self._kept = 0
        self._at = np.zeros(64)
        self._sound = np.zeros(64)
        self._needs = np.full((len(HORIZONS_S), 64), -math.inf)
        self._settled: list[list[float]] = [[] for _ in HORIZONS_S]
        self._settled_count = [0] * len(HORIZONS_S)

    def add(self, at_s: float, sound_s: float) -> None:
        """Add an arrival of ``sound_s`` seconds of sound; ``at_s`` does not go back."""
        late_s = at_s - self.sound_s
        same = at_s - self._opened_s < SAME_S
        if late_s > self._safe_s:  # playback that began then would never have run dry
            self._safe_s = late_s
            place = int(np.searchsorted(self._at[: self._kept], late_s))
            whole = place == self._kept  # not before this very arrival
            self.enough_s = self.sound_s + sound_s if whole else float(self._sound[place])
        if self._transit_s is None:
            self.first_s = at_s
        else:
            self.jitter_s += (abs(late_s - self._transit_s) - self.jitter_s) / 16.0
            if not same or late_s > self._transit_s:  # else the piece before needed more
                self._see_needs(late_s)
        self._transit_s = late_s
        if same:
            self._needs[:, self._kept - 1] = -math.inf
        else:
            if self.count:
                self._add_gap(at_s - self.last_s)
            self._opened_s = at_s
            self.count += 1
            self._make_room()
            self._kept += 1
        self.sound_s += sound_s
        self.last_s = at_s
        self._at[self._kept - 1] = at_s
        self._sound[self._kept - 1] = self.sound_s

    def _add_gap(self, gap_s: float) -> None:
        bisect.insort(self.gaps, gap_s)
        if len(self.gaps) > _MOST_KEPT:  # the extremes stay
            self.gaps = [*self.gaps[:-1:2], self.gaps[-1]]

    def _see_needs(self, late_s: float) -> None:
        """Note what the sound now coming needed of each arrival before, as far as horizons
        reach."""
        since = max(self._kept - _LOOKED_AT, 0)
        sound = self._sound[since : self._kept]
        needs = late_s - (self._at[since : self._kept] - sound)
        lows = np.searchsorted(sound, self.sound_s - _HORIZONS, side="right")
        for row, low in enumerate(lows.tolist()):
            part = self._needs[row, since + low : self._kept]
            np.maximum(part, needs[low:], out=part)

    def _make_room(self) -> None:
        """Make room for one arrival more."""
        size = len(self._at)
        if self._kept < size:
            return
        if size >= _MOST_KEPT:
            self._thin()
            return
        self._at = np.concatenate((self._at, np.zeros(size)))
        self._sound = np.concatenate((self._sound, np.zeros(size)))
        more = np.full((len(HORIZONS_S), size), -math.inf)
        self._needs = np.concatenate((self._needs, more), axis=1)

    def _thin(self) -> None:
        """Forget every second arrival between the first and the latest ones.

        Only who lags behind by minutes looks there, and finds the next one that is kept.
        """
        quarter, half = self._kept // 4, self._kept // 2
        between = np.arange(quarter, half, 2)
        places = np.concatenate((np.arange(quarter), between, np.arange(half, self._kept)))
        self._kept = len(places)
        for values in (self._at, self._sound):
            values[: self._kept] = values[places]
        self._needs[:, : self._kept] = self._needs[:, places]
        self._needs[:, self._kept :] = -math.inf
        for row, count in enumerate(self._settled_count):
            count = int(np.searchsorted(places, count))
            latest = self._needs[row, max(count - _LOOKED_AT, 0) : count]
            self._settled[row], self._settled_count[row] = sorted(latest.tolist()), count

    @property
    def first_sound_s(self) -> float:
        """Seconds of sound of the first arrival."""
        return float(self._sound[0]) if self.count else 0.0

    @property
    def rate(self) -> float:
        """Seconds of sound that arrive in a second, the first arrival left out; 0 while unknown."""
        return self._rate_since(0) if self.count > 1 else 0.0

    @property
    def recent_rate(self) -> float:
        """The rate over the latest second and a half, of two arrivals at least."""
        if self.count < 3:
            return self.rate
        since_s = self.last_s - _RECENT_S
        first = int(np.searchsorted(self._at[: self._kept], since_s, side="left"))
        return self._rate_since(min(first, self._kept - 3))

    def _rate_since(self, first: int) -> float:
        spent_s = self.last_s - float(self._at[first])
        return (self.sound_s - float(self._sound[first])) / max(spent_s, 1e-3)

    def needs(self, row: int) -> Sequence[float]:
        """Return the needs at a horizon of all arrivals that lie a whole horizon back, sorted.

        Such a need changes no more, so each is put in its place once.
        """
        behind_s = self.sound_s - HORIZONS_S[row]
        whole = int(np.searchsorted(self._sound[: self._kept], behind_s, side="right"))
        settled, needs = self._settled[row], self._needs[row]
        for place in range(self._settled_count[row], whole):
            bisect.insort(settled, float(needs[place]))
            if place >= _LOOKED_AT:
                del settled[bisect.bisect_left(settled, float(needs[place - _LOOKED_AT]))]
        self._settled_count[row] = whole
        return settled

    def first_needs(self) -> tuple[float, ...]:
        """Return the need after the first arrival at each horizon, or up to now if that is
        nearer."""
        found = self._needs[:, 0]
        return tuple(float(need) if math.isfinite(need) else 0.0 for need in found)


class Spread:
    """Holds how a value is distributed: samples with weights."""

    def __init__(self) -> None:
        self._parts: list[tuple[Sequence[float], float]] = []

    def add(self, values: Sequence[float], weight: float) -> None:
        """Add samples, which together weigh ``weight``."""
        if values:
            self._parts.append((values, weight))

    def samples(self, weight: float) -> Iterator[tuple[float, float]]:
        """Yield each sample with its weight."""
        whole = sum(part for _, part in self._parts)
        for values, part in self._parts:
            each = weight * part / (whole * len(values))
            for value in values:
                yield value, each


def threshold(samples: Sequence[tuple[float, float]], most: float) -> float:
    """Return the least value, 0 or more, above which samples of no more weight than ``most``
    lie."""
    above = 0.0
    for value, weight in sorted(samples, reverse=True):
        above += weight
        if above > most + _ROUNDING:
            return max(value, 0.0)
    return 0.0
