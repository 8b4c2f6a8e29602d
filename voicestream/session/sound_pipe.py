"""The joined sound on its way to a program that reads it instead of playing it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from voicestream.pcm import Frames16, PcmFormat


class SoundPipe:
    """A bounded queue of 16-bit PCM, little-endian; a full one keeps the feeder waiting, and with
    it all that comes before.

    Args:
        room_s: seconds of sound that may wait to be read.
    """

    def __init__(self, room_s: float) -> None:
        self._room_s = room_s
        self._room_bytes = 0
        self._pieces: deque[bytes] = deque()
        self._size_bytes = 0
        self._ended = False
        self._cancelled = False
        self._changed = threading.Condition()
        self.format: PcmFormat | None = None
        """What comes; None until its first samples are here."""
        self.on_change: Callable[[], None] = lambda: None
        """Called from any thread when there is more to know; must not wait."""

    # what a Recipient has: the feeder

    def prepare(self) -> None:
        return

    def open(self, pcm: PcmFormat, text: str = "") -> None:  # noqa: ARG002
        self._room_bytes = pcm.frames_to_bytes(pcm.s_to_frames(self._room_s))
        self.format = pcm
        self._tell()

    def write(self, frames: Frames16) -> None:
        data = frames.astype("<i2", copy=False).tobytes()
        with self._changed:
            self._changed.wait_for(lambda: self._cancelled or self._size_bytes < self._room_bytes)
            if self._cancelled:
                return
            self._pieces.append(data)
            self._size_bytes += len(data)
        self._tell()

    def close(self, complete: bool = False) -> None:  # noqa: ARG002
        return  # what went wrong, if anything, is known a little later: see ``end``

    # any thread

    def end(self) -> None:
        """Note that all has been written that will be, and that it is known how it ended."""
        self._ended = True
        self._tell()

    def cancel(self) -> None:
        """Forget everything; whoever waits here returns."""
        with self._changed:
            self._cancelled = True
            self._pieces.clear()
            self._size_bytes = 0
        self._tell()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
        self.on_change()

    # whoever reads

    @property
    def over(self) -> bool:
        """Whether no more pieces will be read."""
        return self._cancelled or (self._ended and not self._pieces)

    def poll(self) -> bytes | None:
        """Return the next piece if it is here."""
        with self._changed:
            if not self._pieces:
                return None
            piece = self._pieces.popleft()
            self._size_bytes -= len(piece)
            self._changed.notify_all()
            return piece

    def wait(self, ready: Callable[[], object], timeout_s: float) -> None:
        """Wait until ``ready`` says so, it is over, or the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: ready() or self.over, timeout_s)

    @property
    def waiting(self) -> bool:
        """Whether a piece is here."""
        return bool(self._pieces)
