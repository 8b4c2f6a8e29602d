"""What goes over the wire to an OpenAI-compatible endpoint, and the sockets it goes through.

The first request leaves while Python still imports what will read its reply
(:class:`EarlyRequest`).
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from voicestream.records import dataclass
from voicestream.settings.parse import ascii_host
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http.addresses import connect_any

if TYPE_CHECKING:
    from voicestream.settings.proxy import ProxyAddress

NO_EXTRA: Mapping[str, Any] = MappingProxyType({})
CONNECT_S = 10.0
"""The longest wait for a connection, unless another is named."""

ROUTE = "/audio/speech"
"""Below the base URL."""
OTHER_ROUTES = {"captions": "/../dev/captioned_speech"}
"""Stream format -> its own route: Kokoro-FastAPI's lies beside the ``/v1`` of its base URL."""
USUAL_PORTS = {"http": 80, "https": 443}
made_before: list[Callable[[str, int, float], socket.socket | None]] = []
"""Asked first for a connection with TLS: :mod:`voicestream.speech.http.ahead`, in an engine."""
_PATH_SAFE = "/%:@!$&'()*+,;=~[]|^\\"
"""What stays as it is in a path."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a base URL leads."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, base_url: str, route: str = ROUTE) -> Target:
        parts = urlsplit(base_url)
        port = parts.port or USUAL_PORTS.get(parts.scheme, 80)
        host = ascii_host(parts.hostname or "")
        up = route.startswith("/../")
        path = encoded_path(parts.path.rpartition("/")[0] if up else parts.path)
        path += route[3:] if up else route
        if parts.query:
            path += "?" + quote(parts.query, safe=_PATH_SAFE + "?")
        return cls(parts.scheme, host, port, path)

    @property
    def bracketed(self) -> str:
        """The host as it stands before a port."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def authority(self) -> str:
        """The ``Host`` header."""
        usual = self.port == USUAL_PORTS.get(self.scheme)
        return self.bracketed if usual else f"{self.bracketed}:{self.port}"


def key_headers(target: Target, api_key: str) -> dict[str, str]:
    """Return the header that carries the key: Azure's own has another name than everybody
    else's."""
    if not api_key:
        return {}
    azure = target.host.endswith((".azure.com", ".azure.us", ".azure.cn"))
    if azure or "api-version=" in target.path.partition("?")[2]:
        return {"api-key": api_key}
    return {"authorization": f"Bearer {api_key}"}


def encoded_path(path: str) -> str:
    """Return a path as it goes over the wire, percent-encoded."""
    return quote(path, safe=_PATH_SAFE)


def request_headers(
    target: Target, api_key: str, extra: Mapping[str, str] = NO_EXTRA
) -> dict[str, str]:
    """Return the headers of every speech request, without length and host.

    Args:
        extra: what the user adds; names in lower case.
    """
    headers = {
        **extra,
        "accept": "*/*",
        # a compressed body could not be played before its end
        "accept-encoding": "identity",
        "content-type": "application/json",
        "user-agent": "voicestream",
    }
    return headers | key_headers(target, api_key)


def request_body(request: SpeechRequest, extra: Mapping[str, object] = NO_EXTRA) -> bytes:
    """Return the JSON of one speech request. Optional parts are left out rather than sent empty.

    Args:
        extra: fields that the user adds.
    """
    fields: dict[str, object] = {
        **extra,
        "model": request.model,
        "input": request.text,
        "voice": request.voice,
    }
    if request.format:
        fields["response_format"] = request.format
    if request.speed != 1.0:
        fields["speed"] = request.speed
    if request.instructions:
        fields["instructions"] = request.instructions
    if request.stream_format not in ("audio", *OTHER_ROUTES):
        fields["stream_format"] = request.stream_format
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")


