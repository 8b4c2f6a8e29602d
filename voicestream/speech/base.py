"""What an endpoint is.

To add a kind of endpoint, write one file with a class that has the members of
:class:`Endpoint`, give its URL schemes a kind in ``voicestream/settings/endpoints.py``,
and say how that kind is made in the table of ``voicestream/session/wiring.py``. What it
has to tell a person goes to the ``notify`` that it is given there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from voicestream.records import dataclass, field


class Call:
    """Ends the waiting of one request, whatever it waits for at the moment, when another thread
    gives it up.

    A request carries it to the endpoint. ``cancel`` may be called by any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def wait_for(self, end: Callable[[], None]) -> None:
        """Let ``end``, which returns at once, end the waiting from now on; call it now if that
        is given up already."""
        with self._lock:
            self._end = end
            if self._cancelled:
                end()

    def over(self) -> None:
        """Wait for nothing any more: a connection that is kept carries another's request."""
        with self._lock:
            self._end = None

    def cancel(self) -> None:
        """Give it up: the waiting ends with an error, and what is asked for later fails too."""
        with self._lock:
            self._cancelled = True
            if self._end is not None:
                self._end()


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """What one request asks for."""

    text: str
    model: str
    voice: str
    format: str
    speed: float = 1.0
    instructions: str = ""
    stream_format: str = "audio"
    """``audio``: the bytes of the format; ``sse``: the same in server-sent events; ``captions``:
    with the times of the words."""
    language: str = ""
    """Of the text, as a code, where voices differ by it; empty: not known."""
    elsewhere: bool = False
    """The usual endpoint spoke other words than the text's: rather ask a fallback."""
    call: Call | None = field(default=None, compare=False, repr=False)
    """Gives this request alone up; an endpoint that can end its waiting tells it how."""


TimedWord = tuple[str, float, float]
"""A word that is spoken, and when it begins and ends: seconds from the beginning of the reply."""


class SpeechStream(Protocol):
    """The reply to one request, while it arrives. Used by one fetch thread."""

    @property
    def content_type(self) -> str:
        """The media type with its parameters, as far as the reply tells; else empty."""

    @property
    def rate_hz(self) -> int | None:
        """Sample rate of raw PCM, if the reply names it."""

    @property
    def channels(self) -> int | None:
        """Channels of raw PCM, if the reply names them."""

    @property
    def sent_at_s(self) -> float:
        """When the request was on the wire (``time.monotonic()``)."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield encoded bytes as they arrive, each piece at once.

        Raises:
            EndpointError: the reply broke off, or is not speech.
        """

    def close(self) -> None:
        """Give up the rest of the reply, or do nothing after its end."""


def said_by(stream: object) -> str | None:
    """Return the words of what has come so far, where a stream has a member ``said``; else None.

    They may be ahead of the sound. A stream that knows yields an empty piece when they grow.
    """
    said: str | None = getattr(stream, "said", None)
    return said


def words_of(stream: SpeechStream) -> Sequence[TimedWord] | None:
    """Return the times of the words, where a stream has a member ``words``, a list that grows while
    it is read; else None."""
    words: Sequence[TimedWord] | None = getattr(stream, "words", None)
    return words


def ends_of(stream: SpeechStream) -> str:
    """Return when this endpoint or its model will be shut down, where a stream has a member
    ``ends``."""
    ends: str = getattr(stream, "ends", "")
    return ends


def is_whole(stream: SpeechStream) -> bool:
    """Return whether a reply that has ended came whole for certain: not, where a stream has a
    member ``whole`` that is false."""
    whole: bool = getattr(stream, "whole", True)
    return whole


def is_cached(stream: SpeechStream) -> bool:
    """Return whether a reply is kept here and nobody was asked, where a stream has a member
    ``cached``."""
    cached: bool = getattr(stream, "cached", False)
    return cached


def settle(stream: SpeechStream, good: bool) -> None:
    """Tell a stream that has a member ``settle`` whether its reply was sound throughout, and all
    of it was wanted."""
    if (told := getattr(stream, "settle", None)) is not None:
        told(good)


def recorded_by(stream: SpeechStream) -> str:
    """Return the format of sound that is no reading of the text, where a stream has a member
    ``recorded``; else empty. Such a stream goes on by itself where it broke off, and may have a
    method ``give_up``, for any thread, that ends its waiting."""
    recorded: str = getattr(stream, "recorded", "")
    return recorded


def notes_of(stream: SpeechStream) -> list[str]:
    """Take what a stream with a member ``notes`` has to tell a person since it was last asked."""
    notes: list[str] = getattr(stream, "notes", [])
    told = notes[:]
    del notes[: len(told)]
    return told


class WrappedStream:
    """A reply that passes through something: it tells what the reply in it tells."""

    def __init__(self, stream: SpeechStream) -> None:
        self._stream = stream

    @property
    def content_type(self) -> str:
        return self._stream.content_type

    @property
    def rate_hz(self) -> int | None:
        return self._stream.rate_hz

    @property
    def channels(self) -> int | None:
        return self._stream.channels

    @property
    def sent_at_s(self) -> float:
        return self._stream.sent_at_s

    @property
    def said(self) -> str | None:
        return said_by(self._stream)

    @property
    def words(self) -> Sequence[TimedWord] | None:
        return words_of(self._stream)

    @property
    def ends(self) -> str:
        return ends_of(self._stream)

    @property
    def whole(self) -> bool:
        return is_whole(self._stream)

    def close(self) -> None:
        self._stream.close()


class Endpoint(Protocol):
    """Is asked for speech. ``open`` may be called by several threads at once."""

    @property
    def name(self) -> str:
        """The endpoint as people know it: the URL without anything secret."""

    def open(self, request: SpeechRequest) -> SpeechStream:
        """Ask, and return when the reply begins.

        Raises:
            EndpointError: there will be no reply.
        """

    def abort(self) -> None:
        """End all that waits here, at once. Nothing can be opened after. Any thread."""

    def close(self) -> None:
        """Give back connections and threads."""
