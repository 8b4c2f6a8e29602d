"""An OpenAI-compatible endpoint over HTTP."""

from __future__ import annotations

import time
from urllib.parse import urljoin, urlsplit

from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    EndpointTimeoutError,
    KeyRefusedError,
)
from voicestream.settings.proxy import proxy_for
from voicestream.speech.base import Call, SpeechRequest
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.limits import Timeouts, Watch, most_bytes
from voicestream.speech.http.negotiate import Agreement
from voicestream.speech.http.refusal import asked_wait_s, refusal
from voicestream.speech.http.request import (
    OTHER_ROUTES,
    ROUTE,
    USUAL_PORTS,
    EarlyRequest,
    Target,
    encoded_path,
    request_body,
    request_headers,
)
from voicestream.speech.http.stream import HttpSpeechStream, Origin, said
from voicestream.speech.http.transport import HttpResponse, Transport
from voicestream.speech.http.wire import (
    LateConnectionError,
    LateError,
    NoConnectionError,
    WireError,
)

_MOST_REDIRECTS = 5
_TYPES = {"": "audio/mpeg", "mp3": "audio/mpeg"}
"""Content types of replies that name none. OpenAI's own default format is MP3."""


class HttpEndpoint:
    """``POST {base_url}/audio/speech``, the reply's bytes as they arrive.

    Args:
        early: the first request, sent already; whoever opens the same gets its reply.
        route: below the base URL.
    """

    def __init__(
        self, config: EndpointConfig, early: EarlyRequest | None = None, route: str = ROUTE
    ) -> None:
        self.config = config
        self._route = route
        self.target = Target.of(config.base_url, route)
        self._proxy = proxy_for(config.base_url)
        self._transport = Transport(
            self.target,
            Timeouts(config.connect_timeout_s, config.timeout_s),
            self._proxy,
            early,
        )
        self.origin = Origin(self.url, config.base_url, config.api_key, config.chunk_bytes)
        # any thread that asks
        self._paths = {route: self.target.path}
        self._agreements: dict[str, Agreement] = {}
        self._answered = False
        self._key_refused: KeyRefusedError | None = None

    @property
    def name(self) -> str:
        return self.config.base_url.partition("?")[0]

    @property
    def url(self) -> str:
        return self.name + self._route

    def open(self, request: SpeechRequest) -> HttpSpeechStream:
        """Ask, and return when the reply's headers are here.

        Raises:
            EndpointError: it cannot be reached, or refuses. Once it has refused the key it
                is not asked again.
        """
        if self._key_refused is not None:
            raise self._key_refused
        agreement = self._agreements.setdefault(request.model, Agreement())
        while True:
            asked = agreement.adapt(request)
            body = request_body(asked, self.config.body)
            route = OTHER_ROUTES.get(asked.stream_format, ROUTE)
            response = self._follow(body, asked.call, route)
            if 200 <= response.status < 300:
                self._answered = True
                # what to take an unnamed reply for, where it is not what the caller asked for
                changed = asked.format != request.format
                kind = _TYPES.get(asked.format, f"audio/{asked.format}") if changed else ""
                watch = Watch(self.config.limits, most_bytes(asked), response.allow)
                captions = asked.stream_format == "captions"
                rate_hz = self.config.rate_hz
                return HttpSpeechStream(self.origin, response, kind, watch, rate_hz, captions)
            words = said(response, self.origin)
            if not agreement.learn(asked, response.status, words):
                error = self.refused(response, words)
                if isinstance(error, KeyRefusedError) and self._is_lasting(error):
                    self._key_refused = error
                raise error

    def post(self, body: bytes, kind: str = "") -> HttpResponse:
        """Ask for anything but speech; return when the head of an answer is here.

        Args:
            kind: the content type of ``body``, where it is no JSON.

        Raises:
            EndpointError: it cannot be reached, or refuses.
        """
        response = self._follow(body, None, self._route, kind)
        if 200 <= response.status < 300:
            return response
        words = said(response, self.origin)
        raise self.refused(response, words)

    def get(self, route: str) -> HttpResponse:
        """Ask for what stands at another route; return when the head of an answer is here.

        Raises:
            EndpointError: it cannot be reached.
        """
        headers = request_headers(self.target, self.config.api_key, self.config.headers)
        del headers["content-type"]
        try:
            return self._transport.get(Target.of(self.config.base_url, route).path, headers)
        except WireError as error:
            raise self.failure(error) from error

    def _follow(self, body: bytes, call: Call | None, route: str, kind: str = "") -> HttpResponse:
        """Return the answer to a request, wherever on the same server it is given.

        Another server is not asked: it would get the text, and the key.
        """
        path = self._paths.get(route) or Target.of(self.config.base_url, route).path
        response = self._send(path, body, call, kind)
        for _ in range(_MOST_REDIRECTS):
            there = self._redirected(path, response)
            if not there:
                break
            response.close()
            path = self._paths[route] = there  # the next request need not go round
            response = self._send(path, body, call, kind)
        return response

    def _redirected(self, path: str, response: HttpResponse) -> str:
        """Return the path that a redirect within the same scheme, host and port leads to, or
        nothing."""
        if response.status not in (307, 308):
            return ""
        here = f"{self.target.scheme}://{self.target.authority}{path}"
        try:
            there = urlsplit(urljoin(here, response.headers.get("location", "")))
            port = there.port or USUAL_PORTS.get(there.scheme)
        except ValueError:
            return ""
        same = (there.scheme, there.hostname, port) == (
            self.target.scheme,
            self.target.host.lower(),
            self.target.port,
        )
        if not same or there.username is not None:
            return ""
        found = encoded_path(there.path) + (f"?{there.query}" if there.query else "")
        return found if found.isascii() and found != path else ""

    def _is_lasting(self, error: KeyRefusedError) -> bool:
        """Return whether a refusal holds for all texts. Where a key was good, 403 may be about
        one text: firewalls look into it."""
        return error.status == 401 or not self._answered

    def _send(self, path: str, body: bytes, call: Call | None, kind: str) -> HttpResponse:
        headers = request_headers(self.target, self.config.api_key, self.config.headers)
        if kind:
            headers["content-type"] = kind
        try:
            return self._transport.post(path, headers, body, call)
        except WireError as error:
            raise self.failure(error) from error

    def abort(self) -> None:
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()

    def refused(self, answer: HttpResponse, body: bytes) -> EndpointError:
        """Return the error for an answer other than 200 whose ``body`` has been read."""
        location = answer.headers.get("location", "")
        error = refusal(
            answer.status,
            self.url,
            body,
            location=self.origin.without_key(location.encode()).decode(),
            key_source=self.config.key_source,
        )
        error.retry_after_s = asked_wait_s(answer.headers, time.time())
        return error

    def failure(self, error: BaseException) -> EndpointError:
        """Return why no reply began, as people are told it."""
        from voicestream.speech.http.failures import connection_failed  # and TLS with it
        from voicestream.speech.http.tunnel import NoTunnelError

        host = f"{self.target.host}:{self.target.port}"
        if self._proxy is not None:
            host = f"the proxy {self._proxy.shown}"
            if isinstance(cause := error.__cause__, NoTunnelError):
                if cause.status == 407:
                    return refusal(407, self.url, cause.reason.encode())
                return ConnectionFailedError(
                    f"{host} does not lead to {self.target.authority}", str(cause)
                )
        if isinstance(error, LateConnectionError):
            return EndpointTimeoutError(
                f"{host} did not accept a connection within {self.config.connect_timeout_s:g} s",
                hint="Is the address right, and the network up?",
            )
        if isinstance(error, LateError):
            return EndpointTimeoutError(
                f"{host} sent nothing for {self.config.timeout_s:g} s",
                hint="Raise --timeout if the server is slow.",
            )
        if isinstance(error, NoConnectionError):
            return connection_failed(host, error)
        return ConnectionFailedError(
            f"the connection to {host} broke before the reply began",
            str(error),
            "Try again. If it is a Realtime API, write its address with wss:// (or ws://).",
        )
