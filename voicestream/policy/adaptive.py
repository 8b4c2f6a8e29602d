"""The policy that learns: start early, and wait where a speaker would breathe.

A second waited at the start or at a pause costs the listener 1, inside a word
3. So playback starts, or goes on past a pause, once the phrase up to the next
pause will probably be in time; what later phrases need can be waited for
later, at their pauses. With X the need up to the next pause and Y that of the
whole rest, waiting a little longer for h seconds of sound saves more than it
costs while ``2 P(X > h) + P(Y > h) > 1``: a wait that the rest needs anyway is
free, and what a phrase lacks is paid for threefold.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

from voicestream.policy.arrivals import (
    HORIZONS_S,
    Arrivals,
    Spread,
    horizon_row,
    quantile,
    threshold,
)
from voicestream.policy.base import Policy, PrebufferLimits, Window
from voicestream.policy.history import Knowledge
from voicestream.records import dataclass

COLD_START_S = 0.15

_PHRASES = ((0.5, 0.2), (1.0, 0.3), (2.0, 0.35), (4.0, 0.15), (8.0, 0.05))
"""How far away the next pause may be, in seconds, and how likely that is."""
_LONG_PHRASE_S = 2.5
"""Where pauses are rarer than this on average, the next is that much farther."""
_WORD_AT_PAUSE = 2.0
_WORD_AT_START = 4.5
"""More than at a pause: behind the start lie all the phrases for which a larger buffer helps."""
_SECONDS_PER_CHAR = 0.065
_UNKNOWN_REST_S = 8.0

_WEIGHT_KNOWN = 1.0
_WEIGHT_KNOWN_START = 4.0
_WEIGHT_RECENT = 2.0
_WEIGHT_UNKNOWN = 0.6
_UNKNOWN_NEEDS_S = (0.025, 0.05, 0.1, 0.2)
"""Weights count in looks: one is a horizon's length of sound of this reply."""
_LOOKS = 12
"""How many of a reply's looks are kept, to stand for all."""

_COLD_SLOW_S = (0.2, 0.5)
"""Bounds of the start of an unknown server that is neither fast nor even."""
_RATE_AT_EASE = 1.3
_RATE_EVEN = 1.05
_RATE_SURE = 2.0
_FAST_FIRST = 1.05
"""A first piece with so much sound for each second since the request is a fast server's: one
no faster than speech cannot have made it, however late the first piece was read."""

_LEAST_GAP_S = 0.2
"""Time from the end of one reply to the first samples of the next that even a fast server
needs."""

_STALL_SHARE = 0.35
_USUAL_GAPS = 1.5


@dataclass(frozen=True, slots=True)
class Handover:
    """Where a reply that comes too slowly ends: the next will be faster, in a lighter format.

    Attributes:
        end_s: sound from the very first sample to the end of the slow reply, about.
        gap_s: from that end to the first sound of the next, about.
    """

    end_s: float
    gap_s: float


