"""``[pause 500ms]`` and ``<break time="500ms"/>`` in a text: silence of that length.

A tag becomes one character of a private area, which passes through Markdown as it is and says how
long the pause is; code that is not read loses its tags with it.
"""

from __future__ import annotations

import re

from voicestream.patterns import lazy_pattern

MOST_MS = 10_000
"""No pause is longer."""
_FIRST = 0xF0000
MARKS = f"{chr(_FIRST)}-{chr(_FIRST + MOST_MS)}"
"""All of these characters, as a class of a pattern has them."""
_MARK = lazy_pattern(f"[{MARKS}]")
_LENGTH = r"([0-9]{1,6}(?:\.[0-9]{1,3})?)[ \t]*(ms|s)"
_TAG = lazy_pattern(
    rf"\[pause[ \t]+{_LENGTH}[ \t]*\]"
    rf"|<break[ \t]+time[ \t]*=[ \t]*([\"']){_LENGTH}\3[ \t]*/?>",
    re.IGNORECASE,
)
_BEGINNINGS = ("[pause", "<break")
_MOST_CHARS = 48
"""What is longer is no tag."""


class PauseTags:
    """Text as it comes -> the same with a mark for each tag, however it is cut."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next text; return what is certain."""
        text = self._held + _MARK.sub("", text)
        self._held = ""
        at = 0
        while (at := _next(text, at)) >= 0:
            rest = text[at : at + _MOST_CHARS].lower()
            whole = len(rest) == _MOST_CHARS or any(end in rest for end in "]>\n")
            if not whole and any(
                rest.startswith(tag) or tag.startswith(rest) for tag in _BEGINNINGS
            ):
                text, self._held = text[:at], text[at:]
                break
            at += 1
        return _TAG.sub(_marked, text)

    def flush(self) -> str:
        """Return what was held back: the text has ended."""
        text, self._held = self._held, ""
        return text


def _next(text: str, at: int) -> int:
    places = (text.find(tag[0], at) for tag in _BEGINNINGS)
    return min((place for place in places if place >= 0), default=-1)


def _marked(tag: re.Match[str]) -> str:
    if len(tag[0]) > _MOST_CHARS:
        return tag[0]
    number, unit = (tag[1], tag[2]) if tag[1] else (tag[4], tag[5])
    length_ms = float(number) * (1000 if unit.lower() == "s" else 1)
    return chr(_FIRST + min(round(length_ms), MOST_MS))


def parts(text: str) -> list[str | int]:
    """Return the text between the marks, none empty, and each mark's milliseconds."""
    found: list[str | int] = []
    start = 0
    for mark in _MARK.finditer(text):
        found += [text[start : mark.start()], ord(mark[0]) - _FIRST]
        start = mark.end()
    return [part for part in (*found, text[start:]) if part != ""]