def request_bytes(
    target: Target, path: str, headers: Mapping[str, str], body: bytes | None
) -> bytes:
    """Return a whole HTTP/1.1 request.

    Args:
        path: of the URL, encoded; all of it for a proxy that passes it on.
        headers: without length and host.
        body: None asks for what is there (``GET``).

    Raises:
        ValueError: what no header can hold.
    """
    method = "GET" if body is None else "POST"
    lines = [f"{method} {path} HTTP/1.1", f"host: {target.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any(not {"\r", "\n", "\0"}.isdisjoint(line) for line in lines):
        raise ValueError("a header with more than one line")
    if body is None:
        return "\r\n".join([*lines, "", ""]).encode("latin-1")
    lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def connect(target: Target, timeout_s: float, proxy: ProxyAddress | None = None) -> socket.socket:
    """Connect to a host, with TLS when the scheme says so, within one time for both.

    Args:
        proxy: leads there, by a tunnel; with TLS of its own only where the target has none.

    Raises:
        OSError: name not found, refused, timeout, TLS failure, or no tunnel (NoTunnelError).
    """
    until_s = time.monotonic() + timeout_s
    for ready in made_before if proxy is None and target.scheme == "https" else ():
        made = ready(target.host, target.port, timeout_s)
        if made is not None:
            return made
    near = target if proxy is None else Target(proxy.scheme, proxy.host, proxy.port, "")
    opened = connect_any(near.host, near.port, timeout_s)
    try:
        opened.settimeout(max(until_s - time.monotonic(), 0.001))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if near.scheme == "https":
            from voicestream.speech.http.tls import secured  # 5 ms that plain http does not need

            opened = secured(opened, near.host)
        if proxy is not None:
            from voicestream.speech.http.tunnel import tunnel

            left_s = max(until_s - time.monotonic(), 0.001)
            tunnel(opened, proxy, target.bracketed, target.port, left_s)
            opened.settimeout(max(until_s - time.monotonic(), 0.001))
            if target.scheme == "https":
                from voicestream.speech.http.tls import secured

                opened = secured(opened, target.host)
        return opened
    except BaseException:
        opened.close()
        raise


class Opening:
    """A connection being made in a thread of its own, so that waiting for it can be given up."""

    def __init__(self, target: Target, timeout_s: float, proxy: ProxyAddress | None = None) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._proxy = proxy
        self._done = threading.Event()
        self._abandoned = False
        # its own thread, until done
        self._socket: socket.socket | None = None
        self._failure: Exception | None = None
        self.sent_at_s = 0.0

    def start(self) -> None:
        threading.Thread(target=self._run, name="connect", daemon=True).start()

    def _run(self) -> None:
        try:
            opened = connect(self._target, self._timeout_s, self._proxy)
            try:
                first = self._first_bytes()
                if first and not self._abandoned:
                    opened.sendall(first)
            except OSError:
                opened.close()
                raise
            self.sent_at_s = time.monotonic()
            self._socket = opened
            if self._abandoned:
                self._drop()
        except (OSError, ValueError) as error:
            self._failure = error
        finally:
            self._done.set()

    def _first_bytes(self) -> bytes:
        """Return what to send as soon as the connection stands."""
        return b""

    def take(self) -> socket.socket:
        """Return the connected socket, once. Waits for it, for its failure or for ``abandon``.

        Raises:
            OSError: name not found, refused, timeout, TLS failure, or abandoned.
            ValueError: the host cannot be a host.
        """
        self._done.wait()
        if self._failure is not None:
            raise self._failure
        taken, self._socket = self._socket, None
        if taken is None:
            raise ConnectionAbortedError("given up")
        return taken

    def abandon(self) -> None:
        """Want the connection no more: whoever waits for it goes on at once. Any thread."""
        self._abandoned = True
        self._drop()
        self._done.set()

    def _drop(self) -> None:
        dropped, self._socket = self._socket, None
        if dropped is not None:
            dropped.close()


class EarlyRequest(Opening):
    """The first request, on its way while Python still imports.

    ``start`` connects in a thread; ``send`` says what to ask for once the text is known, or that
    it is not known yet, when only the connection is kept; ``take`` gives the socket to whoever
    carries on. Each is called once.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        connect_timeout_s: float,
        headers: Mapping[str, str] = NO_EXTRA,
        route: str = ROUTE,
    ) -> None:
        self._target = Target.of(base_url, route)
        super().__init__(self._target, connect_timeout_s)
        self._headers = request_headers(self._target, api_key, headers)
        self._told = threading.Event()
        self.body: bytes | None = None  # nothing is asked for yet

    def send(self, body: bytes | None) -> None:
        """Ask for ``body`` as soon as there is a connection; None: nothing to ask for yet."""
        self.body = body
        self._told.set()

    def asks(self, path: str, body: bytes) -> bool:
        """Return whether this is what is asked for, or nothing is yet."""
        return self.body is None or (self._target.path, self.body) == (path, body)

    def _first_bytes(self) -> bytes:
        self._told.wait()
        wanted = self._target, self._target.path, self._headers
        return b"" if self.body is None else request_bytes(*wanted, self.body)

    def abandon(self) -> None:
        super().abandon()
        self._told.set()
