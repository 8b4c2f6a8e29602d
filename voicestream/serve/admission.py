"""Who may speak here: by the key, by the name the server is called by, and by the web page."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence

from voicestream.errors import UsageError
from voicestream.records import dataclass
from voicestream.serve.asked import ApiError

LOOPBACK = "127.0.0.1"
_KEY_OF_PAGE = re.compile(r"\bopenai-insecure-api-key\.([^\s,]+)")
"""How a web page, which can set no headers, sends its key with a WebSocket."""
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.I)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@*\s]+")


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let in.

    A web page is known by its origin, which programs do not send; one that has a name of its own
    lead to this machine is known by that name.

    Attributes:
        api_key: asked for; empty: none is.
        names: host names that this server goes by, in lower case.
        any_address: it goes by every IP address, too.
        origins: web pages of other places that may speak here.
    """

    api_key: str = ""
    names: frozenset[str] = frozenset()
    any_address: bool = True
    origins: frozenset[str] = frozenset()

    @classmethod
    def at(
        cls, host: str, api_key: str = "", allowed: Sequence[str] = (), origins: Sequence[str] = ()
    ) -> Admission:
        """For a server that listens at ``host``.

        Args:
            allowed: further names it goes by.

        Raises:
            UsageError: a name or an origin is malformed.
        """
        for name in allowed:
            if not _NAME.fullmatch(name):
                raise UsageError(f"{name!r} is no host name", hint="Give it without a port.")
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                like = "Write it like http://localhost:3000."
                raise UsageError(f"{origin!r} is no origin of web pages", hint=like)
        names = {LOOPBACK, "localhost", "::1", host, *allowed}
        return cls(
            api_key,
            frozenset(name.lower() for name in names),
            not is_loopback(host),
            frozenset(origins),
        )

    def refusal(self, headers: Mapping[str, str]) -> ApiError | None:
        """Why a caller with these headers is not let in."""
        return self._of_host(headers) or self._of_origin(headers) or self._of_key(headers)

    def _of_host(self, headers: Mapping[str, str]) -> ApiError | None:
        name = host_of(headers.get("host", ""))
        if name in self.names or (self.any_address and _is_address(name)):
            return None
        shown = name if _NAME.fullmatch(name) and len(name) < 254 else "NAME"
        told = f"This server does not go by that name; start it with --allow-host {shown}."
        return ApiError(403, told, code="unknown_host")

    def _of_origin(self, headers: Mapping[str, str]) -> ApiError | None:
        origin = headers.get("origin")
        if origin is None or origin in self.origins:
            return None
        if origin.partition("://")[2].lower() == headers.get("host", "").lower():
            return None  # a page of our own
        told = "Web pages of other places may not speak here unless --allow-origin names theirs."
        return ApiError(403, told, code="foreign_origin")

    def _of_key(self, headers: Mapping[str, str]) -> ApiError | None:
        given = headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not given and (found := _KEY_OF_PAGE.search(headers.get("sec-websocket-protocol", ""))):
            given = found[1]
        if self.api_key and not hmac.compare_digest(given.encode(), self.api_key.encode()):
            said = "Incorrect API key provided." if given else "No API key provided."
            return ApiError(401, said, code="invalid_api_key")
        return None


def host_of(header: str) -> str:
    """Return the host in a Host header, without port, brackets and the dot at its end."""
    name, colon, port = header.rpartition(":")
    if not colon or not port.isdecimal():
        name = header
    return name.lower().removesuffix(".").removeprefix("[").removesuffix("]")


def is_loopback(host: str) -> bool:
    """Only this machine reaches it."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