class Adaptive(Policy):
    """Learns from earlier replies, if there are any, and from this one as it arrives.

    Args:
        knowledge: of the endpoint; None or empty: not met before.
        limits: what the user allows.
    """

    def __init__(
        self, knowledge: Knowledge | None = None, limits: PrebufferLimits | None = None
    ) -> None:
        self._known = knowledge or Knowledge()
        self._limits = limits or PrebufferLimits()
        self.name = "adaptive warm" if self._known.replies else "adaptive cold"
        self.arrivals = Arrivals()
        self.read_late = False
        """The first piece had been waiting for its reader: it arrived sooner than it seems."""
        self.handover: Handover | None = None
        """Where a reply in a lighter format follows if this one is too slow; None: nowhere."""
        self._asked_s: float | None = None
        self._chars = 0
        self._text_complete = False
        self._pauses = 0
        self._need_at_s = -math.inf
        self._pause_need_s = 0.0

    def requested(self, at_s: float) -> None:
        self._asked_s = at_s

    def text(self, chars: int, complete: bool) -> None:
        self._chars = chars
        self._text_complete = complete

    def arrived(self, at_s: float, sound_s: float) -> None:
        self.arrivals.add(at_s, sound_s)

    def paused(self, count: int) -> None:
        self._pauses = count

    def reply(self, first_byte_s: float | None = None) -> Knowledge:
        """Return what is known once this reply is complete."""
        chars = self._chars if self._text_complete else 0
        return self._known.with_reply(self.arrivals, chars, first_byte_s, self._pauses)

    @property
    def _stretch(self) -> float:
        """Return by which factor the next pause is farther away than usual."""
        phrase_s = self.arrivals.sound_s / (self._pauses + 1)
        if self._known.phrase_s:
            weight = 4.0 / (4.0 + self._pauses)
            phrase_s = weight * self._known.phrase_s + (1.0 - weight) * phrase_s
        return max(phrase_s / _LONG_PHRASE_S, 1.0)

    @property
    def rest_s(self) -> float:
        """Seconds of sound still to come, as far as the text tells."""
        if not self._text_complete or not self._chars:
            return _UNKNOWN_REST_S
        total_s = 0.2 + self._chars * (self._known.seconds_per_char or _SECONDS_PER_CHAR)
        return max(total_s - self.arrivals.sound_s, 0.1 * total_s, 0.2)

    def start_need_s(self, ahead_s: float, pause_s: float | None) -> float:
        if not self.arrivals.count:
            return self._limits.clamp(COLD_START_S)
        start = self._warm_start_s if self._known.replies else self._cold_start_s
        need_s = start(ahead_s)
        if pause_s is not None:  # up to there nothing can be late
            need_s = min(need_s, max(pause_s, ahead_s))
        return self._limits.clamp(need_s)

    def _cold_start_s(self, ahead_s: float) -> float:
        seen = self.arrivals
        if seen.count == 1:
            return ahead_s if self._fast_first(ahead_s) else COLD_START_S
        longest_s = seen.gaps[-1]
        even = longest_s < 1.2 * seen.gaps[0] + 0.002
        at_ease = seen.rate > _RATE_AT_EASE and seen.count > 2
        if at_ease or (even and seen.rate > _RATE_EVEN):
            # the first gap was longer than it seems when the first piece was read late
            sure = seen.count > 2 or not self.read_late or seen.rate > _RATE_SURE
            return max(ahead_s + longest_s, 0.0 if sure else COLD_START_S)
        need_s = ahead_s + self._need_s(self.rest_s, at_start=True)
        return min(max(need_s, _COLD_SLOW_S[0]), _COLD_SLOW_S[1])

    def _fast_first(self, ahead_s: float) -> bool:
        """Return whether even the first piece, with all that precedes it, came fast."""
        seen = self.arrivals
        if self._asked_s is None or seen.sound_s < ahead_s + 0.05:
            return False
        return seen.sound_s > _FAST_FIRST * (seen.last_s - self._asked_s)

    def _warm_start_s(self, ahead_s: float) -> float:
        """Return the sound to start with at a known endpoint: nothing is played yet, so what
        counts is the need after the first arrival."""
        seen = self.arrivals
        need_s = self._need_s(self.rest_s + seen.sound_s, at_start=True)
        lacking_s = need_s + ahead_s - seen.first_sound_s - (seen.last_s - seen.first_s)
        if lacking_s > 0:
            return seen.sound_s + lacking_s
        return ahead_s + (min(seen.gaps[-1], 0.5) if seen.gaps else 0.0)

    def resume_need_s(self, pause_s: float | None) -> float:
        need_s = 0.03 + min(self._need_at_pause_s(), 0.1 if self._stretch < 2 else 0.5)
        if pause_s is not None:
            need_s = min(need_s, pause_s)
        return min(max(need_s, self._to_handover_s(), 0.02), self._limits.most_s)

    def _to_handover_s(self) -> float:
        """Return the sound that carries playback over the rest of a reply that is too slow, in
        one wait instead of several; 0 where no end of the slowness is in sight."""
        seen = self.arrivals
        if self.handover is None or seen.count < 3 or not 0.0 < seen.recent_rate < 1.0:
            return 0.0
        to_come_s = max(self.handover.end_s - seen.sound_s, 0.0)
        gap_s = max(self.handover.gap_s, _LEAST_GAP_S)
        return to_come_s * (1.0 / seen.recent_rate - 1.0) + gap_s

    def at_pause(self, beyond_s: float) -> Window:
        seen = self.arrivals
        need_s = min(self._need_at_pause_s(), self._limits.most_s)
        from_s = seen.last_s + need_s - beyond_s if need_s > beyond_s else -math.inf
        return Window(from_s, seen.last_s + self._patience_s(beyond_s))

    def _patience_s(self, beyond_s: float) -> float:
        """Return how long after the last arrival playback still goes on, with ``beyond_s`` of sound
        at hand.

        A gap that has outlasted the usual ones will go on: as gaps as long did
        before, and by Lindy's law where none was.
        """
        own, known = self.arrivals.gaps, self._known.gaps
        usual_s = quantile(own if len(own) > 4 or not known else known, 0.9)
        if own and len(own) <= 4:
            usual_s = max(usual_s, own[-1])
        spent_s = _USUAL_GAPS * usual_s + 0.03
        while spent_s < _UNKNOWN_REST_S:
            until_s = spent_s + beyond_s
            as_long = _above(own, spent_s) + 0.5 * _above(known, spent_s)
            too_long = _above(own, until_s) + 0.5 * _above(known, until_s)
            if (too_long + spent_s / until_s) / (as_long + 1.0) > _STALL_SHARE:
                return spent_s
            spent_s = 1.25 * spent_s + 0.02
        return math.inf

    def _need_at_pause_s(self) -> float:
        """Return the need at a pause, computed anew as often as it can have changed."""
        if self.arrivals.sound_s - self._need_at_s >= 0.08:
            self._need_at_s = self.arrivals.sound_s
            self._pause_need_s = self._need_s(self.rest_s, at_start=False)
        return self._pause_need_s

    def _need_s(self, rest_s: float, at_start: bool) -> float:
        """Return the least h with ``word * P(X > h) + P(Y > h) <= 1``."""
        word = _WORD_AT_START if at_start else _WORD_AT_PAUSE
        stretch = self._stretch
        weights = {min(HORIZONS_S[-1], rest_s): 1.0}
        for phrase_s, share in _PHRASES[:-1] if at_start else _PHRASES:
            horizon_s = min(stretch * phrase_s, rest_s)
            weights[horizon_s] = weights.get(horizon_s, 0.0) + word * share
        samples: list[tuple[float, float]] = []
        for horizon_s, weight in weights.items():
            samples.extend(self._spread(horizon_s, at_start).samples(weight))
        return threshold(samples, 1.0)

    def _spread(self, horizon_s: float, at_start: bool) -> Spread:
        """Return the need at a horizon: of earlier replies, of this one, and of its latest
        drift."""
        row = horizon_row(horizon_s)
        seen, known, spread = self.arrivals, self._known, Spread()
        if not known.replies:
            spread.add(_UNKNOWN_NEEDS_S, _WEIGHT_UNKNOWN)
        elif at_start:
            spread.add([needs[row] for needs in known.first_needs], _WEIGHT_KNOWN_START)
        else:
            spread.add(known.needs[row], _WEIGHT_KNOWN)
        if seen.count < 2:
            return spread
        own = 0.5 if at_start else 1.0
        drift = max(1.0 / seen.recent_rate - 1.0, 0.0)
        new_s = seen.sound_s - seen.first_sound_s
        spread.add(
            [quantile(seen.gaps, 0.9) + drift * horizon_s],
            own * _WEIGHT_RECENT * new_s / (new_s + 0.3),
        )
        looks = seen.needs(row)
        if len(looks) > _LOOKS:
            step = (len(looks) - 1) / (_LOOKS - 1)
            looks = [looks[int(number * step)] for number in range(_LOOKS - 1)] + [looks[-1]]
        spread.add(looks, own * seen.sound_s / horizon_s)
        return spread


class Onlooker(Adaptive):
    """Learns from the reply as any, but answers what another policy says.

    Args:
        decides: the other policy.
    """

    def __init__(self, decides: Policy, knowledge: Knowledge | None = None) -> None:
        super().__init__(knowledge)
        self.name = decides.name
        self._decides = decides

    def start_need_s(self, ahead_s: float, pause_s: float | None) -> float:
        return self._decides.start_need_s(ahead_s, pause_s)

    def resume_need_s(self, pause_s: float | None) -> float:
        return self._decides.resume_need_s(pause_s)

    def at_pause(self, beyond_s: float) -> Window:
        return self._decides.at_pause(beyond_s)


def _above(values: Sequence[float], least: float) -> int:
    """Return how many of the sorted ``values`` are ``least`` or more."""
    return len(values) - bisect.bisect_left(values, least)
