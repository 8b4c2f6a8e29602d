"""What an endpoint lists beside speech."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voicestream.speech.http.stream import content, said

if TYPE_CHECKING:
    from voicestream.speech.http.endpoint import HttpEndpoint

MAX_ANSWER_BYTES = 4 << 20
"""Most bytes of a list."""
_ABSENT = frozenset({400, 404, 405, 501})
"""What servers answer where there is nothing."""
_LIST_KEYS = ("voices", "data", "items", "results", "models")


def fetched(endpoint: HttpEndpoint, route: str) -> bytes | None:
    """Return what the endpoint answers at ``{base_url}{route}``; None if there is no such thing.

    Raises:
        EndpointError: it cannot be reached, refuses, or breaks off.
    """
    response = endpoint.get(route)
    if response.status == 200:
        return content(response, endpoint.origin, MAX_ANSWER_BYTES)
    words = said(response, endpoint.origin)
    if response.status in _ABSENT:
        return None
    raise endpoint.refused(response, words)


def items_of(found: Any) -> list[Any] | None:
    """Return the entries of a list in any of the shapes in use; None if it is no list."""
    if isinstance(found, dict):
        found = next((found[key] for key in _LIST_KEYS if key in found), None)
    if isinstance(found, dict):
        return [
            {"id": key, **value} if isinstance(value, dict) else key for key, value in found.items()
        ]
    return found if isinstance(found, list) else None
