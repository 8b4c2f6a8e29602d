"""Which voices an endpoint has. There is no standard for asking; these are the ways in use."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voicestream.errors import ReplyError
from voicestream.printable import printable
from voicestream.speech.http.proxy import proxy_url
from voicestream.speech.http.reply import said
from voicestream.speech.http.request import request_headers, tls_context, url_of

if TYPE_CHECKING:
    from voicestream.speech.http.endpoint import HttpEndpoint

MAX_ANSWER_BYTES = 4 << 20
"""Of a list of voices."""
_ABSENT = frozenset({400, 404, 405, 501})
"""What servers answer where there is nothing."""
ROUTES = ("/audio/voices", "/voices", "/audio/speech/voices")
"""Behind the base URL, in the order in which they are tried."""
_LIST_KEYS = ("voices", "data", "items", "results")
_ID_KEYS = ("id", "voice_id", "voice", "name", "key")
_NAME_KEYS = ("name", "display_name", "label", "description")
_MAX_VOICES = 10_000
_MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice: what to give as ``--voice``, and a name for people where it differs."""

    id: str
    name: str = ""


def voices_of(endpoint: HttpEndpoint) -> list[Voice]:
    """The endpoint's voices, in its own order.

    Raises:
        ReplyError: it does not tell them, or not in any of the known shapes.
        EndpointError: it cannot be reached, or refuses the key.
    """
    for route in ROUTES:
        body = _fetched(endpoint, route)
        if body is not None and (voices := parse_voices(body)) is not None:
            return voices
    raise ReplyError(
        f"{endpoint.name} does not tell its voices",
        f"asked at {', '.join(ROUTES)}",
        "OpenAI does not either: its documentation lists them (alloy, nova, ...). "
        "Any name can be tried with --voice.",
    )


def _fetched(endpoint: HttpEndpoint, route: str) -> bytes | None:
    """What the endpoint answers at ``{base_url}{route}``; None if there is no such thing.

    Raises:
        EndpointError: it cannot be reached, refuses, or answers beyond all bounds.
    """
    import httpx  # 60 ms that speech does not wait for

    config = endpoint.config
    headers = request_headers(endpoint.target, config.api_key, config.headers)
    del headers["content-type"]
    timeout = httpx.Timeout(config.timeout_s, connect=config.connect_timeout_s)
    try:
        with (
            httpx.Client(
                headers=headers,
                timeout=timeout,
                follow_redirects=False,
                trust_env=False,
                proxy=proxy_url(config.base_url) or None,
                verify=_context(config.base_url),
            ) as client,
            client.stream("GET", url_of(config.base_url, route)) as response,
        ):
            body = said(response, endpoint.origin, MAX_ANSWER_BYTES)
    except httpx.HTTPError as error:
        raise endpoint.failure(error.__cause__ or error) from error
    if response.status_code in _ABSENT:
        return None
    if response.status_code != 200:
        raise endpoint.refused(response.status_code, response, body)
    return body


def _context(base_url: str) -> ssl.SSLContext:
    """Trusted certificates, read only where they are needed."""
    secure = base_url.startswith("https:")
    return tls_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def parse_voices(body: bytes) -> list[Voice] | None:
    """The voices in any of the known shapes; None if it is none of them.

    Known: ``["a"]``, ``{"voices": ["a"]}``, ``{"voices": [{"id", "name"}]}``,
    ``{"object": "list", "data": [...]}``, ``{"voices": {"a": {...}}}``.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    items = _items(found)
    if items is None:
        return None
    voices = [voice for item in items[:_MAX_VOICES] if (voice := _voice(item))]
    return voices if voices or not items else None


def _items(found: Any) -> list[Any] | None:
    if isinstance(found, dict):
        found = next((found[key] for key in _LIST_KEYS if key in found), None)
    if isinstance(found, dict):
        return [
            {"id": key, **value} if isinstance(value, dict) else key for key, value in found.items()
        ]
    return found if isinstance(found, list) else None


def _voice(item: Any) -> Voice | None:
    if isinstance(item, str):
        return Voice(_tidy(item)) if _tidy(item) else None
    if not isinstance(item, dict):
        return None
    found = _first(item, _ID_KEYS)
    name = _first(item, _NAME_KEYS)
    return Voice(found, "" if name == found else name) if found else None


def _first(item: dict[str, Any], keys: tuple[str, ...]) -> str:
    texts = (_tidy(item[key]) for key in keys if isinstance(item.get(key), str))
    return next(filter(None, texts), "")


def _tidy(text: str) -> str:
    """On one line, harmless to a terminal."""
    return " ".join(printable(text).split())[:_MAX_CHARS]
