"""The way to an endpoint: its name, its port, its certificate, and a proxy between."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from voicestream.doctor.finding import Finding, broken
from voicestream.errors import EndpointTimeoutError, VoicestreamError
from voicestream.settings.endpoints import http_twin
from voicestream.settings.proxy import proxy_for, tunnel_proxy
from voicestream.settings.table import Settings
from voicestream.speech.http.addresses import resolve
from voicestream.speech.http.failures import connection_failed
from voicestream.speech.http.request import Target, connect

_SOON_S = 14 * 86_400.0
"""A certificate that ends within this time should be renewed."""


def check_way(about: str, settings: Settings) -> Iterator[Finding]:
    """Its name, its address, its port and its certificate."""
    if settings.local:
        return
    address = http_twin(settings.base_url)
    target = Target.of(address)
    via = f"{target.host}:{target.port}"
    try:
        is_socket = settings.kind == "realtime"
        proxy = tunnel_proxy(address) if is_socket else proxy_for(address)
        near, through = target, None
        if proxy is not None:
            near = Target(proxy.scheme, proxy.host, proxy.port, "")
            via = f"{via} by the proxy {proxy.shown}"
            asks = (is_socket or target.scheme == "https") and not near.scheme.startswith("socks")
            through = proxy if asks else None  # of plain http it is asked with each request
        began_s = time.monotonic()
        addresses = resolve(near.host, near.port, settings.connect_timeout_s)
        resolved_s = time.monotonic()
        goal = near if through is None else target
        opened = connect(goal, settings.connect_timeout_s, through)
    except TimeoutError as error:
        secure = " Does it speak https on that port?" if target.scheme == "https" else ""
        hint = f"Is the address right, and the network up?{secure}"
        yield broken(about, EndpointTimeoutError(f"{via} does not answer", str(error), hint))
        return
    except (OSError, ValueError) as error:
        yield broken(about, connection_failed(via, error))
        return
    except VoicestreamError as error:  # the proxy of the environment
        yield broken(about, error)
        return
    with opened:
        connected_s = time.monotonic()
        yield _reached(about, via, opened, len(addresses), (began_s, resolved_s, connected_s))


def _reached(
    about: str, via: str, opened: Any, addresses: int, at_s: tuple[float, float, float]
) -> Finding:
    name_ms, connect_ms = (round(1000 * (end_s - start_s)) for start_s, end_s in pairwise(at_s))
    figures: dict[str, Any] = {"name_ms": name_ms, "connect_ms": connect_ms, "addresses": addresses}
    several = f" ({addresses} addresses)" if addresses > 1 else ""
    told = f"{via} answers within {name_ms + connect_ms} ms{several}"
    if not isinstance(opened, ssl.SSLSocket):
        return Finding(about, "good", told, figures=figures)
    certificate = opened.getpeercert() or {}
    ends = str(certificate.get("notAfter", ""))
    left_s = ssl.cert_time_to_seconds(ends) - time.time() if ends else _SOON_S
    figures |= {"tls": opened.version(), "certificate_ends": ends}
    told += f", {opened.version()}"
    if left_s < _SOON_S:
        return Finding(
            about, "look", f"{told}; its certificate ends on {ends}", "Renew it.", figures=figures
        )
    return Finding(about, "good", told, figures=figures)
