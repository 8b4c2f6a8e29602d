"""Numbers in words and digits, brought to digits, as English has them."""

from __future__ import annotations

from collections.abc import Sequence

from voicestream.records import dataclass


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word in the form that is compared, and where it stands."""

    form: str
    start: int
    end: int


_ONES = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
} | {"oh": 0}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_ORDINALS = {
    "first": "one",
    "second": "two",
    "third": "three",
    "fifth": "five",
    "eighth": "eight",
    "ninth": "nine",
    "twelfth": "twelve",
    **{f"{ten[:-1]}ieth": ten for ten in _TENS},
}
_LARGE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def _value(form: str) -> int | None:
    """Return what a word adds to a number; None for other words."""
    word = _ORDINALS.get(form, form)
    if word.endswith("ies") and word[:-3] + "y" in _TENS:  # the nineties
        word = word[:-3] + "y"
    if word not in _ONES and word.endswith("th") and word[:-2] in _ONES | _TENS:
        word = word[:-2]
    if word in _ONES:
        return _ONES[word]
    if word in _TENS:
        return _TENS[word]
    return int(form) if form.isascii() and form.isdigit() and len(form) < 16 else None


def numbers(words: Sequence[SpokenWord]) -> list[SpokenWord]:
    """Numbers, however written or said, as digits; those that follow each other as one."""
    found: list[SpokenWord] = []
    place = 0
    while place < len(words):
        stop, digits = _number_at(words, place)
        if stop > place:
            found.append(SpokenWord(digits, words[place].start, words[stop - 1].end))
            place = stop
        else:
            found.append(words[place])
            place += 1
    return found


def _number_at(words: Sequence[SpokenWord], start: int) -> tuple[int, str]:
    """Return where the run of numbers that begins here ends, and its digits; ``start`` if none
    does."""
    if words[start].form == "a" and start + 1 < len(words):
        form = words[start + 1].form
        if form == "hundred" or form in _LARGE:  # "a hundred" is one hundred
            one = SpokenWord("one", words[start].start, words[start].end)
            place, value = _one_number([one, *words[start + 1 :]], 0)
            return start + place, value
    if _value(words[start].form) is None:
        return start, ""
    digits, place = "", start
    while place < len(words) and _value(words[place].form) is not None:
        place, value = _one_number(words, place)
        digits += value
    return place, digits


def _one_number(words: Sequence[SpokenWord], place: int) -> tuple[int, str]:
    """Return one number as grammar has it: "two thousand one hundred and five", "2.5 million"."""
    written = words[place].form
    total = current = 0
    lowest = 10**18
    fresh = True
    while place < len(words):
        form = words[place].form
        value = _value(form)
        if value is not None and (fresh or _continues(current, value, form)):
            current += value
        elif form.rstrip("s") == "hundred" and 0 < current < 100:
            current *= 100
        elif (large := _LARGE.get(form.rstrip("s"))) and current and large < lowest:
            total, current, lowest = total + current * large, 0, large
        elif not (form == "and" and (total or current >= 100) and _goes_on(words, place + 1)):
            break
        written = written if fresh else ""
        fresh = current == 0 and total > 0
        place += 1
    # leading zeros are part of what is written: 007, 05
    return place, written if written.isdigit() else str(total + current)


def _continues(current: int, value: int, form: str) -> bool:
    """Return whether a smaller number goes on with a larger: twenty-three, three hundred five."""
    if form.isdigit():
        return False
    if value == 0 or current == 0:
        return False
    if current % 100 == 0:
        return value < 100
    return current % 100 >= 20 and current % 10 == 0 and value < 10


def _goes_on(words: Sequence[SpokenWord], place: int) -> bool:
    if place >= len(words) or words[place].form.isdigit():
        return False
    value = _value(words[place].form)
    return value is not None and 0 < value < 100
