"""``endpoints``: what --endpoint can name, and how each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voicestream.cli.report import notice, print_json, print_text, warn
from voicestream.printable import printable
from voicestream.redact import redacted
from voicestream.session.named import NamedEndpoint, named_endpoints
from voicestream.settings.catalogue import catalogue
from voicestream.settings.row import shown

_MOST_CHARS = 44
"""Of what is told in words; the whole stands in the JSON."""


def show_endpoints(names: Sequence[str], as_json: bool, check: bool) -> int:
    """List the endpoints that have names, those in use first; return the exit code.

    Args:
        names: tell all of these, instead of a line of each that there is.
        check: ask those as well that want a key and are elsewhere.
    """
    known = catalogue()
    unknown = [name for name in known.use if name not in known.profiles.names]
    found = named_endpoints(known, check, [name.lower() for name in names])
    if as_json:
        told = [_told(each) for each in found]
        return print_json(
            {
                "config_file": str(known.file),
                "use": [name for name in known.use if name not in unknown],
                "endpoints": told,
            }
        )
    if names:
        return print_text("\n".join(map(_page, found)))
    rows = [_row(each) for each in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    code = print_text("".join(f"{line}\n" for line in lines))
    if code:
        return code
    for name in unknown:
        warn(str(known.profiles.unknown(name)))
    asks = "" if check else "--check asks those with a key as well. "
    notice(f"{asks}Your own are [endpoint.NAME] tables in {known.file}")
    return 0


def _page(each: NamedEndpoint) -> str:
    """Return all that is to be told of one, a line of each."""
    told = {name: value for name, value in _told(each).items() if value is not None}
    return "".join(f"{name:<13}  {printable(shown(value))}\n" for name, value in told.items())


def _row(each: NamedEndpoint) -> tuple[str, ...]:
    """Place in use, name, where and key, answer, what it last was like."""
    profile = each.profile
    name = f"{profile.name} *" if profile.own else profile.name
    return str(each.use or ""), name, _wants(each), _answer(each), _last(each)


def _wants(each: NamedEndpoint) -> str:
    """Return where it is, unless its name tells that, and its key."""
    found = []
    if each.profile.own or each.has_key is None:
        host = each.profile.base_url.partition("://")[2].partition("/")[0]
        found.append(printable(redacted(host)))
    if each.has_key is not None:
        found.append(f"{each.told_variable} {'set' if each.has_key else 'not set'}")
    return ", ".join(filter(None, found))


def _answer(each: NamedEndpoint) -> str:
    if not each.profile.base_url:
        return "needs a base_url"
    if each.answers is None:
        return "not asked" if each.settings else ""
    told = printable(each.answer, _MOST_CHARS)
    if not each.answers:
        return f"no: {told}"
    return f"yes: {told}" if told else f"yes, {1000 * each.answer_s:.0f} ms"


def _last(each: NamedEndpoint) -> str:
    known = each.known
    if not known.replies:
        return ""
    return f"{known.rate:.3g}x, first byte {1000 * known.first_byte_s:.0f} ms"


def _told(each: NamedEndpoint) -> dict[str, Any]:
    profile, known = each.profile, each.known
    return {
        "name": profile.name,
        "base_url": redacted(profile.base_url) or None,
        "own": profile.own,
        "use": each.use or None,
        "key_variable": each.told_variable or None,
        "has_key": each.has_key,
        **{name: _asked_for(each, name) for name in ("model", "voice", "format")},
        "trouble": each.trouble or None,
        "answers": each.answers,
        "answer": each.answer or None,
        "answer_ms": round(1000 * each.answer_s, 1) if each.answer_s else None,
        "replies": known.replies,
        "rate": known.rate if known.replies else None,
        "first_byte_ms": round(1000 * known.first_byte_s, 1) if known.replies else None,
        "docs": profile.docs or None,
        "note": profile.note or None,
    }


def _asked_for(each: NamedEndpoint, name: str) -> str | None:
    """Return a setting as the endpoint would be asked with it; where it cannot be, as its profile
    says."""
    if each.settings is not None:
        return str(getattr(each.settings, name))
    return str(each.profile.values[name][0]) if name in each.profile.values else None
