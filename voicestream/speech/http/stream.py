"""The reply to one speech request: its bytes as they arrive, out of whatever wraps them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from voicestream.errors import EndpointError, ReplyError
from voicestream.records import dataclass
from voicestream.redact import without_key
from voicestream.speech.base import TimedWord
from voicestream.speech.http.inflate import Inflater
from voicestream.speech.http.json_sound import may_hold_sound, sound_of
from voicestream.speech.http.limits import Watch
from voicestream.speech.http.refusal import MAX_MESSAGE_BYTES
from voicestream.speech.http.sniff import (
    beginning,
    checked,
    is_bounded,
    is_events,
    is_speech,
    not_speech,
    shows_sound,
    told_channels,
    told_rate_hz,
    without_rate,
)
from voicestream.speech.http.sse import SpeechEvents
from voicestream.speech.http.transport import HttpResponse

_END_WAIT_S = 0.1
"""After the last event the body may take so long to end. Its connection can then be kept; a
segment whose bytes are all here waits no longer for that."""
_MAX_JSON_BYTES = 64 << 20
"""Of sound in base64: as much as four minutes of PCM."""
MESSAGE_S = 10.0
"""The longest reading of an answer that is not speech."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a reply comes from."""

    url: str
    base_url: str
    api_key: str
    chunk_bytes: int

    def without_key(self, data: bytes | bytearray) -> bytes:
        """Take out the key, which some servers repeat."""
        if not self.api_key:
            return bytes(data)
        text = bytes(data).decode("utf-8", "surrogateescape")
        return without_key(text, self.api_key).encode("utf-8", "surrogateescape")


def said(response: HttpResponse, origin: Origin) -> bytes:
    """Read the body of an answer that is not speech, or its beginning, without the key.

    Who drips it has ``MESSAGE_S`` for it; what came by then is the message.
    """
    try:
        pieces = _timely(_inflated(response, MAX_MESSAGE_BYTES))
        return origin.without_key(beginning(pieces, MAX_MESSAGE_BYTES))
    finally:
        response.close()


def content(response: HttpResponse, origin: Origin, limit_bytes: int) -> bytes:
    """Read an answer that is not speech as ``said`` does.

    Raises:
        EndpointError: it broke off.
    """
    found = bytearray()
    try:
        for piece in _timely(_inflated(response, limit_bytes)):
            found += piece
            if len(found) > limit_bytes:
                break
        return origin.without_key(found)
    finally:
        response.close()


def _timely(pieces: Iterator[bytes]) -> Iterator[bytes]:
    until_s = time.monotonic() + MESSAGE_S
    for piece in pieces:
        yield piece
        if time.monotonic() > until_s:
            return


def _inflated(
    response: HttpResponse, piece_bytes: int, watch: Watch | None = None
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
        rate_hz: of raw PCM, whatever the reply says; 0: as it says.
        captions: it was asked for with the times of its words.
    """

    def __init__(
        self,
        origin: Origin,
        response: HttpResponse,
        fallback_type: str = "",
        watch: Watch | None = None,
        rate_hz: int = 0,
        captions: bool = False,
    ) -> None:
        self._watch = watch
        self._origin = origin
        self._response = response
        self.sent_at_s = response.sent_at_s
        self.content_type: str = response.headers.get("content-type", "") or fallback_type
        self.rate_hz = told_rate_hz(response.headers)
        self.channels = told_channels(response.headers)
        self.ends = response.headers.get("sunset", "") or response.headers.get("deprecation", "")
        """When this will be shut down, if the reply says it (RFC 8594, RFC 9745)."""
        self.words: Sequence[TimedWord] | None = None
        """When each word is spoken; grows while it is read. None: it does not tell."""
        self._events: SpeechEvents | None = None
        self._sound = _inflated(response, origin.chunk_bytes, watch)
        if is_events(self.content_type):
            self._begin_events(fallback_type)
        elif not is_speech(self.content_type):
            self._look_inside(fallback_type, captions)
        if rate_hz:
            self.rate_hz = rate_hz
            self.content_type = without_rate(self.content_type)

    @property
    def whole(self) -> bool:
        """Whether its end was told, now that it is over: else it may have been cut anywhere."""
        return is_bounded(self._response.headers) if self._events is None else self._events.done

    def _begin_events(self, fallback_type: str) -> None:
        """Wait for the first event with sound, which alone tells how the sound is encoded."""
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

    def _look_inside(self, fallback_type: str, captions: bool) -> None:
        """Look whether what is called a message is sound all the same: by its first bytes, or in
        JSON."""
        try:
            head = next(self._sound, b"")
            if shows_sound(head):
                self.content_type = ""
            elif captions:
                head = self._captioned(head, fallback_type)
            elif may_hold_sound(head):
                head = self._json_sound(head + beginning(self._sound, _MAX_JSON_BYTES))
        except BaseException:
            self.close()
            raise
        self._sound = _chained(head, self._sound)

    def _captioned(self, head: bytes, fallback_type: str) -> bytes:
        """Wait for the first of the sound in lines of JSON and return it, or else the message that
        came instead."""
        from voicestream.speech.http.captions import CaptionLines

        lines = CaptionLines()
        sound = lines.read(_chained(head, self._sound))
        first = next(sound, b"")
        if first:
            self.words, self._sound = lines.words, sound
            self.content_type = fallback_type  # each line tells it behind its sound
        return first or lines.beginning

    def _json_sound(self, body: bytes) -> bytes:
        found = sound_of(body)
        if found is None:
            return body
        self.content_type = found.content_type
        self.rate_hz = found.rate_hz or self.rate_hz
        return found.data

    def __iter__(self) -> Iterator[bytes]:
        if not is_speech(self.content_type):
            raise self._message(b"", _timely(self._sound))
        limit = self._origin.chunk_bytes
        received = False
        for piece in checked(self._sound, self._message):
            received = True
            for start in range(0, len(piece), limit):
                yield piece[start : start + limit]
        if not received:
            raise ReplyError(
                "the endpoint answered with an empty body"
                if self._events is None
                else "the endpoint's stream of events holds no sound",
                f"status {self._response.status} from {self._origin.url}",
                "Check --model and --voice: some servers answer so when they know neither.",
            )

    def _unwrapped(self, body: Iterator[bytes], events: SpeechEvents) -> Iterator[bytes]:
        for piece in body:
            yield from events.feed(piece)
            if events.done:
                self._read_to_end(body)
                return

    def _read_to_end(self, body: Iterator[bytes]) -> None:
        """Read to the body's end, which most servers send together with the last event: to close
        it before would close the connection, and the next request would pay for a new one."""
        if self._watch is None:
            return
        self._watch.hurry(_END_WAIT_S)
        try:
            for _ in body:
                pass
        except EndpointError:
            return  # it goes on, or broke off; the speech is complete

    def _message(self, head: bytes, sound: Iterator[bytes]) -> ReplyError:
        return self._not_speech(
            self._origin.without_key(head + beginning(sound, MAX_MESSAGE_BYTES))
        )

    def _not_speech(self, body: bytes) -> ReplyError:
        hint = f"Is {self._origin.base_url} the right base URL?"
        return not_speech(self.content_type, body, hint)

    def close(self) -> None:
        self._response.close()


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest
