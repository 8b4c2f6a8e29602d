"""Encoded bytes of one segment, waiting: written by a fetch thread, read by the feeder."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator

LIMIT_BYTES = 4 << 20
"""Room of one spool: 87 s of 24 kHz PCM. A full one stops reading from the network."""


class Spool:
    """Holds byte pieces in order, within bounds, with an end and maybe an error there."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._pieces: deque[tuple[float, float, bytes]] = deque()
        self._size_bytes = 0
        self._ended = False
        self._cancelled = False
        self._error: Exception | None = None
        self._read = False
        self._changed = threading.Condition()
        # feeder
        self.at_s = 0.0
        """When the piece handed out last arrived."""
        self.held_s = 0.0
        """Seconds for which the writer waited for room: nothing could arrive then."""

    @property
    def size_bytes(self) -> int:
        """Bytes waiting."""
        return self._size_bytes

    @property
    def ended(self) -> bool:
        return self._ended

    def put(self, piece: bytes) -> bool:
        """Add bytes, waiting while it is full; return False if nobody wants them any more. For the
        fetch thread."""
        at_s = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._cancelled or self._size_bytes < self._limit_bytes)
            if self._cancelled:
                return False
            self._pieces.append((at_s, time.monotonic() - at_s, piece))
            self._size_bytes += len(piece)
            self._changed.notify_all()
            return True

    def take_back(self) -> bool:
        """Forget all bytes unless some were read; return whether that was done. For the fetch
        thread."""
        with self._changed:
            if self._read or self._cancelled:
                return False
            self._pieces.clear()
            self._size_bytes = 0
            return True

    def end(self, error: Exception | None = None) -> None:
        """Add no more; ``error`` says why more should have come. For the fetch thread."""
        with self._changed:
            self._error = error
            self._ended = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Want nothing any more: both sides return at once. Any thread may call it."""
        with self._changed:
            self._cancelled = True
            self._pieces.clear()
            self._size_bytes = 0
            self._changed.notify_all()

    def wait_ended(self) -> None:
        """Wait until all of it is here, or it is cancelled. For the feeder."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._cancelled)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces in order, then raise the error, if there is one. For the feeder."""
        while (piece := self._next()) is not None:
            yield piece
        if self._error is not None and not self._cancelled:
            raise self._error

    def _next(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._ended or self._cancelled)
            if not self._pieces:
                return None
            self._read = True
            self.at_s, self.held_s, piece = self._pieces.popleft()
            self._size_bytes -= len(piece)
            self._changed.notify_all()
            return piece
