"""Several voices in one text: quoted speech in turns, or tags that name the speaker.

Both take text as it comes and give ``(voice, text)`` runs; however the text is
cut, what each voice says, and when, is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from voicestream.patterns import lazy_pattern
from voicestream.text.pause_tags import MARKS

Run: TypeAlias = tuple[str | None, str]


class Speakers(Protocol):
    """Text -> runs of text, each with the voice that speaks it."""

    def feed(self, text: str) -> list[Run]:
        """Take the next text; return the runs that are certain."""

    def flush(self) -> list[Run]:
        """Return what was held back: the text has ended."""


_QUOTES = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』"}
_QUOTE_OR_BREAK = lazy_pattern('["“”„«»「」『』\n]')
_MORE = (",", "，", "、")


class QuotedSpeech:
    """Quoted speech in turns: one voice reads, the others speak what stands in quotes.

    ``"Yes," he said, "I do."`` is one speaker: a quote that goes on after a comma
    keeps its voice. A quote left open ends with its paragraph.

    Args:
        narrator: reads what is not quoted.
        others: take turns, one utterance each.
    """

    def __init__(self, narrator: str, others: Sequence[str]) -> None:
        self._narrator = narrator
        self._others = list(others) or [narrator]
        self._turn = -1
        self._closers = ""  # what ends the quote we are in
        self._closed = False  # the quote has ended, only blanks since
        self._said = ""  # the end of what the narrator said since the last quote
        self._last = "\n"  # the character before
        self._blank_line = False  # only blanks since the last line end

    def feed(self, text: str) -> list[Run]:
        runs: list[Run] = []
        start = at = 0
        while at < len(text):
            if self._closed:  # the blanks after a quote are still its speaker's
                at += len(text) - at - len(text[at:].lstrip())
                if at == len(text):
                    break
                start = self._leave(runs, text, start, at)
            found = _QUOTE_OR_BREAK.search(text, at)
            if found is None:
                self._passed(text[at:])
                break
            self._passed(text[at : found.start()])
            char, at = found.group(), found.end()
            if self._closers and char in self._closers:
                self._closed = True
            elif self._closers and char == "\n" and self._blank_line:
                start = self._leave(runs, text, start, at)
            elif not self._closers and self._opens(char):
                self._speak(runs, text[start : at - 1])
                start = at - 1
                self._enter(char)
            self._passed(char)
        self._speak(runs, text[start:])
        return runs

    def _enter(self, quote: str) -> None:
        if self._turn < 0 or not self._said.rstrip().endswith(_MORE):
            self._turn = (self._turn + 1) % len(self._others)
        self._closers, self._said = _QUOTES[quote], ""

    def _leave(self, runs: list[Run], text: str, start: int, end: int) -> int:
        self._speak(runs, text[start:end])
        self._closers, self._closed = "", False
        return end

    def flush(self) -> list[Run]:
        return []

    def _passed(self, text: str) -> None:
        if text:
            self._last = text[-1]
            if text == "\n" or not text.isspace():
                self._blank_line = text == "\n"
            if not self._closers:
                self._said = (self._said + text)[-64:].replace("\n", ".")

    def _opens(self, char: str) -> bool:
        # Straight after a letter or digit it is inches, or closes what nobody opened.
        return char in _QUOTES and not (char in '"»' and self._last.isalnum())

    def _speak(self, runs: list[Run], text: str) -> None:
        if text:
            runs.append((self._others[self._turn] if self._closers else self._narrator, text))


_TAG = lazy_pattern(r"\[([A-Za-z0-9_-]{1,64})\][ \t]*")
_TAG_BEGUN = lazy_pattern(r"\[[A-Za-z0-9_-]{0,64}(?:\][ \t]*)?\Z")
_PLACE = lazy_pattern(rf"[\n.!?…。！？।؟{MARKS}][\"'”’»)\]」』]*(\s*)\Z")
_CONTEXT = 32


class SpeakerTags:
    """``[alloy] Hello. [nova] Hi!``: a tag names the voice from there on, and is not spoken.

    A tag counts at the start of a line, after the end of a sentence and after a pause, and
    must contain a letter: ``[1]`` is a reference. Until the first one the voice is None, the one
    that is set.
    """

    def __init__(self) -> None:
        self._voice: str | None = None
        self._held = ""
        self._context = "\n"  # the text before, as much as a tag's place needs

    def feed(self, text: str) -> list[Run]:
        return self._split(self._held + text, final=False)

    def flush(self) -> list[Run]:
        return self._split(self._held, final=True)

    def _split(self, text: str, final: bool) -> list[Run]:
        runs: list[Run] = []
        self._held = ""
        start = at = 0
        while (at := text.find("[", at)) >= 0:
            if not self._is_place(text[start:at]):
                at += 1
                continue
            if not final and _TAG_BEGUN.match(text, at):
                self._held = text[at:]
                break
            found = _TAG.match(text, at)
            if found is None or found[1].isdecimal():
                at += 1
                continue
            self._speak(runs, text[start:at])
            self._voice = found[1]
            self._context = "\n"
            start = at = found.end()
        self._speak(runs, text[start : len(text) - len(self._held)])
        return runs

    def _is_place(self, before: str) -> bool:
        place = _PLACE.search((self._context + before)[-_CONTEXT:])
        return place is not None and (place[0][0] not in ".!?…" or place[1] != "")

    def _speak(self, runs: list[Run], text: str) -> None:
        if text:
            runs.append((self._voice, text))
            self._context = (self._context + text)[-_CONTEXT:]
