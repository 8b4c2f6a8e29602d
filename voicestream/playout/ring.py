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
    """Holds up to ``capacity_frames`` frames of 16 bits, allocated once.

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
        """Frames that can be read, for the reader a lower bound. Any thread."""
        return self.written - self.read

    @property
    def writable_frames(self) -> int:
        """Frames that there is room for, for the writer a lower bound. Any thread."""
        return max(self.capacity_frames - (self.written - self.read), 0)

    def write(self, frames: Frames16) -> int:
        """Take as many leading frames as there is room for; return how many. Writer only."""
        count = min(len(frames), self.writable_frames)
        start = self.written % self._size
        first = min(count, self._size - start)
        self._data[start : start + first] = frames[:first]
        self._data[: count - first] = frames[first:count]
        self.written += count
        return count

    def view(self, most: int) -> tuple[int, Frames16]:
        """Return the next frame to be read, and a copy of up to ``most`` frames from it on. Any
        thread."""
        first = self.read
        count = min(most, self.written - first)
        places = (first + np.arange(max(count, 0))) % self._size
        return first, self._data[places]

    def take(self, most: int) -> Frames16:
        """Return up to ``most`` frames as an array of its own. Reader only."""
        count = min(most, self.readable_frames)
        start = self.read % self._size
        first = min(count, self._size - start)
        taken = np.concatenate((self._data[start : start + first], self._data[: count - first]))
        self.read += count
        self._furthest = max(self._furthest, self.read)
        return taken

    def peek(self, most: int) -> Frames16:
        """Return up to ``most`` frames, which stay in the ring. Reader only."""
        before = self.read
        taken = self.take(most)
        self.read = before
        return taken

    def seek(self, frame: int) -> int:
        """Go on at ``frame``, or as near to it as the ring goes. Reader only.

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
        """Make the last ``frames`` read readable again; return how many. Reader only.

        Never further back than ``history_frames`` before the furthest frame read:
        the writer leaves so many in place.
        """
        oldest = max(self._furthest - self._history_frames, 0)
        count = min(frames, self.read - oldest)
        self.read -= count
        return count
