"""Which words have been heard: the words of a segment are placed in its sound.

Few endpoints tell where in the sound a word is, so it is found from both ends. A reader takes
about as long for each letter, and pauses where a comma is: the longest pause of the sound belongs
to the punctuation mark that is nearest by the length of the words around it, and so on within
both halves. Between two such places, or words that are told, the words are spread by their letters.
Beside the times that an engine used itself, a word is off by 80 ms in the middle
(``tests/bench/words.py``).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from voicestream.patterns import lazy_pattern
from voicestream.records import dataclass
from voicestream.state import State

if TYPE_CHECKING:
    from voicestream.counters import Cue, Snapshot

Span = tuple[int, int]

_IDEOGRAPH = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
"""Kana, Han, Hangul: each character counts as a word, for these scripts have no spaces."""
_WORD = lazy_pattern(rf"[{_IDEOGRAPH}]|[^\s{_IDEOGRAPH}]+")
_STOP = lazy_pattern(
    r"[,.;:!?\u2026\u2014\u2013)\"\u201d\u00bb\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]$"
)
_LETTER_S = 0.058
"""An engine's or a reader's time for a letter, its share of the word's ends included."""
_DIGIT, _CAPITAL, _SIGN = 5.0, 3.0, 5.0
"""Letters that are spoken for a digit, for a capital that is spelt or an ideograph, for ``%``."""
_OFF_S = 0.6
"""A pause further than this from where the letters put a punctuation mark is not its own."""


