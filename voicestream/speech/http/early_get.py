"""What a URL leads to, asked for while Python still imports."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from voicestream.redact import remember_key
from voicestream.speech.http.request import EarlyRequest, request_bytes


def get_headers(url: str) -> dict[str, str]:
    """Return the headers of a request for ``url``, with the login that stands in it, if any."""
    headers = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "voicestream"}
    parts = urlsplit(url)
    if parts.username is not None:
        from base64 import b64encode

        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["authorization"] = "Basic " + b64encode(login.encode()).decode()
        remember_key(unquote(parts.password or ""))
    return headers


class EarlyGet(EarlyRequest):
    """The same for what a URL leads to: asked for as soon as there is a connection."""

    def __init__(self, url: str, connect_timeout_s: float, headers: Mapping[str, str]) -> None:
        super().__init__(url, "", connect_timeout_s, route="")
        self._headers = dict(headers)
        self.send(b"")

    def _first_bytes(self) -> bytes:
        return request_bytes(self._target, self._target.path, self._headers, None)
