"""Holes that a sound card leaves: it asked so late that it had nothing to play meanwhile."""

from __future__ import annotations

import math

_LOOK_S = 0.1
_LOOK_REQUESTS = 8
"""A look takes at least so long, and at least so many requests: a card that asks for its
sound in bursts looks late between them and is not."""
_LEAST_S = 0.005
"""A shorter hole is not told from a late request."""


class HoleMeter:
    """Tells from when a card asks for sound whether it ran dry. Belongs to the audio callback.

    A card asks as its buffer empties, so the time of a request, less the sound given until
    then, stays the same. A late request that the buffer outlasted is followed by early ones,
    so the least of some requests in a row stays where it was; after a hole it is later for
    good, by the length of the hole.

    Args:
        rate_hz: frames a second.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._given_frames = 0
        self._usual_s: float | None = None
        self._least_s = math.inf
        self._began_s = math.inf
        self._requests = 0

    def asked(self, now_s: float, frames: int) -> float:
        """Note a request for ``frames`` at ``now_s``.

        Returns:
            seconds of silence that the card left, noticed now; nearly always 0.
        """
        late_s = now_s - self._given_frames / self._rate_hz
        self._given_frames += frames
        self._least_s = min(self._least_s, late_s)
        self._began_s = min(self._began_s, now_s)
        self._requests += 1
        if self._requests < _LOOK_REQUESTS or now_s - self._began_s < _LOOK_S:
            return 0.0
        return self.look()

    def look(self) -> float:
        """Return seconds of hole among the requests since the last look."""
        if not self._requests:
            return 0.0
        before_s, self._usual_s = self._usual_s, self._least_s
        self._least_s = self._began_s = math.inf
        self._requests = 0
        hole_s = 0.0 if before_s is None else self._usual_s - before_s
        return hole_s if hole_s >= _LEAST_S else 0.0
