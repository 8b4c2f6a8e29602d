"""Whether a segment is read as it is written, while its replies arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from voicestream.records import replace
from voicestream.speech.base import SpeechRequest

if TYPE_CHECKING:
    from voicestream.text.said import Difference

_MOST_RESTS = 3
"""A text is continued at most so often where replies end too soon."""
_BEGINNING_CHARS = 160
_MOST_TOLD = 3
_MOST_CHARS = 80


class Reading:
    """What the replies to one segment say, beside its text. Used by its fetch thread.

    Nothing of it is loaded for endpoints that do not tell what they say.

    Args:
        request: the segment's.
        has_others: whether another endpoint could speak instead.
        take_back: gives up the sound that has come, unless any of it was played; whether it did.
        tell: called with a sentence a person should know.
    """

    def __init__(
        self,
        request: SpeechRequest,
        has_others: bool,
        take_back: Callable[[], bool],
        tell: Callable[[str], None],
    ) -> None:
        self._request = request
        self._take_back = take_back
        self._tell = tell
        self._spare = [replace(request, elsewhere=True)] if has_others else []
        self._spare.append(request)  # taken from the end
        self._kept: list[str] = []  # transcripts of the sound that is kept
        self._rests = 0
        self._looked_at = ""
        self.differences: tuple[Difference, ...] = ()
        """Where other words were said, once it has ended."""

    def instead(self, asked: SpeechRequest, said: str | None) -> SpeechRequest | None:
        """Return what to ask for instead, where plainly something else is said; None: go on
        reading."""
        beginning = (said or "")[:_BEGINNING_CHARS]  # the rest is judged at its end
        if beginning == self._looked_at or not self._spare:
            return None
        self._looked_at = beginning
        from voicestream.text.said import begins_otherwise

        return self._again(beginning) if begins_otherwise(asked.text, beginning) else None

    def after(self, asked: SpeechRequest, said: str | None) -> SpeechRequest | None:
        """Return what else to ask for at the reply's end; None if that was all."""
        if not said:
            return None
        from voicestream.text.said import compare

        found = compare(asked.text, said)
        if found.something_else and not found.rest and (again := self._again(said)) is not None:
            return again
        self._kept.append(said)
        if found.rest and self._rests < _MOST_RESTS:
            self._rests += 1
            return replace(asked, text=found.rest)
        self.differences = compare(self._request.text, " ".join(self._kept)).differences
        return None

    def _again(self, said: str) -> SpeechRequest | None:
        if not self._spare or not self._take_back():
            return None
        self._tell(
            f'instead of "{_short(self._request.text)}" something else was said '
            f'("{_short(said)}"); it is asked for again'
        )
        self._kept.clear()
        return self._spare.pop()

    def told(self) -> str:
        """Return the differences in a sentence."""
        places = [_short(str(place)) for place in self.differences[:_MOST_TOLD]]
        more = len(self.differences) - len(places)
        places += [f"{more} more"] if more else []
        return f'{", ".join(places)}, in "{_short(self._request.text)}"'


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_CHARS else line[: _MOST_CHARS - 1] + "…"
