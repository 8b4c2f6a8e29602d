"""A reply whose first byte has come: what failed before may still be asked for elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from voicestream.speech.base import SpeechStream, ends_of, said_by


class BegunStream:
    """Wraps a reply whose first byte is here.

    Args:
        on_end: called, once or more, when no more of it comes.

    Raises:
        EndpointError: it came to nothing.
    """

    def __init__(self, stream: SpeechStream, on_end: Callable[[], None]) -> None:
        self._stream = stream
        self._on_end = on_end
        self._pieces = iter(stream)
        try:
            self._first = next((piece for piece in self._pieces if piece), b"")
        except BaseException:
            stream.close()
            raise

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
    def ends(self) -> str:
        return ends_of(self._stream)

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        self._first = b""
        try:
            yield from self._pieces
        finally:
            self._on_end()

    def close(self) -> None:
        self._on_end()
        self._stream.close()
