"""Which voices an endpoint has. There is no standard for asking; these are the ways in use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from voicestream.errors import ReplyError
from voicestream.printable import printable
from voicestream.speech.http.lists import fetched, items_of
from voicestream.speech.voice import Voice

if TYPE_CHECKING:
    from voicestream.speech.http.endpoint import HttpEndpoint

ROUTES = ("/audio/voices", "/voices", "/audio/speech/voices")
"""Behind the base URL, in the order in which they are tried."""
_ID_KEYS = ("id", "voice_id", "voice", "name", "key")
_NAME_KEYS = ("name", "display_name", "label", "description")
_MORE_KEYS = {
    "language": ("language", "lang", "locale", "lang_code", "language_code"),
    "quality": ("quality",),
    "source": ("source", "provider", "owned_by"),
    "licence": ("licence", "license"),
}
_MAX_VOICES = 10_000
_MAX_CHARS = 200


def voices_of(endpoint: HttpEndpoint) -> list[Voice]:
    """Return the endpoint's voices, in its own order.

    Raises:
        ReplyError: it does not tell them, or not in any of the known shapes.
        EndpointError: it cannot be reached, or refuses the key.
    """
    for route in ROUTES:
        body = fetched(endpoint, route)
        if body is not None and (voices := parse_voices(body)) is not None:
            return voices
    raise ReplyError(
        f"{endpoint.name} does not tell its voices",
        f"asked at {', '.join(ROUTES)}",
        "OpenAI does not either: its documentation lists them (alloy, nova, ...). "
        "Any name can be tried with --voice.",
    )


def parse_voices(body: bytes) -> list[Voice] | None:
    """Return the voices in any of the known shapes; None if it is none of them.

    Known: ``["a"]``, ``{"voices": ["a"]}``, ``{"voices": [{"id", "name"}]}``,
    ``{"object": "list", "data": [...]}``, ``{"voices": {"a": {...}}}``.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    items = items_of(found)
    if items is None:
        return None
    voices = [voice for item in items[:_MAX_VOICES] if (voice := _voice(item))]
    return voices if voices or not items else None


def _voice(item: Any) -> Voice | None:
    if isinstance(item, str):
        return Voice(_tidy(item)) if _tidy(item) else None
    if not isinstance(item, dict):
        return None
    found = _first(item, _ID_KEYS)
    name = _first(item, _NAME_KEYS)
    more = {field: _first(item, keys) for field, keys in _MORE_KEYS.items()}
    return Voice(found, "" if name == found else name, **more) if found else None


def _first(item: dict[str, Any], keys: tuple[str, ...]) -> str:
    texts = (_tidy(item[key]) for key in keys if isinstance(item.get(key), str))
    return next(filter(None, texts), "")


def _tidy(text: str) -> str:
    """Put a text on one line, harmless to a terminal."""
    return printable(text)[:_MAX_CHARS]
