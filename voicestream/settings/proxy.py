"""The proxy that the environment names for a URL."""

from __future__ import annotations

import os
import sys
from urllib.parse import unquote, urlsplit

from voicestream.errors import SettingsError
from voicestream.records import dataclass
from voicestream.settings.endpoints import Reach, http_twin, reach

_VARIABLES = frozenset({"http_proxy", "https_proxy", "all_proxy"})
_SCHEMES = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
"""Scheme of a proxy -> its usual port."""


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """Where a proxy listens, and the user and password that it is sent."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""

    def passes_on(self, scheme: str) -> bool:
        """Return whether it is told the whole address of each request; else a tunnel leads
        through it.

        Args:
            scheme: of that address.
        """
        return scheme == "http" and not self.scheme.startswith("socks")

    @property
    def shown(self) -> str:
        """The address as it may be shown: without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def proxy_url(base_url: str) -> str:
    """Return the proxy's URL as the environment (or the system's settings) names it; empty:
    none."""
    named = any(name.lower() in _VARIABLES for name in os.environ)
    if not named and os.name == "posix" and sys.platform != "darwin":
        return ""
    import urllib.request  # 15 ms that most do not need

    parts = urlsplit(base_url)
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not found or _excepted(parts.hostname or ""):
        return ""
    return "" if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]) else found


def _excepted(host: str) -> bool:
    """Return whether ``NO_PROXY`` names an address in a way that ``urllib`` does not know: as part
    of a network (``fd00::/8``), in brackets, or spelled otherwise."""
    from ipaddress import ip_address, ip_network

    try:
        address = ip_address(host)
    except ValueError:
        return False
    for entry in (os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")).split(","):
        inner, bracket, port = entry.strip().removeprefix("[").partition("]")
        try:
            if address in ip_network(inner + ("" if bracket and port[:1] == ":" else port), False):
                return True
        except ValueError:
            continue  # a name
    return False


def proxy_reach(base_url: str) -> tuple[Reach, str]:
    """Return how far what is sent to a URL travels to a proxy first, and that proxy for people.

    ``here`` with an empty name: there is none. What cannot be taken apart is told by
    :func:`proxy_for`, once it is to be used.
    """
    found = proxy_url(base_url)
    try:
        parts = urlsplit(found if "://" in found or not found else f"http://{found}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "here", ""
    if not host:
        return "here", ""
    name = ProxyAddress(parts.scheme, host, port or _SCHEMES.get(parts.scheme, 0)).shown
    return reach(f"http://[{host}]" if ":" in host else f"http://{host}"), name


def proxy_for(base_url: str) -> ProxyAddress | None:
    """Return the proxy between here and a URL, None if there is none.

    Raises:
        SettingsError: what the environment names is no proxy that can be used.
    """
    found = proxy_url(base_url)
    if not found:
        return None
    try:
        parts = urlsplit(found if "://" in found else f"http://{found}")
        host, port = parts.hostname or "", parts.port or _SCHEMES.get(parts.scheme, 0)
        host.encode("ascii")
    except ValueError as error:
        raise _unusable(str(error)) from error
    if parts.scheme not in _SCHEMES:
        raise _unusable(f"{parts.scheme}: is no kind of proxy known here")
    if not host:
        raise _unusable("it names no host")
    if parts.scheme == urlsplit(base_url).scheme == "https":
        raise _unusable("https does not go through a proxy that is spoken to over https itself")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return ProxyAddress(parts.scheme, host, port, user, password)


def tunnel_proxy(base_url: str) -> ProxyAddress | None:
    """Return the proxy between here and a WebSocket, None if there is none. The one for ``https``
    stands for ``wss``, the one for ``http`` for ``ws``.

    Raises:
        SettingsError: what the environment names is no proxy that can be used for it.
    """
    return proxy_for(http_twin(base_url))


def _unusable(reason: str) -> SettingsError:
    return SettingsError(
        "the proxy of the environment cannot be used",
        reason,
        "Correct HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or name the host in NO_PROXY.",
    )


def key_in_the_clear(address: str, key: str) -> tuple[Reach, str]:
    """Return how far a key would travel unencrypted, and to what for people.

    ``here``: it would not, or not beyond this machine. A proxy is never nearer than ``near``: it
    reads what it passes on, and goes where it likes.
    """
    if not key or not address.lower().startswith(("http:", "ws:")):
        return "here", ""
    by_proxy, proxy = proxy_reach(http_twin(address))
    direct = reach(address)
    if proxy and direct != "far":
        return ("far" if by_proxy == "far" else "near"), f"the proxy {proxy}"
    return direct, address
