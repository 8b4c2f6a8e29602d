"""What the embedded voices can read of a text, and the text as they read it best.

They know the Latin script and the names of single Greek letters. Of other scripts they are
silent or spell nonsense, so that another voice speaks their words, or they are taken out and named.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from itertools import groupby

from voicestream.languages import script_language
from voicestream.speech.numerals import with_numerals
from voicestream.speech.signs import with_names

_MOST_CHARS = 48
"""Of a word. The time that the voice's reader takes grows with the cube of a word's parts."""
_MOST_DIGITS = 15
"""Of a number that is read as one; it knows no names for larger ones."""
_NUMBER = re.compile(rf"\d{{{_MOST_DIGITS + 1},}}")
_LONG = re.compile(
    rf"(\S{{{_MOST_CHARS // 2},{_MOST_CHARS - 1}}}[^\w\s]|\S{{{_MOST_CHARS}}})(?=\S)"
)
_PART = re.compile(r"\S+")
_REPEATED = re.compile(r"([^\w\s])\1{3,}")
_GREEK = "\u0370-\u03ff\u1f00-\u1fff"
# micro is left to the voice, which reads it in units
_GREEK_LETTER = re.compile(rf"(?<![{_GREEK}])(?![\u03bc])[{_GREEK}](?![{_GREEK}])")
_RUN = re.compile(r"[^\W\d_][\w\u0300-\u036f\u0900-\u0dff\u200c\u200d]*|.[\W\d_]*", re.S)
"""A word, or what stands between two."""
_SCRIPT_OF = {
    **dict.fromkeys(("ru", "uk", "bg", "sr", "mk", "be"), "ru"),
    **dict.fromkeys(("ar", "fa", "ur"), "ar"),
    **dict.fromkeys(("hi", "mr", "ne"), "hi"),
    **{code: code for code in "el he th lo bn ta te kn ml gu pa si my km am ka hy".split()},
    "zh": "zh",
    "cmn": "zh",
    "yue": "zh",
    "ja": "ja zh",
    "ko": "ko zh",
}
"""Language -> what :func:`script_language` calls the scripts that its voices read beside Latin."""
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lo"})


def words_of(text: str) -> list[str]:
    """Return all words of a text, in order."""
    return [run for part in text.split() for spoken, run in _runs(part) if spoken is not None]


def unspeakable(text: str) -> list[str]:
    """Return the words of ``text`` that the embedded voice has no sounds for, in order."""
    return [word for part in text.split() if not part.isascii() for word in _foreign(part)]


def by_script(text: str, language: str, has_voice: Callable[[str], bool]) -> list[tuple[str, str]]:
    """Return a text of one language in runs, each with the language that its script is taken for.

    Args:
        language: of the text: what its voice can read needs no other.
        has_voice: whether there is a voice for a language. Where there is none, words stay in
            the run before them.

    Returns:
        The language, empty for that of the text, and the run.
    """
    if text.isascii():
        return [("", text)]
    runs: list[tuple[str, str]] = []
    for part in _RUN.findall(text):
        foreign = _foreign_language(part, text, language) if part[0].isalpha() else None
        if foreign and not has_voice(foreign):
            foreign = None
        if runs and foreign in (None, runs[-1][0]):
            runs[-1] = runs[-1][0], runs[-1][1] + part
        elif runs and not any(map(str.isalnum, runs[-1][1])):
            runs[-1] = foreign or "", runs[-1][1] + part
        else:
            runs.append((foreign or "", part))
    return runs


def _foreign_language(word: str, text: str, language: str) -> str:
    """Return the language of a word's script, if a voice of ``language`` cannot read that; else
    empty."""
    own = _SCRIPT_OF.get(language.partition("-")[0], "")
    if not own and _is_spoken(word):
        return ""
    scripts = {script_language(char) for char in word} - {"", *own.split()}
    return (
        script_language(next(c for c in word if script_language(c) in scripts), text)
        if scripts
        else ""
    )


def readable(text: str, language: str = "en") -> str:
    """Return ``text`` without those words, in signs and lengths that a voice of the language can
    read."""
    kept = with_numerals(_PART.sub(lambda part: _kept(part[0]), text), language)
    if language.startswith("en"):
        kept = with_names(kept)
    kept = _REPEATED.sub(r"\1\1\1", kept)
    return _LONG.sub(r"\1 ", _NUMBER.sub(lambda found: " ".join(found[0]), kept))


@lru_cache(4096)
def _foreign(part: str) -> tuple[str, ...]:
    return tuple(run for spoken, run in _runs(part) if spoken is False)


@lru_cache(4096)
def _kept(part: str) -> str:
    """Return what is spoken of some characters without a blank."""
    if part.isascii():
        return part
    kept = "".join(" " if spoken is False else run for spoken, run in _runs(part))
    kept = _GREEK_LETTER.sub(_greek_name, unicodedata.normalize("NFC", kept))
    return "".join(char for char in kept if unicodedata.category(char)[0] != "M")


def _runs(part: str) -> list[tuple[bool | None, str]]:
    """Return words, each with whether it can be spoken, and what stands between them, with None."""
    runs = groupby(part, lambda char: unicodedata.category(char)[0] in "LMN")
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
