"""The form in which a text and the transcript of its speech are compared.

One word after the other in lower case, without punctuation; numbers as digits, symbols, units
and abbreviations as words, and of words that are written in several ways one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from voicestream.text.readings import MONTHS, OR, PATTERN, readings, roman
from voicestream.text.spellings import one_spelling
from voicestream.text.spoken_dates import month_first
from voicestream.text.spoken_numbers import SpokenWord, numbers

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
    "¢": "cents",
    "#": "number",
}
_COINS = {"$": "dollars|dollar", "£": "pounds|pound", "€": "euros|euro", "¥": "yen"}
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
    "mi": "miles",
    "f": "f|fahrenheit|degreesfahrenheit",
    "c": "c|celsius|degreescelsius",
}
_BARE_UNITS = frozenset("km cm mm kg mg kb mb gb tb khz mhz ghz".split())
"""Of these, what is no other word: it may stand without a number before it."""
_TOKEN = re.compile(
    rf"{PATTERN}|(?P<scheme>https?://)|(?P<minus>(?<![\w)\d])[-−](?=\d))"
    r"|(?P<times>(?<=\d)\s?[x×]\s?(?=\d)|(?<=\d)x\b)|(?P<per>(?<=\d)/(?=[^\W\d]))"
    r"|(?P<sharp>(?<=\b[a-g])#)|(?P<about>~(?=\d))|(?P<more>>(?=\d))|(?P<less><(?=\d))"
    r"|(?:(?P<money>[$£€¥])\s{0,3})?(?P<number>\d+(?:[,.:]\d+)*)(?:(?:st|nd|rd|th|'?s)\b)?"
    r"(?P<scale>\s{0,3}(?:k|m|bn|b|tn|hundred|thousand|million|billion|trillion)\b)?"
    rf"(?P<percent>\s{{0,3}}%)?(?P<unit>\s{{0,3}}(?:{'|'.join(_UNITS)})(?![\w'/]))?"
    r"|(?P<cjk>[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af])"
    r"|(?P<letters>(?:[^\W\d_]\.){2,})"
    r"|(?P<word>'?[^\W\d_]+(?:'[^\W\d_]+)*'?)"
    r"|(?P<sign>[%&+=@°$£€¥¢#])"
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
    "percentage": "percent",
    "negative": "minus",
    "pence": "cents",
    "department": "dept",
    "government": "govt",
    "incorporated": "inc",
    "corporation": "corp",
    "limited": "ltd",
    "avenue": "ave",
    "boulevard": "blvd",
    "road": "rd",
    "mount": "mt",
    "captain": "capt",
    "general": "gen",
    "senator": "sen",
    "governor": "gov",
    "lieutenant": "lt",
    "colonel": "col",
    "reverend": "rev",
    "control": "ctrl",
    "sergeant": "sgt",
    "figure": "fig",
    "volume": "vol",
    "an": "a",
}
"""Words that are written or said in more than one way -> one of them, on both sides."""
_SAME |= {month[:3]: month for month in MONTHS if month != "may"} | {"sept": "september"}
_SAME |= {"mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday"}
_SAME |= {"thu": "thursday", "thurs": "thursday", "fri": "friday"}
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


def words_of(text: str) -> list[SpokenWord]:
    """Return the words of a text in the form that is compared; numbers as digits."""
    plain = _plain(text)
    words: list[SpokenWord] = []
    for match in _TOKEN.finditer(plain):
        start, end = match.span()
        forms = _forms(match, text[start:end])
        words.extend(SpokenWord(form, start, end) for form in forms)
    return _joined_letters(month_first(_money_short(numbers(_phrases(words)))))


def _plain(text: str) -> str:
    """Lower case, simple quotes, one character for each of the text's."""
    shown = (unicodedata.normalize("NFKC", char) for char in text)
    single = (new if len(new) == 1 else old for new, old in zip(shown, text, strict=True))
    lowered = "".join(low if len(low := char.lower()) == 1 else char for char in single)
    return lowered.translate({0x2019: "'", 0x2018: "'", 0x02BC: "'", 0x00AD: " "})


