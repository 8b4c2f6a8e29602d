"""Takes keys out of every text that is told: errors, warnings, settings.

Servers repeat the key they were sent, in spellings of their own. Errors pass through here when
they are made, so no boundary has to think of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from voicestream.patterns import lazy_pattern

SHOWN = "(the key)"
_SHORTEST = 8
"""Characters. A shorter key would be found in words that are none."""
_PART = 10
"""Characters of a key that were drawn by chance, and are its owner's alone."""
_DRAWN = lazy_pattern("[0-9]|[a-z].*[A-Z]|[A-Z].*[a-z]")
"""Words are no part of it."""
_known: set[str] = set()


def remember_key(key: str) -> None:
    """From now on this key is taken out of whatever is told in this process."""
    if len(key) >= _SHORTEST:
        _known.add(key)


def redacted(text: str) -> str:
    """Return the text without any key that is known."""
    return _without(text, _known) if _known else text


def without_key(text: str, key: str) -> str:
    """Return the text without the key, as it stands and as JSON, URLs, HTML, MIME, base64 and
    hexadecimal digits spell it, in either case, with or without what is not seen between its
    characters; nor a part of it that can be recognised."""
    return _without(text, (key,)) if key else text


def forget_keys_in(error: BaseException | None) -> None:
    """Take all known keys out of what an exception and its causes say, where a traceback shows
    them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.args = tuple(redacted(arg) if isinstance(arg, str) else arg for arg in error.args)
        error = error.__cause__ or error.__context__


_UNIT = lazy_pattern(
    r"(?i:(?=[^!-~]|[\\%=&])"  # what all begin with; saves most time
    r"(?P<gap>\x1b\[[0-?]*[ -/]*[@-~]|[^!-~]+?(?=\x1b|[!-~]|\Z)|\\+[nrt])"
    r"|[\\%]+u(?P<u>[0-9a-f]{4})|\\+u\{(?P<brace>[0-9a-f]{1,6})\}|\\+x(?P<x>[0-9a-f]{2})"
    r"|\\+(?P<octal>[0-7]{3})|\\+(?P<bare>.)|[%=](?:25)*(?P<percent>[0-9a-f]{2})"
    r"|&(?:amp;)*(?:\#(?P<decimal>[0-9]{1,7});?|\#x(?P<hex>[0-9a-f]{1,6});?|(?P<name>[a-z]{2,9});))"
)
"""One character that is not spelled as it is, or what may stand between two: line ends, what is
not seen, and anything that is not ASCII, which no key holds."""
_BASE = {"u": 16, "brace": 16, "x": 16, "octal": 8, "percent": 16, "decimal": 10, "hex": 16}
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_OF_URLS = {ord("-"): "+", ord("_"): "/"}
_TAIL = lazy_pattern(r"[\w+/=-]{0,4}")


def _without(text: str, keys: Iterable[str]) -> str:
    plain = _UNIT.sub(_as_meant, _UNIT.sub(_as_meant, text))
    keys = [key for key in keys if any(True for _ in _anywhere(text, plain, key))]
    if not keys:
        return text  # as nearly always: where each of its characters stands need not be known
    once, first = _plainly(text)
    plain, places = _plainly(once)  # what is not seen may be spelled, too
    spans: list[tuple[int, int]] = []
    for key in keys:
        lower = text.translate(_LOWER)
        for part in (key, *_parts(key)):
            spans += _found(lower, part.translate(_LOWER))
        for start, stop in _hidden(plain, key):
            begins, ends = places[start][0], places[stop - 1][1]
            spans.append((first[begins][0], first[ends - 1][1]))
    shown, end = [], 0
    for start, stop in sorted(spans):
        if stop > end:
            shown += [text[end:start], SHOWN] if start >= end else []
            end = stop
    return "".join([*shown, text[end:]]) if shown else text


def _plainly(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text with all spellings undone, and where each of its characters stands in
    ``text``."""
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    end = 0
    for unit in _UNIT.finditer(text):
        meant = _meant(unit)
        if meant is None:
            continue
        pieces += [text[end : unit.start()], meant]
        places += [(at, at + 1) for at in range(end, unit.start())]
        places += [unit.span()] * len(meant)
        end = unit.end()
    pieces.append(text[end:])
    places += [(at, at + 1) for at in range(end, len(text))]
    return "".join(pieces), places


def _as_meant(unit: re.Match[str]) -> str:
    if unit.lastgroup == "gap":
        return ""
    meant = _meant(unit)
    return unit[0] if meant is None else meant


def _meant(unit: re.Match[str]) -> str | None:
    """Return the character that is meant, nothing for a gap; None where it is no spelling after
    all."""
    kind = unit.lastgroup or ""
    if kind == "name":
        from html.entities import html5

        return html5.get(f"{unit[kind]};")
    if kind in _BASE:
        return chr(min(int(unit[kind], _BASE[kind]), 0x10FFFF))
    return unit[kind] if kind == "bare" else ""


def _anywhere(text: str, plain: str, key: str) -> Iterator[tuple[int, int]]:
    yield from _found(text.translate(_LOWER), key.translate(_LOWER))
    yield from _hidden(plain, key)


def _hidden(plain: str, key: str) -> Iterator[tuple[int, int]]:
    """Yield where the key stands in a text whose spellings are undone."""
    lower, of_urls = plain.translate(_LOWER), plain.translate(_OF_URLS)
    for part in (key, *_parts(key)):
        yield from _found(lower, part.translate(_LOWER))
    for numbers in _as_numbers(key):
        yield from (found.span() for found in numbers.finditer(lower))
    for spelled in _as_base64(key):
        for start, stop in _found(of_urls, spelled):
            tail = _TAIL.match(plain, stop)
            yield start, tail.end() if tail else stop


def _found(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    start = text.find(wanted)
    while start >= 0:
        yield start, start + len(wanted)
        start = text.find(wanted, start + len(wanted))


@lru_cache(maxsize=64)
def _parts(key: str) -> tuple[str, ...]:
    """Return what of a long key tells it from any other, as far as it is not made of words."""
    if len(key) < 2 * _PART:
        return ()
    parts = (key[at : at + _PART] for at in range(len(key) - _PART + 1))
    return tuple(part for part in parts if _DRAWN.search(part))


@lru_cache(maxsize=64)
def _as_numbers(key: str) -> tuple[re.Pattern[str], ...]:
    """Return its bytes, one by one, in hexadecimal and decimal, whatever stands between them."""
    data = key.encode("utf-8", "surrogateescape")
    if len(data) < _SHORTEST:
        return ()
    hexadecimal = r"\W{0,3}(?:0x)?".join(f"{byte:02x}" for byte in data)
    return re.compile(hexadecimal), re.compile(r"\D{0,3}".join(map(str, data)))


@lru_cache(maxsize=64)
def _as_base64(key: str) -> tuple[str, ...]:
    from base64 import b64encode

    data = key.encode("utf-8", "surrogateescape")
    if len(data) < _SHORTEST:
        return ()
    found = []
    for start in range(3):
        # the first characters and the last ones depend on the neighbours
        whole = b64encode(bytes(start) + data).decode()
        found.append(whole[(0, 2, 3)[start] : (start + len(data)) // 3 * 4])
    return tuple(found)
