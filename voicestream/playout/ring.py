"""A ring buffer of 16-bit frames between one writer and one reader.

Two counters only ever grow: ``written`` belongs to the writer, ``read`` to the
reader. Empty is ``written == read``, full is ``written - read == capacity``.
The data is in place before the counter says so, so under the GIL no lock is
needed: each side sees the other's counter as it was a moment ago, which can
only make the ring look fuller to the writer and emptier to the reader.
"""

from __future__ import annotations

import numpy as np

from voicestream.pcm import Frames16


class Ring:
    """Fixed room for ``capacity_frames`` frames, allocated once.

    Args:
        history_frames: frames that stay after they were read, for ``rewind``.
    """

    def __init__(self, capacity_frames: int, channels: int, history_frames: int = 0) -> None:
        if capacity_frames < 1:
            raise ValueError(f"a ring of {capacity_frames} frames")
        self.capacity_frames = capacity_frames
        self._history_frames = history_frames
        self._size = capacity_frames + history_frames
        self._data: Frames16 = np.zeros((self._size, channels), np.int16)
        # writer
        self.written = 0
        # reader
        self.read = 0
        self._furthest = 0

    @property
    def readable_frames(self) -> int:
        """Any thread; a lower bound for the reader."""
        return self.written - self.read

    @property
    def writable_frames(self) -> int:
        """Any thread; a lower bound for the writer."""
        return max(self.capacity_frames - (self.written - self.read), 0)

    def write(self, frames: Frames16) -> int:
        """Writer only: take as many leading frames as there is room for; return how many."""
        count = min(len(frames), self.writable_frames)
        start = self.written % self._size
        first = min(count, self._size - start)
        self._data[start : start + first] = frames[:first]
        self._data[: count - first] = frames[first:count]
        self.written += count
        return count

    def view(self, most: int) -> tuple[int, Frames16]:
        """Any thread: the next frame to be read, and a copy of up to ``most`` from it on."""
        first = self.read
        count = min(most, self.written - first)
        places = (first + np.arange(max(count, 0))) % self._size
        return first, self._data[places]

    def take(self, most: int) -> Frames16:
        """Reader only: up to ``most`` frames, as an array of its own."""
        count = min(most, self.readable_frames)
        start = self.read % self._size
        first = min(count, self._size - start)
        taken = np.concatenate((self._data[start : start + first], self._data[: count - first]))
        self.read += count
        self._furthest = max(self._furthest, self.read)
        return taken

    def peek(self, most: int) -> Frames16:
        """Reader only: up to ``most`` frames, which stay in the ring."""
        before = self.read
        taken = self.take(most)
        self.read = before
        return taken

    def seek(self, frame: int) -> int:
        """Reader only: go on at ``frame``, or as near to it as the ring goes.

        Returns:
            How many frames further on that is; negative where it is further back.
        """
        if frame < self.read:
            return -self.rewind(self.read - frame)
        count = min(frame, self.written) - self.read
        self.read += count
        self._furthest = max(self._furthest, self.read)
        return count

    def rewind(self, frames: int) -> int:
        """Reader only: make the last frames read readable again; return how many.

        Never further back than ``history_frames`` before the furthest frame read:
        the writer leaves so many in place.
        """
        oldest = max(self._furthest - self._history_frames, 0)
        count = min(frames, self.read - oldest)
        self.read -= count
        return count
