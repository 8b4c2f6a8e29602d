"""Stdin or a file as a source that is played, and what every source has."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from voicestream.errors import SourceError
from voicestream.session.play_sources import STDIN, Source
from voicestream.waiting import Interrupt, read_chunks

_PIECE_BYTES = 16_384


class Pieces(Protocol):
    """Encoded bytes as they arrive."""

    @property
    def content_type(self) -> str:
        """What their sender calls them; empty where nobody does."""

    @property
    def sent_at_s(self) -> float: ...

    @property
    def notes(self) -> list[str]:
        """What a person should know, until somebody takes it away."""

    def open(self) -> None:
        """Begin.

        Raises:
            EndpointError: it cannot be had.
        """

    def __iter__(self) -> Iterator[bytes]: ...

    def give_up(self) -> None:
        """Let whoever waits for more bytes go on at once. Any thread."""

    def close(self) -> None: ...


class StreamPieces:
    """The bytes of stdin or a file."""

    content_type = ""
    sent_at_s = 0.0

    def __init__(self, source: Source) -> None:
        self._source = source
        self._interrupt = Interrupt()
        self._stream: BinaryIO | None = None
        self.notes: list[str] = []

    def open(self) -> None:
        self._stream = _opened(self._source)

    def __iter__(self) -> Iterator[bytes]:
        if self._stream is None:
            return
        try:
            yield from read_chunks(self._stream, self._interrupt, _PIECE_BYTES)
        except OSError as error:
            told = error.strerror or str(error)
            raise SourceError(f"{self._source.title} cannot be read on", told) from error

    def give_up(self) -> None:
        self._interrupt.set()

    def close(self) -> None:
        self._interrupt.close()
        if self._stream is not None and self._source.place != STDIN:
            self._stream.close()


def _opened(source: Source) -> BinaryIO:
    if source.place == STDIN:
        if sys.stdin is None:
            raise SourceError("stdin is closed")
        return sys.stdin.buffer
    try:
        return Path(source.place).open("rb", buffering=0)
    except OSError as error:
        told = error.strerror or str(error)
        raise SourceError(f"{source.title} cannot be read", told) from error
