"""The language of a sentence: by its script, its commonest words, its letters and its endings.

Loaded where a language has to be known, which is not on the way to an endpoint that speaks all of
them with one voice.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from voicestream.language_words import ENDINGS, LETTERS, WORDS
from voicestream.patterns import lazy_pattern

_SCRIPTS = {
    "CYRILLIC": "ru", "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko",
    "BOPOMOFO": "zh", "ARABIC": "ar", "HEBREW": "he", "DEVANAGARI": "hi", "GREEK": "el",
    "THAI": "th", "LAO": "lo", "BENGALI": "bn", "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn",
    "MALAYALAM": "ml", "GUJARATI": "gu", "GURMUKHI": "pa", "SINHALA": "si", "MYANMAR": "my",
    "KHMER": "km", "ETHIOPIC": "am", "GEORGIAN": "ka", "ARMENIAN": "hy",
}  # fmt: skip
"""First word of a letter's name in Unicode -> the language that it is taken for."""
_SHARED = {
    "ru": (("uk", "[іїєґ]|\\b(?:та|що|як|буде|від|він|вона|це|й|дуже|якщо)\\b"),),
    "ar": (("ur", "[ٹڈڑںے]"), ("fa", "[پچژگ]")),
}
"""Language of a script -> others that share it, and what only they write."""
_SIGNS_AS_LETTERS = {"zh": 3, "ja": 3, "ko": 2}
"""So many letters of an alphabet does one of these stand for."""
_WORD = lazy_pattern(r"[^\W\d_]+['’]?")
_CODE = lazy_pattern(r"\S*(?:\w[_@/\\]\w|\w(?:\.|::|->|\()\w|[a-z][A-Z]|\(\))\S*")
_QUOTED = lazy_pattern(r"\"[^\"]*\"|“[^“”]*”|„[^“”„]*[“”]|«[^«»]*»")
_MOST_CHARS = 400
"""Of a sentence that are looked at: more tell nothing new."""
_SURE = 1.3
"""Points without which no language is believed: one word that no other language has is worth 2."""
_KEPT = 1.0
"""Points for the language of the text before."""
_ENOUGH_WORDS = 4
"""Of which hardly any sentence is made without one that is known of its language."""
_DECAY = 0.5


class Tongue:
    """Tells the language of one sentence after the other, remembering that of the text: English
    until something else is sure."""

    def __init__(self) -> None:
        self._chars = {"en": 1.0}  # language -> characters, those of longer ago counting less

    @property
    def language(self) -> str:
        """That of the text by now."""
        return max(self._chars, key=self._chars.__getitem__)

    def next(self, sentence: str) -> str:
        """Return the language of the next sentence as a code, for example ``de``."""
        found = language_of(sentence, self.language)
        for known in self._chars:
            self._chars[known] *= _DECAY
        self._chars[found] = self._chars.get(found, 0.0) + min(len(sentence), _MOST_CHARS)
        return found


def language_of(sentence: str, before: str = "en") -> str:
    """Return the language of a sentence as a code.

    Args:
        before: that of the text before it, which holds until another is sure.
    """
    text = unicodedata.normalize("NFC", sentence[:_MOST_CHARS])
    if not text.isascii() and (foreign := _by_script(text)):
        return foreign
    rest = _QUOTED.sub(" ", text)
    if len(rest) < len(text) and len(_WORD.findall(rest)) > 1:
        text = rest  # who is quoted speaks another language at times, and who quotes reads it out
    text = _CODE.sub(" ", text)
    points, words = _points(text)
    kept = before if before in WORDS else "en"
    own = points.get(kept, 0.0)
    unlike = own < 0.5 and words >= _ENOUGH_WORDS
    points[kept] = own + (_KEPT / 2 if unlike else _KEPT)
    best = max(points, key=points.__getitem__)
    sure = _SURE / 2 if unlike else _SURE
    return best if points[best] >= sure and points[best] > points[kept] else kept


def script_language(char: str, text: str = "") -> str:
    """Return the language that a letter's script is taken for; empty: Latin, or no letter.

    Args:
        text: what stands around it, which may tell languages of one script apart.
    """
    found = _script(char)
    if found == "zh" and any(_script(other) == "ja" for other in text):
        return "ja"
    return _sharing(found, text)


@cache
def _script(char: str) -> str:
    if unicodedata.category(char) not in ("Lu", "Ll", "Lo", "Lm", "Mc"):
        return ""
    return _SCRIPTS.get(unicodedata.name(char, "").replace("-", " ").partition(" ")[0], "")


def _by_script(text: str) -> str:
    """Return the language of most letters, where they are not Latin."""
    counts: dict[str, int] = {}
    for char in text:
        if char.isalpha():
            found = _script(char)
            counts[found] = counts.get(found, 0) + _SIGNS_AS_LETTERS.get(found, 1)
    if "ja" in counts:
        counts["ja"] += counts.pop("zh", 0)
    if not counts:
        return ""
    best = max(counts, key=counts.__getitem__)
    if not best or (best == "el" and counts[best] < 3):  # a letter in a formula
        return ""
    return _sharing(best, text)


def _sharing(language: str, text: str) -> str:
    """``language``, or one that shares its script and is told by its letters or words."""
    for other, pattern in _SHARED.get(language, ()):
        if re.search(pattern, text.lower()):
            return other
    return language


def _points(text: str) -> tuple[dict[str, float], int]:
    """Return what speaks for each language that something speaks for, and of how many words."""
    points: dict[str, float] = {}
    words = 0
    known = _known_words()
    small = not text.isupper()
    for mark in "¿¡":
        if mark in text:
            points["es"] = points.get("es", 0.0) + 2
    start = True
    end = 0
    for found in _WORD.finditer(text):
        start = start or any(stop in text[end : found.start()] for stop in ".!?:\n")
        end = found.end()
        written = found[0].replace("’", "'")
        word = written.lower()
        named = small and not start and written[0].isupper()
        start = False
        if named:
            continue  # a name's words tell nothing
        words += 1
        if word.endswith("'") and word not in known:
            word = word[:-1]
        for languages, worth in _clues(word, known.get(word, ())):
            for language in languages:
                points[language] = points.get(language, 0.0) + worth
    return points, words


def _clues(word: str, languages: tuple[str, ...]) -> list[tuple[tuple[str, ...], float]]:
    clues: list[tuple[tuple[str, ...], float]] = []
    if languages:
        worth = {1: 2.0, 2: 1.0, 3: 0.6}.get(len(languages), 0.3)
        clues.append((languages, worth if len(word) > 1 else worth / 2))
    if not word.isascii():
        seen = {LETTERS[char] for char in word if char in LETTERS}
        clues += [(found, 1.5 if len(found) == 1 else 0.7) for found in seen]
    elif languages:
        return clues
    for length in (5, 4, 3, 2):
        found = ENDINGS.get(word[-length:])
        if found and len(word) > length + 1:
            clues.append((found, 0.7 if len(found) == 1 else 0.4))
            break
    return clues


@cache
def _known_words() -> dict[str, tuple[str, ...]]:
    known: dict[str, tuple[str, ...]] = {}
    for language, words in WORDS.items():
        for word in words.split():
            known[word] = (*known.get(word, ()), language)
    return known
