"""What is asked of the server."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

TEXT = "Hello there."


def post(
    url: str, body: bytes | dict[str, Any], **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a POST to the speech route."""
    return ask(url, "POST", "/audio/speech", body, **headers)


def ask(
    url: str, method: str, route: str, body: bytes | dict[str, Any] = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    sent = json.dumps(body).encode() if isinstance(body, dict) else body
    given = {"content-type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, parts.path + route, sent, given)
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    result = answer.status, found, answer.read()
    connection.close()
    return result
