"""Words as they should be said: what stands in the ``[replace]`` table goes into the request alone.

The text itself stays as it is, for all who show it or tell what was heard of it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Thai, Lao, Burmese, Khmer, kana and Han: a word there begins and ends anywhere."""
_JOINED = re.compile(rf"[^\W{_UNSPACED}]")
"""A character next to which no word of a spaced script ends."""


@lru_cache(maxsize=8)
def respeller(table: str, language: str) -> Callable[[str], str]:
    """Return what makes of a text the one that is asked for.

    Whole words are replaced, the longest entry that fits first, and never inside a word that
    was replaced. An entry in small letters stands for any case, one with a capital for its own
    alone: ``IT`` is not ``it``.

    Args:
        table: a JSON object of words; a value that is an object holds those of a language.
        language: whose words are added, and win: ``de`` for ``de`` and ``de-AT``.
    """
    wanted = json.loads(table)
    codes = [language.lower().partition("-")[0], language.lower()]
    inner = {code.lower(): words for code, words in wanted.items() if isinstance(words, dict)}
    words = {word: said for word, said in wanted.items() if isinstance(said, str)}
    for code in codes:
        words |= inner.get(code, {})
    words = {unicodedata.normalize("NFC", word.strip()): said for word, said in words.items()}
    longest = sorted(words, key=len, reverse=True)
    if not longest:
        return lambda text: text
    pattern = re.compile("|".join(f"({_source(word)})" for word in longest))

    def said(match: re.Match[str]) -> str:
        return words[longest[(match.lastindex or 1) - 1]]

    def respelled(text: str) -> str:
        changed = pattern.sub(said, unicodedata.normalize("NFC", text)).strip()
        # nothing left to say would be refused
        return changed if any(map(str.isalnum, changed)) else text

    return respelled


def _source(word: str) -> str:
    """Return the pattern of one entry, without groups."""
    body = r"\s+".join(map(re.escape, word.split()))
    before = r"(?<!\w)" if _JOINED.match(word[0]) else ""
    after = r"(?![\w\u0300-\u036f])" if _JOINED.match(word[-1]) else ""
    return f"{before}{body if word != word.lower() else f'(?i:{body})'}{after}"
