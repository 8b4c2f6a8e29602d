"""What the embedded voice can read of a text, and the text as it reads it best.

It knows the Latin script and the names of single Greek letters. Of other scripts it is silent or
spells nonsense, so that their words are taken out and named.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

_MOST_CHARS = 48
"""Of a word. The time that the voice's reader takes grows with the cube of a word's parts."""
_MOST_DIGITS = 15
"""Of a number that is read as one; it knows no names for larger ones."""
_NUMBER = re.compile(rf"\d{{{_MOST_DIGITS + 1},}}")
_LONG = re.compile(
    rf"(\S{{{_MOST_CHARS // 2},{_MOST_CHARS - 1}}}[^\w\s]|\S{{{_MOST_CHARS}}})(?=\S)"
)
_REPEATED = re.compile(r"([^\w\s])\1{3,}")
_GREEK = "\u0370-\u03ff\u1f00-\u1fff"
# micro is left to the voice, which reads it in units
_GREEK_LETTER = re.compile(rf"(?<![{_GREEK}])(?![\u03bc])[{_GREEK}](?![{_GREEK}])")
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lo"})


def unspeakable(text: str) -> list[str]:
    """Return the words of ``text`` that the embedded voice has no sounds for, in order."""
    if text.isascii():  # as most are, and some are very long
        return []
    return [word for spoken, word in _runs(text) if spoken is False]


def readable(text: str) -> str:
    """Return ``text`` without those words, in characters and lengths that the voice can read."""
    kept = text
    if not text.isascii():
        kept = "".join(" " if spoken is False else word for spoken, word in _runs(text))
        kept = _GREEK_LETTER.sub(_greek_name, unicodedata.normalize("NFC", kept))
        kept = "".join(char for char in kept if unicodedata.category(char)[0] != "M")
    kept = _REPEATED.sub(r"\1\1\1", kept)
    return _LONG.sub(r"\1 ", _NUMBER.sub(lambda found: " ".join(found[0]), kept))


def _runs(text: str) -> list[tuple[bool | None, str]]:
    """Yield words, each with whether it can be spoken, and what stands between them, with None."""
    runs = groupby(text, lambda char: unicodedata.category(char)[0] in "LMN")
    joined = ((is_word, "".join(chars)) for is_word, chars in runs)
    return [(_is_spoken(run) if is_word else None, run) for is_word, run in joined]


def _is_spoken(word: str) -> bool:
    if word.isascii():
        return True
    # letters in circles, of full width and the like are the plain ones here
    plain = unicodedata.normalize("NFKC", word)
    letters = _GREEK_LETTER.sub("", plain).replace("\u03bc", "")
    return all(
        unicodedata.name(char, "").startswith("LATIN ")
        for char in letters
        if unicodedata.category(char) in _LETTERS
    )


def _greek_name(found: re.Match[str]) -> str:
    named = re.search(r"LETTER (?:FINAL )?(\w+)", unicodedata.name(found[0], ""))
    return f" {named[1].lower()} " if named else found[0]
