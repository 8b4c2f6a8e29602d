"""How long a text an endpoint takes: said by a setting, or learnt from what it refuses."""

from __future__ import annotations

from voicestream.errors import TooLongError
from voicestream.text.split import split_text

MOST_CHARS = 4096
"""No endpoint is asked for more, whatever a text has become by replaced words."""
LEAST_CHARS = 20
"""Shorter texts are refused for other reasons."""


class Lengths:
    """Knows the longest text that one request may hold. Fetch threads."""

    def __init__(self) -> None:
        self._most_chars = MOST_CHARS

    def parts(self, text: str) -> list[str]:
        """Return the text in as few parts as are short enough, none empty, cut where one may
        pause."""
        if len(text) <= self._most_chars:
            return [text]
        parts = (part.strip() for part in split_text(text, self._most_chars))
        return [part for part in parts if any(map(str.isalnum, part))] or [text]

    def learn(self, text: str, error: TooLongError) -> None:
        """Take in that an endpoint refused ``text`` as too long.

        Raises:
            TooLongError: it is so short that this cannot be the reason.
        """
        named = error.most_chars
        most = named if named is not None and named < len(text) else len(text) // 2
        if most < LEAST_CHARS:
            raise error
        self._most_chars = min(most, self._most_chars)
