"""The form in which a text and the transcript of its speech are compared.

One word after the other in lower case, without punctuation; numbers as digits, symbols, units
and abbreviations as words, and of words that are written in several ways one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from voicestream.text.spoken_numbers import Word, numbers

IRREGULAR = {
    "can't": ("cannot",),
    "cannot": ("cannot",),
    "won't": ("willnot",),
    "shan't": ("shallnot",),
    "ain't": ("isnot", "amnot", "arenot"),
    "gonna": ("goingto",),
    "wanna": ("wantto",),
    "gotta": ("gotto", "haveto", "havegotto"),
    "'til": ("until", "till"),
    "'em": ("them",),
    "'cause": ("because",),
    "y'all": ("youall",),
    "let's": ("letus",),
    "eg": ("forexample", "forinstance"),
    "ie": ("thatis",),
}

_SIGNS = {
    "%": "percent",
    "&": "and",
    "+": "plus",
    "=": "equals",
    "@": "at",
    "°": "degrees",
    "$": "dollars",
    "£": "pounds",
    "€": "euros",
    "¥": "yen",
    "#": "number",
}
_MONEY = frozenset({"dollars", "dollar", "pounds", "pound", "euros", "euro"})
_SCALES = {"k": "000", "m": "million", "b": "billion", "bn": "billion", "tn": "trillion"}
_UNITS = {
    "km": "kilometers",
    "cm": "centimeters",
    "mm": "millimeters",
    "kg": "kilograms",
    "mg": "milligrams",
    "lb": "pounds",
    "lbs": "pounds",
    "oz": "ounces",
    "ft": "feet",
    "mph": "miles per hour",
    "km/h": "kilometers per hour",
    "kb": "kilobytes",
    "mb": "megabytes",
    "gb": "gigabytes",
    "tb": "terabytes",
    "ms": "milliseconds",
    "min": "minutes",
    "h": "hours",
    "hr": "hours",
    "hrs": "hours",
    "hz": "hertz",
    "khz": "kilohertz",
    "mhz": "megahertz",
    "ghz": "gigahertz",
    "kw": "kilowatts",
    "°c": "degrees celsius",
    "°f": "degrees fahrenheit",
}
_TOKEN = re.compile(
    r"(?P<money>[$£€¥])?\s{0,3}(?P<number>\d+(?:[,.:]\d+)*)(?:(?:st|nd|rd|th|'?s)\b)?"
    r"(?P<scale>\s{0,3}(?:k|m|bn|b|tn|hundred|thousand|million|billion|trillion)\b)?"
    rf"(?P<percent>\s{{0,3}}%)?(?P<unit>\s{{0,3}}(?:{'|'.join(_UNITS)})(?![\w'/]))?"
    r"|(?P<cjk>[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af])"
    r"|(?P<letters>(?:[^\W\d_]\.){2,})"
    r"|(?P<word>'?[^\W\d_]+(?:'[^\W\d_]+)*'?)"
    r"|(?P<sign>[%&+=@°$£€¥#])"
)
_SAME = {
    "doctor": "dr",
    "drive": "dr",
    "mister": "mr",
    "missus": "mrs",
    "saint": "st",
    "street": "st",
    "professor": "prof",
    "versus": "vs",
    "etcetera": "etc",
    "number": "no",
    "junior": "jr",
    "senior": "sr",
    "approximately": "approx",
    "okay": "ok",
    "alright": "allright",
    "gray": "grey",
    "mum": "mom",
    "percentage": "percent",
    "kilometres": "kilometers",
    "kilometre": "kilometer",
    "metres": "meters",
    "metre": "meter",
    "centre": "center",
    "theatre": "theater",
    "programme": "program",
    "cheque": "check",
    "an": "a",
}
"""Words that are written or said in more than one way -> one of them, on both sides."""
_MONTHS = "january february march april may june july august september october november december"
_SAME |= {month[:3]: month for month in _MONTHS.split() if month != "may"} | {"sept": "september"}
_PHRASES = (
    (("et", "cetera"), "etc"),
    (("per", "cent"), "percent"),
    (("all", "right"), "allright"),
    (("o'clock",), ""),
    (("dot",), ""),
    (("slash",), ""),
    (("underscore",), ""),
    (("hyphen",), ""),
    (("dash",), ""),
)
_LIKE_US = re.compile(r"(?<=\w{2})our(?=s|ed|ing|ful|able|ite|hood|$)|(?<=\w{3})is(?=e[sd]?$|ing$)")


def words_of(text: str) -> list[Word]:
    """The words of a text in the form that is compared; numbers as digits."""
    plain = _plain(text)
    words: list[Word] = []
    for match in _TOKEN.finditer(plain):
        words.extend(Word(form, match.start(), match.end()) for form in _forms(match))
    return _joined_letters(_without_and(numbers(_phrases(words))))


def _plain(text: str) -> str:
    """Lower case, simple quotes, one character for each of the text's."""
    shown = (unicodedata.normalize("NFKC", char) for char in text)
    single = (new if len(new) == 1 else old for new, old in zip(shown, text, strict=True))
    lowered = "".join(low if len(low := char.lower()) == 1 else char for char in single)
    return lowered.translate({0x2019: "'", 0x2018: "'", 0x02BC: "'", 0x00AD: " "})


