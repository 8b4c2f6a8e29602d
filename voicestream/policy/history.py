"""What earlier replies of an endpoint were like."""

from __future__ import annotations

from voicestream.policy.arrivals import HORIZONS_S, Arrivals, quantile
from voicestream.records import dataclass

_KEPT = 12
_SHARES = (0.25, 0.5, 0.65, 0.8, 0.9)
NEED_SHARES = len(_SHARES)
_GAPS_A_REPLY = 16
_GAPS_KEPT = 96


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Holds what the latest dozen replies of an endpoint have taught; small enough for a line of a
    file.

    Attributes:
        replies: how many it stands on.
        first_needs: of each reply kept, the need after its first arrival at each horizon.
        needs: at each horizon, quantiles of the need after any arrival, ascending.
        gaps: seconds between arrivals, sorted, spread evenly over those seen.
        phrase_s: sound from one pause of the speech to the next; 0: not known.
    """

    replies: int = 0
    seconds_per_char: float = 0.0
    first_byte_s: float = 0.0
    rate: float = 0.0
    jitter_s: float = 0.0
    first_needs: tuple[tuple[float, ...], ...] = ()
    needs: tuple[tuple[float, ...], ...] = ()
    gaps: tuple[float, ...] = ()
    phrase_s: float = 0.0

    def with_reply(
        self,
        seen: Arrivals,
        chars: int = 0,
        first_byte_s: float | None = None,
        pauses: int | None = None,
    ) -> Knowledge:
        """Return this with one reply more. A reply of a single arrival tells nothing.

        Args:
            chars: that were spoken; 0: not known, or not all of them.
            first_byte_s: from the request to its first byte.
            pauses: found in the speech.
        """
        if seen.count < 2:
            return self
        weight = max(1.0 / (self.replies + 1), 1.0 / _KEPT)

        def blend(old: float, new: float) -> float:
            return round(old + weight * (new - old), 4) if old else round(new, 4)

        per_char = seen.sound_s / chars if chars else self.seconds_per_char
        first_byte_s = self.first_byte_s if first_byte_s is None else first_byte_s
        first = tuple(round(need, 4) for need in seen.first_needs())
        return Knowledge(
            replies=self.replies + 1,
            seconds_per_char=blend(self.seconds_per_char, per_char),
            first_byte_s=blend(self.first_byte_s, first_byte_s),
            rate=blend(self.rate, seen.rate),
            jitter_s=blend(self.jitter_s, seen.jitter_s),
            first_needs=(*self.first_needs, first)[-_KEPT:],
            needs=self._needs_with(seen, weight),
            gaps=self._gaps_with(seen),
            phrase_s=blend(
                self.phrase_s, self.phrase_s if pauses is None else seen.sound_s / (pauses + 1)
            ),
        )

    def _needs_with(self, seen: Arrivals, weight: float) -> tuple[tuple[float, ...], ...]:
        rows: list[tuple[float, ...]] = []
        fresh = (0.0,) * len(_SHARES)
        for row in range(len(HORIZONS_S)):
            looks = seen.needs(row)
            if len(looks):  # else the reply was too short: at least as much as for less
                fresh = tuple(quantile(looks, share) for share in _SHARES)
            old = self.needs[row] if self.needs else fresh
            rows.append(
                tuple(round(a + weight * (b - a), 4) for a, b in zip(old, fresh, strict=True))
            )
        return tuple(rows)

    def _gaps_with(self, seen: Arrivals) -> tuple[float, ...]:
        count = _GAPS_A_REPLY
        mine = [quantile(seen.gaps, (i + 0.5) / count) for i in range(count)] + seen.gaps[-2:]
        gaps = sorted([*self.gaps, *(round(gap, 4) for gap in mine)])
        return tuple(gaps[:: 2 if len(gaps) > _GAPS_KEPT else 1])
