"""Sound that a URL leads to: read as it is played, gone on with where it broke off.

Nothing of an endpoint goes there: no key, no header of the user's.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from itertools import chain
from urllib.parse import urljoin, urlsplit

from voicestream.errors import (
    EndpointError,
    EndpointTimeoutError,
    IncompleteReplyError,
    ReplyError,
    ResponseError,
)
from voicestream.records import dataclass
from voicestream.settings.proxy import proxy_for
from voicestream.speech.http.early_get import EarlyGet, get_headers
from voicestream.speech.http.limits import Limits, Timeouts, Watch
from voicestream.speech.http.refusal import asked_wait_s
from voicestream.speech.http.request import Target
from voicestream.speech.http.transport import HttpResponse, Transport
from voicestream.speech.http.wire import LateError, WireError
from voicestream.speech.retry import RetryPolicy

_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ALIKE_BYTES = 4096
"""What begins with the same bytes is the same sound, from its beginning."""
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_ANY_BYTES = 1 << 62
_WORDS = {
    401: ("needs a login", "curl has one: curl -u USER URL | voicestream play -"),
    403: ("is not for us", "Does it need a login?"),
    404: ("is not there", "Is the address right?"),
    410: ("is not there any more", ""),
}


@dataclass(frozen=True, slots=True)
class FetchConfig:
    """How long to wait, and how often to ask again; see the settings of the same names."""

    connect_timeout_s: float = 10.0
    timeout_s: float = 30.0
    stall_timeout_s: float = 15.0
    retries: int = 3


class FetchedSound:
    """The bytes of one URL. Used by one thread, but for ``give_up``.

    Args:
        title: the URL as people are shown it.
        early: the first request, sent already.
    """

    def __init__(
        self, url: str, title: str, config: FetchConfig, early: EarlyGet | None = None
    ) -> None:
        self._url = url
        self._title = title
        self._config = config
        self._early = early
        self._policy = RetryPolicy(config.retries)
        self._lock = threading.Lock()
        self._given_up = threading.Event()
        self._transport: Transport | None = None  # under the lock
        self._received_bytes = 0
        self._validator = ""
        self._head = b""
        self._live = False  # what is missed of it is gone
        self.notes: list[str] = []
        """What a person should know, until somebody takes it away."""
        self.content_type = ""
        self.sent_at_s = 0.0
        self._length_bytes: int | None = None
        self._response: HttpResponse | None = None

    def open(self) -> None:
        """Ask; return when the head of an answer with sound is here.

        Raises:
            EndpointError: it cannot be reached, or there is no sound.
        """
        self._response = self._ask()
        headers = self._response.headers
        self._length_bytes = _number(headers.get("content-length", ""))
        self._validator = _validator(headers)
        self.content_type = headers.get("content-type", "")
        self.sent_at_s = self._response.sent_at_s

    def __iter__(self) -> Iterator[bytes]:
        """Yield its bytes as they come.

        Raises:
            EndpointError: it broke off, and asking again brings nothing more.
        """
        if self._response is None:
            return
        pieces, fruitless = self._pieces(self._response), 0
        while True:
            before_bytes = self._received_bytes
            try:
                for piece in pieces:
                    self._received_bytes += len(piece)
                    self._head += piece[: _ALIKE_BYTES - len(self._head)]
                    yield piece
                return
            except IncompleteReplyError as error:
                fruitless = 0 if self._received_bytes > before_bytes else fruitless + 1
                if fruitless > self._config.retries or self._wait(fruitless or 1, None):
                    what = f"{self._title} broke off after {self._received_bytes} bytes"
                    broken = IncompleteReplyError(what, error.why)
                    broken.repeatable = False  # it has been asked for again
                    raise broken from error
            pieces = self._rest()

    def give_up(self) -> None:
        self._given_up.set()
        with self._lock:
            if self._transport is not None:
                self._transport.abort()

    def close(self) -> None:
        with self._lock:
            if self._transport is not None:
                self._transport.close()

    def _wait(self, tried: int, asked_s: float | None) -> bool:
        """Wait before asking again; return whether it was given up."""
        return self._given_up.wait(self._policy.wait_s(tried, asked_s, random.random()))

    def _pieces(self, response: HttpResponse) -> Iterator[bytes]:
        limits = Limits(self._config.stall_timeout_s, reply_s=0)
        return Watch(limits, _ANY_BYTES, response.allow)(response.iter_raw())

    def _rest(self) -> Iterator[bytes]:
        """Yield what follows the bytes that have come; of what is live, what comes now."""
        came_bytes = self._received_bytes
        # what is live has no length, and no place to go on at
        response = self._ask(came_bytes if self._length_bytes is not None else 0)
        pieces = self._pieces(response)
        if response.status == 206:
            told = _RANGE.match(response.headers.get("content-range", ""))
            begin, whole = (int(told[1]), told[2]) if told else (came_bytes, "*")
            if begin > came_bytes or whole not in ("*", str(self._length_bytes)):
                raise ReplyError(f"{self._title} has changed while it was played")
            yield from _without(pieces, came_bytes - begin)
            return
        again = b""
        while len(again) < len(self._head) and (piece := next(pieces, b"")):
            again += piece
        pieces = chain((again,), pieces)
        if again.startswith(self._head) and not self._live:
            yield from _without(pieces, came_bytes)
            return
        self._live = True
        self.notes.append(f"{self._title} broke off, and goes on where it is now")
        yield from pieces

    def _ask(self, begin_bytes: int = 0) -> HttpResponse:
        """Ask, as often as the settings allow; return the answer that holds sound."""
        tried, until_s = 0, time.monotonic() + self._policy.budget_s
        while True:
            try:
                return self._follow(begin_bytes)
            except EndpointError as error:
                tried += 1
                enough = tried > self._config.retries or time.monotonic() > until_s
                if enough or not error.repeatable:
                    raise
                if self._wait(tried, error.retry_after_s):
                    raise

    def _follow(self, begin_bytes: int) -> HttpResponse:
        """Ask, wherever redirects lead."""
        url, seen = self._url, [self._url]
        while True:
            response = self._get(url, begin_bytes)
            if response.status not in _REDIRECTS:
                return self._checked(response)
            url = self._redirected(url, response)
            response.close()
            if url in seen:
                raise ReplyError(f"{self._title} leads in a circle")
            if len(seen) > _MOST_REDIRECTS:
                raise ReplyError(f"{self._title} leads on and on", f"{len(seen)} redirects")
            seen.append(url)

    def _redirected(self, url: str, response: HttpResponse) -> str:
        try:
            there = urljoin(url, response.headers.get("location", ""))
            parts = urlsplit(there)
            if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
                return parts._replace(path=parts.path or "/", fragment="").geturl()
        except ValueError:
            pass
        raise ReplyError(f"{self._title} leads nowhere", "a redirect to what is no address")

    def _get(self, url: str, begin_bytes: int) -> HttpResponse:
        here, first = urlsplit(url), urlsplit(self._url)
        headers = get_headers(url)
        if (here.scheme, here.netloc.rpartition("@")[2]) == (
            first.scheme,
            first.netloc.rpartition("@")[2],
        ):
            headers |= get_headers(self._url)  # the login is for this server alone
        if begin_bytes:
            headers["range"] = f"bytes={begin_bytes}-"
            if self._validator:
                headers["if-range"] = self._validator
        try:
            target = Target.of(url, "")
            transport = self._connected(target, url)
            return transport.get(target.path, headers)
        except WireError as error:
            raise self._failure(target, error) from error
        except ValueError as error:
            raise ReplyError(f"{self._title} cannot be asked for", str(error)) from error

    def _connected(self, target: Target, url: str) -> Transport:
        early, self._early = self._early, None
        waits = Timeouts(self._config.connect_timeout_s, self._config.timeout_s)
        transport = Transport(target, waits, proxy_for(url), early)
        with self._lock:
            before, self._transport = self._transport, transport
            if self._given_up.is_set():
                transport.abort()
        if before is not None:
            before.close()
        return transport

    def _checked(self, response: HttpResponse) -> HttpResponse:
        """Return the answer if there is sound in it.

        Raises:
            EndpointError: there is none.
        """
        status, headers = response.status, response.headers
        if status == 416 and self._received_bytes:
            response.close()
            raise IncompleteReplyError(f"{self._title} broke off", "there is no more of it")
        if status not in (200, 206):
            response.close()
            told, hint = _WORDS.get(status, (f"cannot be had (status {status})", ""))
            refused = ResponseError(status, f"{self._title} {told}", hint=hint)
            refused.retry_after_s = asked_wait_s(headers, time.time())
            raise refused
        if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            response.close()
            raise ReplyError(f"{self._title} comes compressed", "which nobody asked for")
        return response

    def _failure(self, target: Target, error: Exception) -> EndpointError:
        """Return an exception of the transport as one of ours."""
        if isinstance(error, LateError):
            return EndpointTimeoutError(
                f"{target.authority} did not answer in time", str(error), "Is the network up?"
            )
        from voicestream.speech.http.failures import connection_failed  # and TLS with it

        failed = connection_failed(target.authority, error)
        failed.hint = failed.hint.replace("--base-url", "the address")
        return failed


def _without(pieces: Iterator[bytes], skipped_bytes: int) -> Iterator[bytes]:
    """Yield what follows so many bytes."""
    for piece in pieces:
        kept = piece[skipped_bytes:]
        skipped_bytes = max(skipped_bytes - len(piece), 0)
        if kept:
            yield kept


def _number(header: str) -> int | None:
    return int(header) if header.isdecimal() and len(header) < 16 else None


def _validator(headers: Mapping[str, str]) -> str:
    """Return what tells one version of a file from another; empty: nothing."""
    tag = headers.get("etag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("last-modified", "")
