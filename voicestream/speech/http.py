"""An OpenAI-compatible endpoint over HTTP."""

from __future__ import annotations

import re
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    EndpointTimeoutError,
    IncompleteReplyError,
    ReplyError,
    SettingsError,
)
from voicestream.speech.base import SpeechRequest
from voicestream.speech.refusal import MAX_MESSAGE_BYTES, refusal, server_message
from voicestream.speech.sockets import SocketBackend, SocketTransport
from voicestream.speech.wire import (
    MAX_CONNECT_S,
    CertificatesError,
    EarlyRequest,
    Target,
    request_body,
    request_headers,
)

MAX_CHARS = 4096
"""The API's own bound on ``input``."""

_RATE_HEADERS = ("x-audio-sample-rate", "x-sample-rate", "sample-rate")
_CHANNEL_HEADERS = ("x-audio-channels", "x-channels")
_NOT_SPEECH = re.compile(r"(text/(?!event-stream)|application/(problem\+)?(json|xml|xhtml))", re.I)


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """Where and how to ask."""

    base_url: str
    api_key: str = ""
    key_source: str = ""
    """The variable or flag the key came from, for messages."""
    timeout_s: float = 30.0
    chunk_bytes: int = 4096
    connections: int = 4

    @property
    def connect_timeout_s(self) -> float:
        return min(self.timeout_s, MAX_CONNECT_S)


class HttpEndpoint:
    """``POST {base_url}/audio/speech``, the reply's bytes as they arrive.

    Args:
        early: the first request, sent already; it is used when its body is the
            one that is opened first, and thrown away otherwise.
    """

    max_chars = MAX_CHARS

    def __init__(self, config: HttpConfig, early: EarlyRequest | None = None) -> None:
        self._config = config
        self._early = early
        self._target = Target.of(config.base_url)
        self._backend: SocketBackend | None = None
        self._client = self._make_client()

    def _make_client(self) -> httpx.Client:
        timeout = httpx.Timeout(self._config.timeout_s, connect=self._config.connect_timeout_s)
        if proxy_needed(self._config.base_url):
            return _proxied_client(timeout)
        self._backend = SocketBackend(self._target, self._early)
        return httpx.Client(
            transport=SocketTransport(self._backend, self._config.connections),
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
        )

    @property
    def name(self) -> str:
        return self._config.base_url

    @property
    def url(self) -> str:
        return f"{self._config.base_url}/audio/speech"

    def open(self, request: SpeechRequest) -> HttpSpeechStream:
        body = request_body(request)
        if self._early and self._early.body not in (body, None) and self._backend:
            self._backend.forget_early()
        self._early = None
        sent = self._client.build_request(
            "POST", self.url, content=body, headers=request_headers(self._config.api_key)
        )
        try:
            response = self._client.send(sent, stream=True)
        except httpx.HTTPError as error:
            raise self._foreign(error) from error
        if response.status_code != 200:
            raise self._refused(response)
        return HttpSpeechStream(self, response)

    def abort(self) -> None:
        if self._backend:
            self._backend.abort()
        else:
            self._client.close()

    def close(self) -> None:
        self._client.close()

    @property
    def chunk_bytes(self) -> int:
        return self._config.chunk_bytes

    def said(self, response: httpx.Response) -> bytes:
        """The beginning of a body that is not speech, for a message: without the key."""
        body = bytearray()
        try:
            for piece in response.iter_raw():
                body += piece
                if len(body) > MAX_MESSAGE_BYTES:
                    break
        except httpx.HTTPError as error:
            body += f" ({error})".encode()
        finally:
            response.close()
        return self._without_key(body)

    def _without_key(self, data: bytes | bytearray) -> bytes:
        """Some servers repeat the key they were sent."""
        key = self._config.api_key.encode()
        return bytes(data).replace(key, b"(the key)") if key else bytes(data)

    def _refused(self, response: httpx.Response) -> EndpointError:
        location = response.headers.get("location", "")
        return refusal(
            response.status_code,
            self.url,
            self.said(response),
            location=self._without_key(location.encode()).decode(),
            key_source=self._config.key_source,
        )

    def _foreign(self, error: httpx.HTTPError) -> EndpointError:
        """httpx's exceptions as ours, before the reply began."""
        host = f"{self._target.host}:{self._target.port}"
        if isinstance(error, httpx.ConnectTimeout):
            return EndpointTimeoutError(
                f"{host} did not accept a connection within {self._config.connect_timeout_s:g} s",
                hint="Is the address right, and the network up?",
            )
        if isinstance(error, httpx.TimeoutException):
            return EndpointTimeoutError(
                f"{host} sent nothing for {self._config.timeout_s:g} s",
                hint="Raise --timeout if the server is slow.",
            )
        if isinstance(error, httpx.ConnectError):
            return _connection_failed(host, error)
        return ConnectionFailedError(
            f"the connection to {host} broke before the reply began", str(error), "Try again."
        )


