"""When to start, when to go on, and whether to wait at a pause.

A policy sees arrivals and what is known of the text, and answers in seconds of
sound. It keeps no clock: every time comes in with an arrival.
"""

from __future__ import annotations

import math

from voicestream.errors import SettingsError
from voicestream.records import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """When playback may go on past a pause though nothing more has arrived."""

    from_s: float = -math.inf
    until_s: float = math.inf


OPEN = Window()


@dataclass(frozen=True, slots=True)
class PrebufferLimits:
    """Sets what the user allows of sound gathered before playback starts or goes on.

    Raises:
        SettingsError: they contradict each other.
    """

    least_s: float = 0.0
    most_s: float = 10.0

    def __post_init__(self) -> None:
        for value in (self.least_s, self.most_s):
            if not (math.isfinite(value) and value >= 0):
                raise SettingsError(f"{value:g} s is no length of a buffer")
        if self.least_s > self.most_s:
            raise SettingsError(
                f"playback shall wait for at least {self.least_s:g} s of sound "
                f"and for at most {self.most_s:g} s",
                hint="Lower the least or raise the most.",
            )

    def clamp(self, need_s: float) -> float:
        """Return the value within the limits that is nearest to ``need_s``."""
        return min(max(need_s, self.least_s), self.most_s)


class Policy:
    """Answers when to start, to wait and to go on. Called by one thread, the feeder, in the
    order of arrivals; this one learns nothing from them."""

    name = ""
    """As tables show it."""

    def requested(self, at_s: float) -> None:
        """Note that speech was asked for at this time."""

    def text(self, chars: int, complete: bool) -> None:
        """Note how many characters will be spoken in all, as far as is known.

        Args:
            chars: of the text known by now.
            complete: no more will come.
        """

    def arrived(self, at_s: float, sound_s: float) -> None:
        """Note that ``sound_s`` seconds of sound became playable; ``at_s`` does not go back."""

    def paused(self, count: int) -> None:
        """Note that ``count`` pauses were found in what arrived."""

    def start_need_s(self, ahead_s: float, pause_s: float | None) -> float:
        """Return the seconds of sound to start with.

        Args:
            ahead_s: what the device pulls at once.
            pause_s: sound up to the latest pause known.
        """
        raise NotImplementedError

    def resume_need_s(self, pause_s: float | None) -> float:
        """Return the seconds of sound to go on with after running dry inside a word.

        Args:
            pause_s: sound up to the next pause known.
        """
        raise NotImplementedError

    def at_pause(self, beyond_s: float) -> Window:  # noqa: ARG002
        """Return when to go on at the latest pause known, with ``beyond_s`` of sound after it."""
        return OPEN


class Fixed(Policy):
    """Starts, and goes on, with a fixed amount of sound."""

    def __init__(self, prebuffer_s: float) -> None:
        if not (math.isfinite(prebuffer_s) and prebuffer_s >= 0):
            raise SettingsError(f"a prebuffer of {prebuffer_s:g} s")
        self.name = f"fixed {1000 * prebuffer_s:.0f}"
        self._prebuffer_s = prebuffer_s

    def start_need_s(self, ahead_s: float, pause_s: float | None) -> float:  # noqa: ARG002
        return self._prebuffer_s

    def resume_need_s(self, pause_s: float | None) -> float:  # noqa: ARG002
        return self._prebuffer_s