def _forms(match: re.Match[str]) -> Iterator[str]:
    if match["number"]:
        yield from _number_forms(match)
    elif match["letters"]:
        yield _same(match["letters"].replace(".", ""))
    elif match["sign"]:
        yield _same(_SIGNS[match["sign"]])
    elif match["cjk"]:
        yield match["cjk"]
    else:
        word = match["word"]
        word = word if word in IRREGULAR else word.strip("'")
        if word:
            yield _same(word)


def _same(word: str) -> str:
    found = _SAME.get(word, word)
    return _LIKE_US.sub(lambda m: "or" if m[0] == "our" else "iz", found)


def _number_forms(match: re.Match[str]) -> Iterator[str]:
    number = match["number"]
    whole, point, decimals = number.replace(",", "").partition(".")
    scale = (match["scale"] or "").strip()
    scale = _SCALES.get(scale, scale)
    for part in whole.split(":"):
        if part.strip("0") or part == whole:
            yield part + (scale if scale == "000" else "")
    if point and not (match["money"] and len(decimals) == 2):
        yield "point"
        yield decimals.replace(".", "")
    if scale not in ("", "000"):
        yield scale
    if match["percent"]:
        yield "percent"
    if match["money"]:
        yield _SIGNS[match["money"]]
        if point and len(decimals) == 2 and decimals.strip("0"):
            yield decimals.lstrip("0")
            yield "cents"
    unit = (match["unit"] or "").strip()
    yield from map(_same, _UNITS.get(unit, "").split())


def _phrases(words: Sequence[Word]) -> list[Word]:
    """Phrases that are written or said in more than one way, in one of them."""
    found: list[Word] = []
    place = 0
    while place < len(words):
        for phrase, instead in _PHRASES:
            run = words[place : place + len(phrase)]
            if tuple(word.form for word in run) == phrase:
                if instead:
                    found.append(Word(instead, run[0].start, run[-1].end))
                place += len(phrase)
                break
        else:
            found.append(words[place])
            place += 1
    return found


def _without_and(words: Sequence[Word]) -> list[Word]:
    """Without the word between dollars and cents."""
    return [
        word
        for before, word, after in zip([None, *words], words, [*words[1:], None], strict=False)
        if word.form != "and"
        or before is None
        or before.form not in _MONEY
        or after is None
        or not after.form.isdigit()
    ]


def _joined_letters(words: Sequence[Word]) -> list[Word]:
    """Letters that are spelled out, as one word: "a p i" is "api"."""
    found: list[Word] = []
    for word in words:
        last = found[-1] if found else None
        single = len(word.form) == 1 and word.form.isalpha() and word.form.isascii()
        if single and last is not None and last.form.endswith("\0"):
            found[-1] = Word(last.form[:-1] + word.form + "\0", last.start, word.end)
        else:
            found.append(Word(word.form + "\0" if single else word.form, word.start, word.end))
    return [Word(word.form.rstrip("\0"), word.start, word.end) for word in found]
