"""The reply to one speech request: its bytes as they arrive, out of whatever wraps them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from voicestream.errors import EndpointError, IncompleteReplyError, ReplyError
from voicestream.speech.bounds import Watch
from voicestream.speech.inflate import Inflater
from voicestream.speech.refusal import MAX_MESSAGE_BYTES, server_message
from voicestream.speech.sse import SpeechEvents

_RATE_HEADERS = ("x-audio-sample-rate", "x-sample-rate", "sample-rate")
_CHANNEL_HEADERS = ("x-audio-channels", "x-channels")
_NOT_SPEECH = re.compile(r"(text/(?!event-stream)|application/(problem\+)?(json|xml|xhtml))", re.I)
_EVENTS = re.compile(r"text/event-stream", re.I)
_TELLTALES = (b'{"error"', b'{"detail"', b'{"message"', b"<!doctype html", b"<html")
"""No sound begins like this: 48 bits of chance and more."""
MESSAGE_S = 10.0
"""The longest reading of an answer that is not speech."""
_LONGEST_TELLTALE = max(map(len, _TELLTALES))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a reply comes from."""

    url: str
    base_url: str
    api_key: str
    chunk_bytes: int

    def without_key(self, data: bytes | bytearray) -> bytes:
        """Some servers repeat the key they were sent."""
        key = self.api_key.encode()
        return bytes(data).replace(key, b"(the key)") if key else bytes(data)


def said(response: httpx.Response, origin: Origin, limit_bytes: int = MAX_MESSAGE_BYTES) -> bytes:
    """The (beginning of the) body of an answer that is not speech, without the key.

    Who drips it has ``MESSAGE_S`` for it; what came by then is the message.
    """
    body = bytearray()
    began_s = time.monotonic()
    try:
        for piece in _inflated(response, limit_bytes):
            body += piece
            if len(body) > limit_bytes or time.monotonic() - began_s > MESSAGE_S:
                break
    except (httpx.HTTPError, EndpointError) as error:
        body += f" ({error})".encode()
    finally:
        response.close()
    return origin.without_key(body)


def _inflated(
    response: httpx.Response, piece_bytes: int, watch: Watch | None = None
) -> Iterator[bytes]:
    # not iter_bytes: one piece of it may be a thousand times larger than what came
    inflater = Inflater(response.headers.get("content-encoding", ""), piece_bytes)
    for piece in watch(response.iter_raw()) if watch else response.iter_raw():
        yield from inflater.feed(piece)
    yield from inflater.flush()


class HttpSpeechStream:
    """The reply to one request.

    Args:
        fallback_type: its content type if it names none.
        watch: sees to it that it comes to an end.
    """

    def __init__(
        self,
        origin: Origin,
        response: httpx.Response,
        fallback_type: str = "",
        watch: Watch | None = None,
    ) -> None:
        self._watch = watch
        self._origin = origin
        self._response = response
        stream: Any = response.extensions.get("network_stream")
        self.sent_at_s: float = getattr(stream, "sent_at_s", 0.0)
        self.content_type: str = response.headers.get("content-type", "") or fallback_type
        self.rate_hz = _hint(response, _RATE_HEADERS)
        self.channels = _hint(response, _CHANNEL_HEADERS)
        self._events: SpeechEvents | None = None
        self._sound = self._body()
        if _EVENTS.match(self.content_type):
            self._begin_events(fallback_type)

    def _begin_events(self, fallback_type: str) -> None:
        """Only the first event with sound tells how the sound is encoded: wait for it."""
        self._events = events = SpeechEvents()
        sound = self._unwrapped(self._sound, events)
        try:
            first = next(sound, b"")
        except BaseException:
            self.close()
            raise
        self.content_type = events.content_type or fallback_type
        self.rate_hz = events.rate_hz or self.rate_hz
        self._sound = _chained(first, sound)

    def __iter__(self) -> Iterator[bytes]:
        if _NOT_SPEECH.match(self.content_type):
            raise self._not_speech(said(self._response, self._origin))
        limit = self._origin.chunk_bytes
        received = False
        for piece in self._checked(self._sound):
            received = True
            for start in range(0, len(piece), limit):
                yield piece[start : start + limit]
        if not received:
            raise ReplyError(
                "the endpoint answered with an empty body"
                if self._events is None
                else "the endpoint's stream of events holds no sound",
                f"status 200 from {self._origin.url}",
                "Check --model and --voice: some servers answer so when they know neither.",
            )

    def _body(self) -> Iterator[bytes]:
        """The bytes of the body, with what can happen to them as errors of ours."""
        before = self._response.num_bytes_downloaded
        try:
            yield from _inflated(self._response, self._origin.chunk_bytes, self._watch)
        except httpx.TimeoutException as error:
            raise IncompleteReplyError(
                f"the reply stopped after {self._received(before)} bytes",
                "the server sent nothing more",
            ) from error
        except httpx.HTTPError as error:
            raise IncompleteReplyError(
                f"the reply broke off after {self._received(before)} bytes", str(error)
            ) from error

    def _received(self, before: int) -> int:
        return self._response.num_bytes_downloaded - before

    def _unwrapped(self, body: Iterator[bytes], events: SpeechEvents) -> Iterator[bytes]:
        for piece in body:
            yield from events.feed(piece)
            if events.done:
                return

    def _checked(self, sound: Iterator[bytes]) -> Iterator[bytes]:
        """The same, unless it begins like the error messages that some servers call audio."""
        head = b""
        for piece in sound:
            head += piece
            seen = head[:_LONGEST_TELLTALE].lower()
            if any(seen.startswith(sign) for sign in _TELLTALES):
                raise self._not_speech(self._origin.without_key(head + _rest(sound)))
            if not any(sign.startswith(seen) for sign in _TELLTALES):
                yield head
                yield from sound
                return
        if head:
            yield head

    def _not_speech(self, body: bytes) -> ReplyError:
        kind = self.content_type.split(";")[0].strip()
        what = kind if _NOT_SPEECH.match(kind) else "a message"
        return ReplyError(
            f"the endpoint answered with {what}, not with speech",
            server_message(body),
            f"Is {self._origin.base_url} the right base URL?",
        )

    def close(self) -> None:
        self._response.close()


def _rest(sound: Iterator[bytes]) -> bytes:
    """A bit more of what turned out to be a message."""
    found = bytearray()
    try:
        for piece in sound:
            found += piece
            if len(found) > MAX_MESSAGE_BYTES:
                break
    except EndpointError as error:
        found += f" ({error})".encode()
    return bytes(found)


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _hint(response: httpx.Response, names: tuple[str, ...]) -> int | None:
    for name in names:
        value = response.headers.get(name, "").strip()
        if value.isdecimal():
            return int(value)
    return None
