"""An OpenAI-compatible endpoint over HTTP."""

from __future__ import annotations

import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    EndpointTimeoutError,
    KeyRefusedError,
    SettingsError,
)
from voicestream.speech.base import SpeechRequest
from voicestream.speech.cancel import current_call
from voicestream.speech.http.connect import SocketBackend, SocketTransport
from voicestream.speech.http.limits import Limits, Watch, most_bytes
from voicestream.speech.http.negotiate import agreement_with
from voicestream.speech.http.refusal import asked_wait_s, refusal
from voicestream.speech.http.reply import HttpSpeechStream, Origin, said
from voicestream.speech.http.request import (
    CONNECT_S,
    CertificatesError,
    EarlyRequest,
    Target,
    request_body,
    request_headers,
)

MAX_ANSWER_BYTES = 4 << 20
"""Of an answer that is not speech."""
_ABSENT = frozenset({400, 404, 405, 501})
"""What servers answer where there is nothing."""

_TYPES = {"": "audio/mpeg", "mp3": "audio/mpeg"}
"""Content types of replies that name none. OpenAI's own default format is MP3."""

_BROKEN = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """Where and how to ask."""

    base_url: str
    api_key: str = ""
    key_source: str = ""
    """The variable or flag the key came from, for messages."""
    timeout_s: float = 30.0
    """The longest wait for the first byte of a reply."""
    connect_s: float = CONNECT_S
    """The longest wait for a connection."""
    limits: Limits = field(default_factory=Limits)
    chunk_bytes: int = 4096
    connections: int = 4

    @property
    def connect_timeout_s(self) -> float:
        return min(self.timeout_s, self.connect_s)


class HttpEndpoint:
    """``POST {base_url}/audio/speech``, the reply's bytes as they arrive.

    Args:
        early: the first request, sent already; whoever opens the same gets its reply.
    """

    def __init__(self, config: HttpConfig, early: EarlyRequest | None = None) -> None:
        self._config = config
        self._target = Target.of(config.base_url)
        self._backend: SocketBackend | None = None
        self._transport: SocketTransport | None = None
        self._client = self._make_client(early)
        self._origin = Origin(self.url, config.base_url, config.api_key, config.chunk_bytes)
        # any thread that asks
        self._answered = False
        self._key_refused: KeyRefusedError | None = None

    def _make_client(self, early: EarlyRequest | None) -> httpx.Client:
        timeout = httpx.Timeout(self._config.timeout_s, connect=self._config.connect_timeout_s)
        if proxy_needed(self._config.base_url):
            return _proxied_client(timeout)
        self._backend = SocketBackend(self._target, early)
        self._transport = SocketTransport(self._backend, self._config.connections)
        return httpx.Client(
            transport=self._transport,
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
        """Ask, and return when the reply's headers are here.

        Raises:
            EndpointError: it cannot be reached, or refuses. Once it has refused the key it
                is not asked again.
        """
        if self._key_refused is not None:
            raise self._key_refused
        agreement = agreement_with(self._config.base_url, request.model)
        while True:
            asked = agreement.adapt(request)
            response = self._send(asked)
            if response.status_code == 200:
                self._answered = True
                # what to take an unnamed reply for, where it is not what the caller asked for
                changed = asked.format != request.format
                kind = _TYPES.get(asked.format, f"audio/{asked.format}") if changed else ""
                network = response.extensions.get("network_stream")
                watch = Watch(self._config.limits, most_bytes(asked), network)
                return HttpSpeechStream(self._origin, response, kind, watch)
            body = said(response, self._origin)
            if not agreement.learn(asked, response.status_code, body):
                error = self._refused(response, body)
                if isinstance(error, KeyRefusedError) and self._is_lasting(error):
                    self._key_refused = error
                raise error

    def _is_lasting(self, error: KeyRefusedError) -> bool:
        """Where a key was good, 403 may be about this one text: firewalls look into it."""
        return error.status == 401 or not self._answered

    def _send(self, request: SpeechRequest) -> httpx.Response:
        body = request_body(request)
        if self._backend is not None:
            self._backend.claim_early(body)
        sent = self._client.build_request(
            "POST", self.url, content=body, headers=request_headers(self._config.api_key)
        )
        try:
            return self._client.send(sent, stream=True)
        except httpx.HTTPError as error:
            given_up = (call := current_call()) is not None and call.cancelled
            if self._transport and isinstance(error, _BROKEN) and not given_up:
                self._transport.drop_idle()
            raise self._foreign(error) from error
        finally:
            if self._backend is not None:
                self._backend.drop_claimed()

    def get(self, route: str) -> bytes | None:
        """What the endpoint answers at ``{base_url}{route}``; None if there is no such thing.

        Raises:
            EndpointError: it cannot be reached, refuses, or answers beyond all bounds.
        """
        url = self._config.base_url + route
        headers = request_headers(self._config.api_key)
        del headers["content-type"]
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                body = said(response, self._origin, MAX_ANSWER_BYTES)
                status = response.status_code
        except httpx.HTTPError as error:
            raise self._foreign(error) from error
        if status in _ABSENT:
            return None
        if status != 200:
            raise self._refused(response, body)
        return body

    def abort(self) -> None:
        if self._backend:
            self._backend.abort()
        else:
            self._client.close()

    def close(self) -> None:
        if self._backend:
            self._backend.abort()  # an early request that nobody wanted, too
        self._client.close()

    def _refused(self, response: httpx.Response, body: bytes) -> EndpointError:
        location = response.headers.get("location", "")
        error = refusal(
            response.status_code,
            self.url,
            body,
            location=self._origin.without_key(location.encode()).decode(),
            key_source=self._config.key_source,
        )
        error.retry_after_s = asked_wait_s(response.headers, time.time())
        return error

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
            return connection_failed(host, error)
        return ConnectionFailedError(
            f"the connection to {host} broke before the reply began", str(error), "Try again."
        )


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


def connection_failed(host: str, error: Exception) -> ConnectionFailedError:
    """The error for a connection that could not be made, by what caused it."""
    failed = _connection_failed(host, error)
    failed.repeatable = not any(map(_lasting, _causes(error)))
    return failed


def _connection_failed(host: str, error: Exception) -> ConnectionFailedError:
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


def _lasting(cause: BaseException) -> bool:
    """A certificate, or a protocol, is the same when asked again; an end is not."""
    return isinstance(cause, ssl.SSLError | CertificatesError) and not isinstance(
        cause, ssl.SSLEOFError
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
