"""Whether a full stop ends a sentence: the judge behind the segmenter.

What is certain in any language is decided here; for the rest sentencex (Rust,
abbreviations of some 300 languages) is asked. A judgement needs the text up to
the stop and the next word, nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from voicestream.patterns import lazy_pattern
from voicestream.text.abbreviations import (
    LANGUAGES,
    abbreviations,
    long_abbreviations,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_CONTEXT = 80
"""Characters before the stop that are looked at."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MONTHS = _words(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat "
    "sun"
)
# "am 3. Mai": an ordinal number before a month (German, Danish, Czech, Finnish and others).
_AFTER_ORDINAL = _words(
    "januar jänner februar feber märz april mai juni juli august september oktober november "
    "dezember jahrhundert jahrhunderts klasse stock weltkrieg marts maj december"
)
# What follows an abbreviated country and belongs to it.
_AFTER_COUNTRY = _words(
    "army navy air marine marines coast government congress senate house supreme president "
    "department dept secretary treasury senator ambassador embassy attorney district federal "
    "dollar dollars constitution citizen citizens bank patent open steel census forces"
)
_COUNTRY = _words("u.s u.k u.s.a u.n e.u d.c u.a.e u.s.s.r")
_HOURS = _words("a.m p.m")

_STARTERS = _words(
    "the a an it he she they we you i this that these those there then but and so if when what "
    "who why how where in on at as for yes no now"
)

_TOKEN = lazy_pattern(r"[^\s\"'“”‘’«»„()\[\]{}<>`*—–…,;:!?/]+\Z")
_PLAIN_WORD = lazy_pattern(r"[^\W\d_]{4,}\Z")
_ONE_LETTER = lazy_pattern(r"[^\W\d_]\.")
_SPACED = lazy_pattern(r"(?:^|[\s(])([^\W\d_])\.\s[^\W\d_]\Z")
_MAY_END = _words("т.д т.п и.т.д u.s a.m p.m")
_NUMBER = lazy_pattern(r"\d+\Z")
_DOTTED = lazy_pattern(r"(?:[^\W\d_]\.)+[^\W\d_]\Z")
_ROMAN = lazy_pattern(r"[IVXLC]+\b")
AUTO = "auto"
"""The language that is found out, sentence by sentence."""
OPENERS = "\"'“‘«„‚‹([{¿¡*_`"


def is_caseless(char: str) -> bool:
    """Return whether a letter or sign has no upper and lower case: the next word tells nothing."""
    return char.lower() == char.upper()


def ends_sentence(
    before: str, stop: str, closed: bool, word: str, whole: bool, language: str, earlier: str = ""
) -> bool | None:
    """Judge a stop that is followed by a blank.

    Args:
        before: the text of this piece up to the stop.
        stop: the run of stops, for example ``.`` or ``?!``.
        closed: quotes or brackets close right after the stop.
        word: what is known of the next word, without opening quotes.
        whole: no more of the next word will come.
        language: the code to ask sentencex for; AUTO: that of the sentence.
        earlier: text before this piece, whose language it probably shares.

    Returns:
        Whether the sentence ends here; None if more of the next word is needed to tell.
    """
    if not word:
        return True if whole else None
    lower = word[0].islower()
    if stop != "." and (stop[-1] in ".…" or len(stop) > 1 or closed):
        return not lower  # "Wait... what", "What?! no", "'Go!' and"
    token = _last_token(before)
    if stop == "." and token and not before[: -len(token)].strip() and _is_list_mark(token):
        return False
    if not lower and (stop != "." or closed or _is_plain_word(token, "")):
        return True
    if closed:
        return False
    if lower and stop == "." and not before.islower():
        return False  # who writes capitals begins a sentence with one
    if language == AUTO:
        language = _likely(before, earlier)
    if stop == "." and (lower or _is_plain_word(token, language)):
        return _is_plain_word(token, language)
    answer = _by_token(before, token, word, language) if stop == "." else None
    if answer is not None:
        return answer
    if not whole:
        return None
    return _by_words(before, token, stop, word, language)


def _likely(before: str, earlier: str) -> str:
    """Return the language of a sentence, as far as it and the text before it tell."""
    from voicestream.languages import language_of  # loaded at the first doubtful stop only

    return language_of(before, language_of(earlier) if earlier else "en")


def _is_list_mark(token: str) -> bool:
    return bool(_NUMBER.match(token)) or len(token) == 1


def _last_token(before: str) -> str:
    found = _TOKEN.search(before, max(0, len(before) - _CONTEXT))
    return found.group() if found else ""


def _is_plain_word(token: str, language: str) -> bool:
    """Return whether a word is no abbreviation: long enough, or of a script without abbreviations.

    Args:
        language: empty if it is not known: then only what no language abbreviates counts.
    """
    if _PLAIN_WORD.match(token):
        known = long_abbreviations(language) if language else _every_long_abbreviation()
        return token.lower() not in known
    return len(token) > 1 and token.isalpha() and is_caseless(token)


def _by_token(before: str, token: str, word: str, language: str) -> bool | None:
    """Judge by the word before the stop and the first letter of the next; None if unsure."""
    key = token.lower()
    known = abbreviations(language)
    if key in _HOURS:
        return word[0].isupper()
    if len(key) == 1 and (spaced := _SPACED.search(before)):  # "z. B.", "и т. д."
        whole = f"{spaced[1]}.{key}".lower()
        return word[0].isupper() and whole in _MAY_END
    if key in ("г", "гг", "в", "вв") and language in ("ru", "uk"):  # a year, a century; a town
        return word[0].isupper() and before[: -len(token)].rstrip()[-1:].isalnum()
    if key in known.never or key in known.titles:
        return False
    if key in known.numbered and word[0].isdigit():
        return False
    return None


def _by_words(before: str, token: str, stop: str, word: str, language: str) -> bool:
    """Judge with the whole next word, in the end by sentencex."""
    key = token.lower()
    following = word.strip(".,;:!?").lower()
    upper = word[0].isupper()
    if stop == ".":
        if key in ("no", "nos"):  # a number would have been a digit
            return upper
        if key in abbreviations(language).numbered and _ROMAN.match(word):
            return False
        if key in _MONTHS and upper:
            return True
        if len(token) == 1 and token.isalpha() and not is_caseless(token):
            if _ONE_LETTER.match(word):
                return False  # "z. B."
            return token.islower() or (token == "I" and following in _STARTERS)
        if key in _COUNTRY:
            return upper and following not in _AFTER_COUNTRY
        if _DOTTED.match(token):
            return False
        if _NUMBER.match(token) and following in _AFTER_ORDINAL:
            return False
    return _ask(before, stop, word, language)


@lru_cache(maxsize=1)
def _every_long_abbreviation() -> frozenset[str]:
    return frozenset().union(*map(long_abbreviations, LANGUAGES))


@lru_cache(maxsize=1)
def _sentencex() -> Callable[[str, str], list[str]]:
    """Loaded at the first doubtful stop only (5 ms)."""
    import sentencex

    segment: Callable[[str, str], list[str]] = sentencex.segment
    return segment


def _ask(before: str, stop: str, word: str, language: str) -> bool:
    start = max(0, len(before) - _CONTEXT)
    if start:
        start = max(before.find(" ", start) + 1, start)
    # A word in front keeps it from taking a first token for a list number.
    head = f"so {before[start:].strip()}{stop}"
    end = 0
    for sentence in _sentencex()(language, f"{head} {word}"):
        end += len(sentence)
        if len(head) <= end <= len(head) + 1:
            return True
    return False
