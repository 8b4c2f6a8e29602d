"""The words of a segment whose times its endpoint tells, placed in the sound that is written."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import isfinite

import numpy as np

from voicestream.speech.base import TimedWord
from voicestream.words import word_spans

_NEAR_WORDS = 8
"""How many words ahead a word is looked for where others are told than the text has."""
_BACK_S = 0.02
"""Words may overlap by so much."""


class ToldWords:
    """Finds what is told among the words of a text, and in the sound. Used by the feeder.

    Args:
        text: of the segment.
        words: grows while the sound comes.
        start_frame: where the sound begins in what is written.
    """

    def __init__(self, text: str, words: Sequence[TimedWord], start_frame: int) -> None:
        self._words = words
        self._taken = 0
        self._matching = _Matching(text)
        self._joined, self._written = [0], [start_frame]
        self.joined_frames = 0
        """Frames of the segment, joined and before the tempo is changed; counted by the feeder."""
        self.ends: list[tuple[int, float]] = []
        """The number of each word that was found, and the frame where it ends."""

    def place(self, written_frames: int, rate_hz: int, cut_frames: int, last: bool) -> bool:
        """Take in what was told meanwhile; return whether that brought any ends.

        Args:
            written_frames: where the end of what was joined so far is written.
            cut_frames: see :class:`Joiner`.
            last: no more of the segment comes.
        """
        self._joined.append(self.joined_frames)
        self._written.append(written_frames)
        for told in self._words[self._taken :]:
            self._taken += 1
            self._matching.tell(*told)
        if last:
            self._matching.end()
        known = len(self.ends)
        for word, end_s in self._matching.ends[known:]:
            at_frame = end_s * rate_hz - cut_frames
            if at_frame > self.joined_frames:
                break
            self.ends.append((word, float(np.interp(at_frame, self._joined, self._written))))
        return len(self.ends) > known


class _Matching:
    """Finds words that are told one after the other in a text.

    They are compared by their letters: one that is told may be a part of one of the text, or
    several. What is said may differ from what is written (``Dr.``, ``10 %``): after words that are
    not there, one counts only if the next is there, too.
    """

    def __init__(self, text: str) -> None:
        self._letters = ""
        self._begins: list[int] = []
        """Where each word of the text begins, counted in its letters."""
        for start, end in word_spans(text):
            self._begins.append(len(self._letters))
            self._letters += _letters_of(text[start:end])
        self._at = 0
        self._doubtful: tuple[str, float, float] | None = None
        self.ends: list[tuple[int, float]] = []
        """The number of each word that was found, and when it ends, in seconds."""

    def tell(self, word: str, start_s: float, end_s: float) -> None:
        """Take the next word. Once times go back (some count from each piece anew) no more are
        believed; what is no time is not used."""
        letters = _letters_of(word)
        if not letters:
            return
        self.end(letters)
        if self._letters.startswith(letters, self._at):
            self._found(self._at, letters, start_s, end_s)
        else:
            self._doubtful = letters, start_s, end_s

    def end(self, following: str = "") -> None:
        """Decide on the word before, now that the one after it is known; empty: there is none."""
        if self._doubtful is None:
            return
        (letters, start_s, end_s), self._doubtful = self._doubtful, None
        first = max(bisect_right(self._begins, self._at) - 1, 0)
        for at in self._begins[first : first + _NEAR_WORDS]:
            after = at + len(letters)
            is_last = after == len(self._letters)
            if self._letters.startswith(letters, at) and (
                self._letters.startswith(following, after) if following else is_last
            ):
                self._found(at, letters, start_s, end_s)
                return

    def _found(self, at: int, letters: str, start_s: float, end_s: float) -> None:
        self._at = after = at + len(letters)
        word = bisect_right(self._begins, at) - 1
        if self._begins[word] == at:
            self._ends(word - 1, start_s)
        following = bisect_left(self._begins, after)  # the first one that begins there, or later
        if after in (len(self._letters), *self._begins[following : following + 1]):
            self._ends(following - 1, end_s)

    def _ends(self, word: int, at_s: float) -> None:
        last, last_s = self.ends[-1] if self.ends else (-1, 0.0)
        if at_s < last_s - _BACK_S and word >= last:
            self._letters, self._begins = "", []
        elif word > last and isfinite(at_s):
            self.ends.append((word, max(at_s, last_s)))


def _letters_of(word: str) -> str:
    return "".join(filter(str.isalnum, word.casefold()))
