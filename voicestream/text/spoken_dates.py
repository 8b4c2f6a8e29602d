"""Days and their months, in one order."""

from __future__ import annotations

from collections.abc import Sequence

from voicestream.text.readings import MONTHS
from voicestream.text.spoken_numbers import SpokenWord


def month_first(words: Sequence[SpokenWord]) -> list[SpokenWord]:
    """Days before their month behind it: "the 14 of march 2026" is "march 142026"."""
    found: list[SpokenWord] = []
    for word in words:
        taken = _day_before(found) if word.form in MONTHS else []
        if taken:
            del found[-len(taken) :]
            day = next(one for one in taken if one.form.isdigit())
            found += [SpokenWord(word.form, taken[0].start, word.end)]
            found += [SpokenWord(day.form, taken[0].start, word.end)]
        elif word.form.isdigit() and len(word.form) == 4 and _is_day(found):
            day = found.pop()
            month = found.pop()
            found += [SpokenWord(month.form, month.start, word.end)]
            found += [SpokenWord(day.form + word.form, day.start, word.end)]
        else:
            found.append(word)
    return found


def _day_before(words: Sequence[SpokenWord]) -> list[SpokenWord]:
    """Return the last words, if they are a day that a month follows: "14", "14 of", "the 14 of"."""
    for size in (3, 2, 1):
        last = list(words[-size:])
        forms = [word.form for word in last]
        if len(last) != size or not any(form.isdigit() and int(form) <= 31 for form in forms):
            continue
        shape = ["#" if form.isdigit() else form for form in forms]
        if shape in (["the", "#", "of"], ["#", "of"], ["the", "#"], ["#"]):
            return last
    return []


def _is_day(words: Sequence[SpokenWord]) -> bool:
    """Return whether the last words are a month and a day that stood before it."""
    if len(words) < 2:
        return False
    month, day = words[-2:]
    return month.form in MONTHS and (month.start, month.end) == (day.start, day.end)