@dataclass(frozen=True, slots=True)
class Word:
    """Characters ``start`` to ``end`` of a segment's text, heard at ``until_frame``."""

    start: int
    end: int
    until_frame: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a text: whole ``segments``, and of the next one whole words."""

    segments: int
    chars: int
    """Of the segment after these, the characters up to the last word that was heard whole."""
    word: Span | None
    """The word that is being heard, or was when the sound ended: characters of that segment."""


def heard(snapshot: Snapshot) -> Heard:
    """Return where in the text the sound is that leaves the loudspeaker now, or left it last."""
    cues, at_frame = snapshot.cues, snapshot.heard_frames
    if snapshot.state is State.DONE:
        return Heard(len(cues), 0, None)
    index = sum(cue.start_frame <= at_frame for cue in cues) - 1
    if index < 0 or not snapshot.played_frames:
        return Heard(0, 0, None)
    chars = 0
    for word in place_words(cues[index], snapshot.pauses, snapshot.rate_hz or 1):
        if word.until_frame > at_frame:
            return Heard(index, chars, (word.start, word.end))
        chars = word.end
    return Heard(index, len(cues[index].text), None)


def spoken_text(snapshot: Snapshot) -> str:
    """Return the text heard so far, up to the last word that was heard whole."""
    cues, known = snapshot.cues, heard(snapshot)
    parts = [cue.text for cue in cues[: known.segments]]
    if known.chars:
        parts.append(cues[known.segments].text[: known.chars])
    return "".join(parts)


@functools.lru_cache(maxsize=2)
def place_words(cue: Cue, pauses: tuple[Span, ...], rate_hz: int) -> tuple[Word, ...]:
    """Return the words of a segment, each with the frame at which it has been heard.

    Args:
        cue: the segment; as long as its sound is not whole, its length is a guess.
        pauses: first frame of each pause of the sound, and the first one after it.
    """
    spans = word_spans(cue.text)
    if not spans:
        return ()
    letters = _weights(cue.text, cue.said)
    stops = [_STOP.search(cue.text, start, end) is not None for start, end in spans]
    placing = _Placing(letters, stops, pauses, _OFF_S * rate_hz)
    first, from_frame = 0, float(cue.start_frame)
    for word, until_frame in cue.word_ends:
        placing.between(first, word + 1, from_frame, until_frame)
        placing.until_frames[word] = until_frame
        first, from_frame = word + 1, until_frame
    end_frame: float = cue.end_frame
    if not end_frame:
        guess_s = _LETTER_S * sum(letters[first:])
        silent = sum(end - start for start, end in pauses if start > from_frame)
        end_frame = from_frame + round(guess_s * rate_hz) + silent
    placing.between(first, len(spans), from_frame, max(end_frame, from_frame))
    ends = zip(spans, placing.until_frames, strict=True)
    return tuple(Word(start, end, until_frame) for (start, end), until_frame in ends)


def word_spans(text: str) -> list[Span]:
    """Return where the words of a text are."""
    return [match.span() for match in _WORD.finditer(text)]


@functools.lru_cache(maxsize=2)
def _weights(text: str, said: str) -> tuple[float, ...]:
    """Return how long each word of a text is to say, in letters.

    Args:
        said: what is said in place of the text, where that is another: one word may be many.
    """
    words = [text[start:end] for start, end in word_spans(text)]
    letters = [_letters(word) for word in words]
    if not said:
        return tuple(letters)
    from difflib import SequenceMatcher  # only where words were replaced

    others = [said[start:end] for start, end in word_spans(said)]
    found = SequenceMatcher(None, words, others, autojunk=False)
    for kind, first, after, start, end in found.get_opcodes():
        size = sum(map(_letters, others[start:end]))
        if kind == "insert":
            letters[min(first, len(letters) - 1)] += size
        elif kind != "equal":
            share = max(size, 0.5) / sum(letters[first:after])
            letters[first:after] = [share * it for it in letters[first:after]]
    return tuple(letters)


def _letters(word: str) -> float:
    """Return how long a word is to say, in letters."""
    spelt = len(word) > 1 and word.isupper()
    size = 0.0
    for char in word:
        if char.isdigit():
            size += _DIGIT
        elif char.isalpha():
            size += _CAPITAL if spelt or char >= "\u3040" else 1.0
        elif char in "%$€£@&+=#":
            size += _SIGN
    return max(size, 0.5)


class _Placing:
    """Places words between two frames, by pauses first, then by letters."""

    def __init__(
        self, letters: Sequence[float], stops: Sequence[bool], pauses: Sequence[Span], off: float
    ) -> None:
        self._letters = letters
        self._stops = stops
        self._pauses = pauses
        self._off_frames = off
        self.until_frames = [0.0] * len(letters)

    def between(self, first: int, after: int, start: float, end: float) -> None:
        """Words ``first`` to ``after`` sound from frame ``start`` to ``end``."""
        inside = [pause for pause in self._pauses if start < pause[0] and pause[1] < end]
        for pause in sorted(inside, key=lambda pause: pause[0] - pause[1]):
            word = self._stop_before(first, after, start, end, pause)
            if word is not None:
                self.between(first, word, start, pause[0])
                self.between(word, after, pause[1], end)
                return
        self._spread(first, after, start, end, inside)

    def _stop_before(
        self, first: int, after: int, start: float, end: float, pause: Span
    ) -> int | None:
        """Return the word that begins after ``pause``; None where no punctuation mark is near."""
        total = sum(self._letters[first:after])
        sounding = self._sounding(start, end)
        wanted = self._sounding(start, pause[0])
        best, nearest, letters = None, self._off_frames, 0.0
        for word in range(first + 1, after):
            letters += self._letters[word - 1]
            off = abs(letters / total * sounding - wanted)
            if self._stops[word - 1] and off <= nearest:
                best, nearest = word, off
        return best

    def _spread(
        self, first: int, after: int, start: float, end: float, inside: Sequence[Span]
    ) -> None:
        total = sum(self._letters[first:after])
        sounding = self._sounding(start, end)
        letters = 0.0
        for word in range(first, after):
            letters += self._letters[word]
            at = start + letters / total * sounding
            for pause in inside:
                if pause[0] < at:
                    at += pause[1] - pause[0]
            self.until_frames[word] = min(at, end)

    def _sounding(self, start: float, end: float) -> float:
        """Return frames between two that are no pause."""
        return max(end - start - _overlap(self._pauses, start, end), 1.0)


def _overlap(pauses: Iterable[Span], start: float, end: float) -> float:
    return sum(max(min(pause[1], end) - max(pause[0], start), 0.0) for pause in pauses)
