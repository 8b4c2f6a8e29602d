"""Signs that the embedded voice is silent about, as words."""

from __future__ import annotations

import re
import unicodedata

_MONEY = re.compile(r"(?<![\w.,])(\d[\d.,]{0,20})\s?(?:US)?([€$£¥₹])(?![\d\w])")
_CURRENCY = re.compile(r"[€$£¥₹](?!\s?\d)")
_DOLLARS = re.compile(r"\bUS\$(?=\d)")
_TIMES = re.compile(r"(?<=\d)\s?[*∗]\s?(?=\d)")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]{2,}|[⁰¹⁴⁵⁶⁷⁸⁹]")
_FRACTION = re.compile("(\\d?)([¼-¾⅐-⅞])")
_NAMED = re.compile("[\\\\‰′″₿♭♯\u2200-\u22ff]")
_NAMES = {"\\": "backslash", "‰": "per mille", "−": "minus", "∑": "sum", "₿": "bitcoin"}
_CURRENCIES = {"€": "euro", "$": "dollar", "£": "pound", "¥": "yen", "₹": "rupee"}
_MUTE = frozenset("∙⋅∗⋯∶")
"""Dots and the like, which are no words."""


def with_names(text: str) -> str:
    """Return ``text`` with what has to be heard of its signs in words: ``-5 €`` is ``minus €5``."""
    text = _MONEY.sub(r"\2\1", _DOLLARS.sub("$", text))
    text = _CURRENCY.sub(lambda found: f" {_CURRENCIES[found[0]]} ", text)
    text = _TIMES.sub(" times ", text)
    if text.isascii() and "\\" not in text:
        return text
    text = _RAISED.sub(lambda found: f" to the power of {_plain(found[0])} ", text)
    text = _FRACTION.sub(_fraction, text)
    return _NAMED.sub(lambda found: f" {_name(found[0])} ", text)


def _plain(signs: str) -> str:
    return unicodedata.normalize("NFKC", signs)


def _fraction(found: re.Match[str]) -> str:
    parts = _plain(found[2]).replace("\N{FRACTION SLASH}", "/")
    return f"{found[1]} and {parts}" if found[1] else parts


def _name(sign: str) -> str:
    if sign in _MUTE:
        return ""
    named = unicodedata.name(sign, "").lower().replace("-", " ")
    for word in ("n ary ", "music ", " sign", " operator"):
        named = named.replace(word, "")
    return _NAMES.get(sign, named)
