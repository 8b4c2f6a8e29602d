"""What is written in one way and may be read in several: dates, ranges, fractions, numerals.

Each is one word whose form holds all that may be said, apart by ``OR``.
"""

from __future__ import annotations

import re
import unicodedata

OR = "|"
MONTHS = tuple(
    "january february march april may june july august september october november december".split()
)
_PARTS = {
    2: ("half", "halves"),
    3: ("third", "thirds"),
    4: ("quarter", "quarters", "fourths"),
    5: ("fifth", "fifths"),
    8: ("eighth", "eighths"),
    10: ("tenth", "tenths"),
}
_ROMAN = {"i": 1, "v": 5, "x": 10}

PATTERN = (
    r"(?P<date>(?<![\d/.-])(?:\d{1,2}/\d{1,2}/(?:\d{4}|\d\d)|\d{4}-\d\d-\d\d)(?![\d/-]))"
    r"|(?P<fraction>(?<![\d/.,])\d{1,2}/\d{1,2}(?![\d/])|[½⅓⅔¼¾])"
    r"|(?P<height>\d'\d{1,2}\"?(?!\w))"
    r"|(?P<run>(?<![\d.,-])\d+(?:[-–]\d+)+(?![\d-]))"
)
"""Part of a regular expression for lower-case text; :func:`readings` reads what it finds."""


def readings(match: re.Match[str]) -> str:
    """Return all that may be said for one of the groups of ``PATTERN``; empty if none of them
    matched."""
    if match["date"]:
        return _date(match["date"])
    if match["fraction"]:
        # NFKC makes three characters of one: "½" is "1⁄2"
        over, under = re.findall(r"\d+", unicodedata.normalize("NFKC", match["fraction"]))
        return _fraction(int(over), int(under))
    if match["height"]:
        feet, inches = re.findall(r"\d+", match["height"])
        said = (f"{feet}{foot}{inches}{inch}" for foot in ("foot", "feet") for inch in _INCHES)
        return OR.join((feet + inches, *said))
    if match["run"]:
        numbers = re.findall(r"\d+", match["run"])
        together = "".join(numbers)
        return together + (f"{OR}{numbers[0]}to{numbers[1]}" if len(numbers) == 2 else "")
    return ""


_INCHES = ("", "inch", "inches")


def _date(written: str) -> str:
    numbers = [int(part) for part in re.findall(r"\d+", written)]
    if "-" in written:
        year, month, day = numbers
        orders = [(month, day)]
    else:
        first, second, year = numbers
        orders = [(first, second), (second, first)]
    said = [
        f"{MONTHS[month - 1]}{day}{year}"
        for month, day in orders
        if 1 <= month <= 12 and 1 <= day <= 31
    ]
    return OR.join(dict.fromkeys((*said, "".join(map(str, numbers)))))


def _fraction(over: int, under: int) -> str:
    names = _PARTS.get(under, ())
    said = [f"{over}{name}" for name in names] + [f"{over}{under}"]
    if over == 1:
        said += [f"{article}{name}" for name in names for article in ("a", "")]
    said += [f"and{one}" for one in said]  # two and a half
    return OR.join((*said, f"{over}over{under}", f"{over}outof{under}", f"{over}of{under}"))


def roman(word: str) -> str:
    """Return a numeral of capitals up to 39, and what may be said for it; empty if it is none.

    Args:
        word: as it is written.
    """
    if not re.fullmatch(r"(?=..)X{0,3}(IX|IV|V?I{0,3})", word):
        return ""
    values = [_ROMAN[letter] for letter in word.lower()]
    total = sum(
        -value if value < after else value
        for value, after in zip(values, [*values[1:], 0], strict=True)
    )
    return OR.join((word.lower(), str(total), f"the{total}"))