_ONE_FORM = {
    "minus": "minus",
    "times": "x|times|by",
    "per": "per|a",
    "sharp": "sharp|hash",
    "about": "about|around|roughly|approx",
    "more": "morethan|over|greaterthan",
    "less": "lessthan|under|below",
}
"""Groups of the pattern that are read in one way, or in those that are told apart by ``OR``."""


def _forms(match: re.Match[str], written: str) -> Iterator[str]:
    """Yield what a match says, as words.

    Args:
        written: the same with its capitals.
    """
    if found := readings(match) or roman(written):
        yield found
    elif match["scheme"]:
        return
    elif match.lastgroup in _ONE_FORM:
        yield _ONE_FORM[match.lastgroup]
    elif match["number"]:
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
    spelled = one_spelling(word)
    return _UNITS[spelled] if spelled in _BARE_UNITS else _SAME.get(spelled, spelled)


def _number_forms(match: re.Match[str]) -> Iterator[str]:
    number = match["number"]
    if number.count(".") > 1:  # a version, or an address
        yield from " point ".join(number.split(".")).split()
        return
    whole, point, decimals = number.replace(",", "").partition(".")
    if match["money"] and not whole.strip("0") and len(decimals) == 2:
        yield decimals.lstrip("0") or "0"
        yield "cents"
        return
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
        has_cents = bool(point) and len(decimals) == 2 and bool(decimals.strip("0"))
        yield _COINS[match["money"]] + (OR if has_cents else "")  # nineteen (dollars) ninety-nine
        if has_cents:
            yield decimals.lstrip("0")
            yield "cents"
    unit = (match["unit"] or "").strip()
    yield from (form if OR in form else _same(form) for form in _UNITS.get(unit, "").split())


def _phrases(words: Sequence[SpokenWord]) -> list[SpokenWord]:
    """Phrases that are written or said in more than one way, in one of them."""
    found: list[SpokenWord] = []
    place = 0
    while place < len(words):
        for phrase, instead in _PHRASES:
            run = words[place : place + len(phrase)]
            if tuple(word.form for word in run) == phrase:
                if instead:
                    found.append(SpokenWord(instead, run[0].start, run[-1].end))
                place += len(phrase)
                break
        else:
            found.append(words[place])
            place += 1
    return found


def _money_short(words: Sequence[SpokenWord]) -> list[SpokenWord]:
    """Return dollars and cents without the word "cents": "3 dollars 50"."""
    found: list[SpokenWord] = []
    for place, word in enumerate(words):
        after_money = bool(found) and _is_money(found[-1])
        number_follows = place + 1 < len(words) and words[place + 1].form.isdigit()
        if word.form == "and" and after_money and number_follows:
            continue
        small = len(found) > 1 and found[-1].form.isdigit() and _is_money(found[-2])
        if word.form == "cents" and small:
            continue
        found.append(word)
    return found


def _is_money(word: SpokenWord) -> bool:
    return word.form.partition(OR)[0] in _MONEY


def _joined_letters(words: Sequence[SpokenWord]) -> list[SpokenWord]:
    """Letters that are spelled out, as one word: "a p i" is "api"."""
    found: list[SpokenWord] = []
    for word in words:
        last = found[-1] if found else None
        single = len(word.form) == 1 and word.form.isalpha() and word.form.isascii()
        if single and last is not None and last.form.endswith("\0"):
            found[-1] = SpokenWord(last.form[:-1] + word.form + "\0", last.start, word.end)
        else:
            found.append(
                SpokenWord(word.form + "\0" if single else word.form, word.start, word.end)
            )
    return [SpokenWord(word.form.rstrip("\0"), word.start, word.end) for word in found]
