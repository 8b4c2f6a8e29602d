"""An endpoint whose replies are kept on this disk, and played from there the next time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from voicestream.cache import About, Cache, digest
from voicestream.errors import ConnectionFailedError
from voicestream.records import dataclass
from voicestream.speech.base import Endpoint, SpeechRequest, SpeechStream, WrappedStream, is_whole

_PIECE_BYTES = 1 << 14


@dataclass(frozen=True, slots=True)
class Keeping:
    """Which replies are kept, and under which names.

    Attributes:
        identity: all that shapes the sound and stands in no request: the endpoint's address,
            the fields it is sent with each text.
        short_chars: only texts of at most so many characters, from the second time on; None: all.
        may_keep: whether what is said now may be kept: it is the first endpoint that speaks.
        is_faithful: whether a text and what was said in place of it are the same.
    """

    identity: tuple[object, ...]
    short_chars: int | None
    may_keep: Callable[[], bool]
    is_faithful: Callable[[str, str], bool]

    def concerns(self, request: SpeechRequest) -> bool:
        """Return whether a reply to this may be kept, or be here already."""
        short = self.short_chars is None or len(request.text) <= self.short_chars
        return short and not request.elsewhere

    def key(self, request: SpeechRequest) -> str:
        """Return the name of the reply to ``request``."""
        return digest(
            *(self.identity, request.text, request.model, request.voice, request.format),
            *(request.speed, request.instructions, request.stream_format, request.language),
        )


class CachedEndpoint:
    """Asks another endpoint only for what is not kept.

    Args:
        make: the endpoint that is asked; called when it is first needed.
        name: what it is called before it is made.
        has_others: see ``ResilientEndpoint``.
    """

    def __init__(
        self,
        make: Callable[[], Endpoint],
        name: str,
        cache: Cache,
        keeping: Keeping,
        has_others: bool = False,
    ) -> None:
        self._make = make
        self._name = name
        self._cache = cache
        self._keeping = keeping
        self.has_others = has_others
        self._lock = threading.Lock()
        # under the lock
        self._made: Endpoint | None = None
        self._aborted = False

    @property
    def name(self) -> str:
        made = self._made
        return self._name if made is None else made.name

    def asked(self) -> Endpoint:
        """Return the endpoint that is asked for what is not kept; it is made if need be.

        Raises:
            ConnectionFailedError: all is over.
        """
        with self._lock:
            if self._aborted:
                raise ConnectionFailedError("given up")
            if self._made is None:
                self._made = self._make()
            return self._made

    def open(self, request: SpeechRequest) -> SpeechStream:
        """Return a kept reply, or ask for one; see ``Endpoint.open``."""
        if not self._keeping.concerns(request):
            return self.asked().open(request)
        key = self._keeping.key(request)
        if (found := self._cache.find(key)) is not None:
            return KeptStream(*found, drop=partial(self._cache.drop, key))
        stream = self.asked().open(request)
        return PassingStream(stream, request, self.name, self._cache, self._keeping)

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            made = self._made
        if made is not None:
            made.abort()

    def close(self) -> None:
        with self._lock:
            self._aborted = True
            made = self._made
        if made is not None:
            made.close()


class KeptStream:
    """A reply from this disk.

    Args:
        drop: forgets it.
    """

    cached = True
    sent_at_s = 0.0

    def __init__(self, about: About, sound: bytes, drop: Callable[[], None]) -> None:
        self.content_type = about.content_type
        self.rate_hz = about.rate_hz
        self.channels = about.channels
        self._sound = sound
        self._drop = drop

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._sound), _PIECE_BYTES):
            yield self._sound[start : start + _PIECE_BYTES]

    def settle(self, good: bool) -> None:
        """Say whether it was sound throughout: if not, it is asked for anew the next time."""
        if not good:
            self._drop()

    def close(self) -> None:
        """Do nothing: no connection is held."""


class PassingStream(WrappedStream):
    """A reply that is kept once it is whole, and has proved to be sound."""

    def __init__(
        self,
        stream: SpeechStream,
        request: SpeechRequest,
        endpoint: str,
        cache: Cache,
        keeping: Keeping,
    ) -> None:
        super().__init__(stream)
        self._request = request
        self._endpoint = endpoint
        self._cache = cache
        self._keeping = keeping
        self._key = keeping.key(request)
        self._part: Path | None = None

    def __iter__(self) -> Iterator[bytes]:
        gathered: list[bytes] | None = []
        size = 0
        for piece in self._stream:
            size += len(piece)
            if size > self._cache.most_reply_bytes:
                gathered = None
            if gathered is not None:
                gathered.append(piece)
            yield piece
        if gathered and self._is_wanted():
            request = self._request
            about = About(
                *(request.text, self._endpoint, request.model, request.voice, request.format),
                *(self.content_type, self.rate_hz, self.channels),
            )
            self._part = self._cache.begin(self._key, about, b"".join(gathered))

    def _is_wanted(self) -> bool:
        keeping, said = self._keeping, self.said
        if not (keeping.may_keep() and is_whole(self._stream)):
            return False
        if said is not None and not keeping.is_faithful(self._request.text, said):
            return False
        return keeping.short_chars is None or self._cache.was_seen(self._key)

    def settle(self, good: bool) -> None:
        """Say whether it was sound throughout, and all of it was wanted; only then it is kept."""
        part, self._part = self._part, None
        if part is None:
            return
        if good:
            self._cache.keep(self._key, part)
        else:
            part.unlink(missing_ok=True)
