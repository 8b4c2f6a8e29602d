"""Money, large numbers, degrees and signs as the embedded voices read them rightly, by language.

A small table rather than a normaliser: the voices read plain numbers, dates, times and units well
themselves (``python -m tests.bench.languages`` measures it); what they err on stands here.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Numerals(NamedTuple):
    """How one language says them.

    Attributes:
        currencies: sign or code -> one of it, and several.
        between: what stands between units and hundredths of money.
        scales: letters after an amount of money -> how a number of that size is called.
        of: between such a number and its currency.
        per: for the stroke after an amount of money.
        dot: for each dot of a version or an address.
        group: separates thousands in figures, as a class of a regular expression.
        point: separates decimals.
        minus: before a negative number.
        number: for an abbreviated "number" before one, and that abbreviation.
        fractions: ``1/2 1/3 2/3 1/4 3/4`` in words; empty: its voices read them well.
        and_fraction: between a whole number and such a fraction.
        signs: other signs in words.
    """

    currencies: dict[str, tuple[str, str]]
    between: str
    scales: dict[str, str]
    of: str
    per: str
    dot: str
    group: str
    point: str
    minus: str
    number: tuple[str, str]
    fractions: str
    and_fraction: str
    signs: dict[str, str]


def _currencies(*pairs: str) -> dict[str, tuple[str, str]]:
    marks = (("€", "EUR"), ("$", "USD"), ("£", "GBP"), ("¥", "JPY"), ("CHF",))
    named = [tuple(pair.split("/")) for pair in pairs]
    return {
        sign: (name[0], name[-1])
        for signs, name in zip(marks, named, strict=True)
        for sign in signs
    }


def _signs(words: str) -> dict[str, str]:
    return dict(zip("<>≤≥≠±×÷√∞‰=+", words.split("|"), strict=True))


_SPACES = " \u00a0\u202f"
_GROUP = rf".{_SPACES}"
NUMERALS = {
    "en": Numerals(
        currencies=_currencies(
            "euro/euros", "dollar/dollars", "pound/pounds", "yen", "franc/francs"
        ),
        between=" ",
        scales={"k": "thousand", "m": "million", "bn": "billion"},
        of=" ",
        per="per",
        dot="point",
        group=",",
        point=".",
        minus="minus",
        number=("number", r"No\.|Nr\.|№"),
        fractions="",
        and_fraction="",
        signs={"<": "less than", ">": "greater than"},  # its others stand in `signs`
    ),
    "de": Numerals(
        currencies=_currencies("Euro", "Dollar", "Pfund", "Yen", "Franken"),
        between=" ",
        scales={"k": "Tausend", "m": "Millionen", "bn": "Milliarden"},
        of=" ",
        per="pro",
        dot="Punkt",
        group=_GROUP,
        point=",",
        minus="minus",
        number=("Nummer", r"No\.|№"),
        fractions="½|ein Drittel|zwei Drittel|ein Viertel|drei Viertel",
        and_fraction=" ",
        signs=_signs(
            "kleiner als|größer als|höchstens|mindestens|ungleich|plus minus|mal|geteilt durch|"
            "Wurzel aus|unendlich|Promille|gleich|plus"
        ),
    ),
    "es": Numerals(
        currencies=_currencies(
            "euro/euros", "dólar/dólares", "libra/libras", "yen/yenes", "franco/francos"
        ),
        between=" con ",
        scales={"k": "mil", "m": "millones", "bn": "mil millones"},
        of=" de ",
        per="por",
        dot="punto",
        group=_GROUP,
        point=",",
        minus="menos",
        number=("número", r"[Nn]úm\.|[Nn]\.?º|№"),
        fractions="medio|un tercio|dos tercios|un cuarto|tres cuartos",
        and_fraction=" y ",
        signs=_signs(
            "menor que|mayor que|como máximo|como mínimo|distinto de|más menos|por|entre|"
            "raíz de|infinito|por mil|igual a|más"
        ),
    ),
    "fr": Numerals(
        currencies=_currencies(
            "euro/euros", "dollar/dollars", "livre/livres", "yen/yens", "franc/francs"
        ),
        between=" ",
        scales={"k": "mille", "m": "millions", "bn": "milliards"},
        of=" de ",
        per="par",
        dot="point",
        group=_GROUP,
        point=",",
        minus="moins",
        number=("numéro", r"[Nn]°|[Nn]º|№"),
        fractions="un demi|un tiers|deux tiers|un quart|trois quarts",
        and_fraction=" et ",
        signs=_signs(
            "inférieur à|supérieur à|au plus|au moins|différent de|plus ou moins|fois|divisé par|"
            "racine de|infini|pour mille|égale|plus"
        ),
    ),
    "it": Numerals(
        currencies=_currencies(
            "euro", "dollaro/dollari", "sterlina/sterline", "yen", "franco/franchi"
        ),
        between=" e ",
        scales={"k": "mila", "m": "milioni", "bn": "miliardi"},
        of=" di ",
        per="al",
        dot="punto",
        group=_GROUP,
        point=",",
        minus="meno",
        number=("numero", r"[Nn]\.|[Nn]°|№"),
        fractions="mezzo|un terzo|due terzi|un quarto|tre quarti",
        and_fraction=" e ",
        signs=_signs(
            "minore di|maggiore di|al massimo|almeno|diverso da|più o meno|per|diviso|"
            "radice di|infinito|per mille|uguale a|più"
        ),
    ),
}
_FRACTIONS = ("1/2", "1/3", "2/3", "1/4", "3/4")
_ONE_SIGN = dict(zip("½⅓⅔¼¾", _FRACTIONS, strict=True))
_FRACTION = re.compile(
    r"(?<![\w/.,])(?:(\d{1,4})(?:\s|(?=[½⅓⅔¼¾])))?"
    r"([½⅓⅔¼¾]|(?:1/[234]|2/3|3/4)(?![\w/]|[.,]\d))"
)
_ARROW = re.compile(r" ?(?:<?[-=]{1,9}>|<[-=]{1,9}|→)")
_DAY = r"\d{1,2}\.\d{1,2}\.(?:\d\d){1,2}|\d{4}\.\d\d\.\d\d"
_VERSION = re.compile(
    rf"(?<![\d.,])(?!(?:{_DAY}|\d{{1,3}}(?:\.\d{{3}})+)(?!\.?\d))"
    r"\d{1,4}(?:\.\d{1,4}){2,3}(?![.,]?\d)"
)
"""2.5.1, and no day or large number."""
_SIGNS = r"€|\$|£|¥|EUR|USD|GBP|JPY|CHF"
_SCALE = r"(?P<scale>k|m|M|mn|bn|Mio\.?|Mrd\.?)?(?![\w])"


def with_numerals(text: str, language: str) -> str:
    """Return ``text`` with what the voices of a language misread in a form that they read."""
    known = NUMERALS.get(language.partition("-")[0])
    if known is None:
        return text
    if any(map(str.isdigit, text)):
        text = _with_numbers(text, language, known)
    if known.fractions:
        text = _FRACTION.sub(lambda found: _fraction(found, known), text)
    text = _ARROW.sub(",", text)
    for sign, word in known.signs.items():
        if sign in text:
            # Pico takes what stands in < and > for markup, and says nothing of it
            text = text.replace(sign, f" {word} ")
    return text


def _with_numbers(text: str, language: str, known: Numerals) -> str:
    amount = rf"(?P<amount>\d{{1,12}}(?:[{known.group}]\d{{3}}(?!\d))*)"
    hundredths = rf"(?:[{known.point}](?P<part>\d{{1,2}})(?!\d))?"
    per = r"(?P<per>/(?=[^\W\d]))?"
    before = rf"(?<!\w)(?P<sign>{_SIGNS})\s?{amount}{hundredths}\s?{_SCALE}{per}"
    after = rf"(?<![\d.,])(?:{amount}{hundredths}\s?{_SCALE}\s?(?P<sign>{_SIGNS}))(?!\w){per}"

    def money(found: re.Match[str]) -> str:
        return _money(found, known)

    if re.search(_SIGNS, text):
        if language.partition("-")[0] == "en":  # its voices err on these alone
            before = before.replace(_SCALE, _SCALE.replace(")?", ")", 1))
            text = re.sub(before, money, text)
        else:
            text = re.sub(after, money, re.sub(before, money, text))
    text = re.sub(rf"(?<!\w)(?:{known.number[1]})\s?(?=\d)", f"{known.number[0]} ", text)
    if language.partition("-")[0] == "en":
        return text
    text = re.sub(r"(?<=\d)\.(?=[ºª])", "", text)  # 2.º, the second
    if language.startswith("it"):
        text = re.sub(r"(?<!\w)1°(?= [a-z])", "1º", text)  # the first, of a month for one
    text = _VERSION.sub(lambda found: found[0].replace(".", f" {known.dot} "), text)
    text = re.sub(
        rf"(?<![\d.,+])\d{{1,3}}(?:[{known.group}]\d{{3}})+(?!\d|[.{known.group}]\d)",
        _grouped,
        text,
    )
    return re.sub(r"(?<![\w.,)])[-−](?=\d)", f"{known.minus} ", text)


def _grouped(found: re.Match[str]) -> str:
    """Return a large number as it is read: without dots below a million, from there on with."""
    first, *others = re.split(r"\D", found[0])
    if "." not in found[0] and len(first) == 3 and len(others) == 2:
        return found[0]  # it is a telephone's
    return ("." if len(others) > 1 else "").join((first, *others))


def _fraction(found: re.Match[str], known: Numerals) -> str:
    words = known.fractions.split("|")[_FRACTIONS.index(_ONE_SIGN.get(found[2], found[2]))]
    return f"{found[1]}{known.and_fraction}{words}" if found[1] else words


def _money(found: re.Match[str], known: Numerals) -> str:
    groups = re.split(r"\D", found["amount"])
    whole = "".join(groups) if len(groups) < 3 else found["amount"]
    one, several = known.currencies[found["sign"]]
    per = f" {known.per} " if found["per"] else ""
    part = (found["part"] or "").ljust(2, "0") if found["part"] else ""
    if scale := found["scale"]:
        name = {"k": "k", "m": "m", "M": "m", "mn": "m", "Mio": "m"}.get(scale.rstrip("."), "bn")
        figures = whole + (known.point + found["part"] if found["part"] else "")
        return f"{figures} {known.scales[name]}{known.of}{several}{per}"
    name = one if whole == "1" else several
    hundredths = f"{known.between}{int(part)}" if part.strip("0") else ""
    return f"{whole} {name}{hundredths}{per}"
