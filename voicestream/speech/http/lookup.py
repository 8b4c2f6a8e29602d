"""What an endpoint lists beside speech: asked over HTTP when there is no hurry."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from voicestream.settings.proxy import proxy_url
from voicestream.speech.http.request import request_headers, url_of
from voicestream.speech.http.stream import said
from voicestream.speech.http.tls import tls_context

if TYPE_CHECKING:
    from voicestream.speech.http.endpoint import HttpEndpoint

MAX_ANSWER_BYTES = 4 << 20
"""Of a list."""
_ABSENT = frozenset({400, 404, 405, 501})
"""What servers answer where there is nothing."""
_LIST_KEYS = ("voices", "data", "items", "results", "models")


def fetched(endpoint: HttpEndpoint, route: str) -> bytes | None:
    """Return what the endpoint answers at ``{base_url}{route}``; None if there is no such thing.

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
    """Return a context with trusted certificates, read only where they are needed."""
    secure = base_url.startswith("https:")
    return tls_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def items_of(found: Any) -> list[Any] | None:
    """Return the entries of a list in any of the shapes in use; None if it is no list."""
    if isinstance(found, dict):
        found = next((found[key] for key in _LIST_KEYS if key in found), None)
    if isinstance(found, dict):
        return [
            {"id": key, **value} if isinstance(value, dict) else key for key, value in found.items()
        ]
    return found if isinstance(found, list) else None