class HttpSpeechStream:
    """The reply to one request."""

    def __init__(self, endpoint: HttpEndpoint, response: httpx.Response) -> None:
        self._endpoint = endpoint
        self._response = response
        stream: Any = response.extensions.get("network_stream")
        self.sent_at_s: float = getattr(stream, "sent_at_s", 0.0)
        self.content_type: str = response.headers.get("content-type", "")
        self.rate_hz = _hint(response, _RATE_HEADERS)
        self.channels = _hint(response, _CHANNEL_HEADERS)

    def __iter__(self) -> Iterator[bytes]:
        if _NOT_SPEECH.match(self.content_type):
            raise self._not_speech()
        limit = self._endpoint.chunk_bytes
        received = 0
        try:
            for piece in self._response.iter_raw():
                received += len(piece)
                for start in range(0, len(piece), limit):
                    yield piece[start : start + limit]
        except httpx.TimeoutException as error:
            raise IncompleteReplyError(
                f"the reply stopped after {received} bytes", "the server sent nothing more"
            ) from error
        except httpx.HTTPError as error:
            raise IncompleteReplyError(
                f"the reply broke off after {received} bytes", str(error)
            ) from error
        if not received:
            raise ReplyError(
                "the endpoint answered with an empty body",
                f"status 200 from {self._endpoint.url}",
                "Check --model and --voice: some servers answer so when they know neither.",
            )

    def _not_speech(self) -> ReplyError:
        return ReplyError(
            f"the endpoint answered with {self.content_type.split(';')[0]}, not with speech",
            server_message(self._endpoint.said(self._response)),
            f"Is {self._endpoint.name} the right base URL?",
        )

    def close(self) -> None:
        self._response.close()


def proxy_needed(base_url: str) -> bool:
    """Whether the environment sends this URL through a proxy."""
    parts = urlsplit(base_url)
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return bool(found) and not urllib.request.proxy_bypass(parts.hostname or "")


def _proxied_client(timeout: httpx.Timeout) -> httpx.Client:
    try:
        return httpx.Client(timeout=timeout, follow_redirects=False)
    except (ValueError, ImportError) as error:  # no such kind of proxy, or a part is missing
        raise SettingsError(
            "the proxy of the environment cannot be used",
            str(error),
            "Correct HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or name the host in NO_PROXY.",
        ) from error


def _hint(response: httpx.Response, names: tuple[str, ...]) -> int | None:
    for name in names:
        value = response.headers.get(name, "").strip()
        if value.isdecimal():
            return int(value)
    return None


def _connection_failed(host: str, error: httpx.ConnectError) -> ConnectionFailedError:
    causes = list(_causes(error))
    if any(isinstance(cause, CertificatesError) for cause in causes):
        return ConnectionFailedError(
            "the certificates cannot be read",
            str(error),
            "Correct or unset SSL_CERT_FILE and SSL_CERT_DIR.",
        )
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return ConnectionFailedError(
            f"the certificate of {host} is not trusted",
            str(error),
            "Set SSL_CERT_FILE if the server has a certificate of your own.",
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return ConnectionFailedError(
            f"no TLS with {host}", str(error), "Does this server speak https on that port?"
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return ConnectionFailedError(
            f"no address found for {host}",
            str(error),
            "Check the spelling of --base-url, and the network.",
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return ConnectionFailedError(
            f"{host} refused the connection", hint="Is the server running, on that port?"
        )
    return ConnectionFailedError(f"no connection to {host}", str(error), "Is the network up?")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
