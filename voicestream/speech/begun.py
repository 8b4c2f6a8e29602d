"""A reply whose first byte has come: what failed before may still be asked for elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from voicestream.speech.base import SpeechStream, WrappedStream


class BegunStream(WrappedStream):
    """A reply whose first byte is here.

    Args:
        on_end: called, once or more, when no more of it comes.

    Raises:
        EndpointError: it came to nothing.
    """

    def __init__(self, stream: SpeechStream, on_end: Callable[[], None]) -> None:
        super().__init__(stream)
        self._on_end = on_end
        self._pieces = iter(stream)
        try:
            self._first = next((piece for piece in self._pieces if piece), b"")
        except BaseException:
            stream.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        self._first = b""
        try:
            yield from self._pieces
        finally:
            self._on_end()

    def close(self) -> None:
        self._on_end()
        super().close()
