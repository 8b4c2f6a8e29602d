"""What is dropped up to its end, and given back if that never comes."""

from __future__ import annotations

import re

HIDDEN_MAX = 1_000_000
"""Characters after which a hidden block that nothing closes is text."""
_CLOSE_TAIL = 64  # longer than anything that ends what is dropped


class Hidden:
    """The block that is being dropped, if there is one."""

    def __init__(self) -> None:
        self._until: re.Pattern[str] | None = None
        self._kept: list[str] | None = None  # what was dropped so far, if it may be text after all
        self._kept_chars = 0

    @property
    def active(self) -> bool:
        """Whether something is being dropped."""
        return self._until is not None

    def begin(self, until: str, keep: bool) -> None:
        """Drop all up to the pattern ``until``; ``keep``: it is text if that never comes."""
        self._until, self._kept, self._kept_chars = re.compile(until), [] if keep else None, 0

    def end(self, text: str, at: int, final: bool) -> int | None:
        """Return where in ``text``, from ``at`` on, the block ends.

        Returns:
            None if it does not yet, -1 if it is text after all (see ``give_back``).
        """
        assert self._until is not None
        stop = len(text)
        if self._kept is not None:
            stop = min(stop, at + HIDDEN_MAX - self._kept_chars)
        if found := self._until.search(text, at, stop):
            self._until = self._kept = None
            return found.end()
        full = stop < len(text) or self._kept_chars + stop - at >= HIDDEN_MAX
        return -1 if self._kept is not None and (final or full) else None

    def give_back(self, rest: str) -> str:
        """Return all of it, with what follows: the block was none."""
        assert self._kept is not None
        text = "".join(self._kept) + rest
        self._until = self._kept = None
        return text

    def take(self, text: str, at: int) -> int:
        """Drop what cannot hold the end; return from where on ``text`` must be seen again."""
        tail = max(at, len(text) - _CLOSE_TAIL)
        if self._kept is not None:
            self._kept.append(text[at:tail])
            self._kept_chars += tail - at
        return tail
