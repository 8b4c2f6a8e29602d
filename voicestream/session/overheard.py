"""What of the microphone is handed on: from when somebody is sure to speak to their turn's end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from voicestream.listen.convert import RATE_HZ, to_mono
from voicestream.pcm import Frames16, PcmFormat

_BEFORE_FRAMES = 8 * RATE_HZ // 10
"""What was heard just before, the first syllable in it."""
_LONGEST_FRAMES = 10 * RATE_HZ
"""Who decides where a turn ends may wait 8 s for more."""


class Overheard:
    """Hands on what is heard while it is somebody's turn: to our ears, or to those of the server,
    which may hear its end later. Used by the thread that hears, but for ``theirs``.

    Args:
        send: gets it, 16 bits.
        rate_hz: of what it gets.
    """

    def __init__(self, send: Callable[[bytes], object], rate_hz: int) -> None:
        self._send = send
        self._rate_hz = rate_hz
        self._before: deque[Frames16] = deque()
        self._before_frames = 0
        self._ours = False
        self.theirs = False
        """To the server somebody speaks. Any thread."""
        self._late_frames = 0
        self._convert = to_mono(PcmFormat(RATE_HZ), rate_hz)

    def begin(self) -> None:
        """It is somebody's turn, to our ears."""
        self._ours = True
        self._convert = to_mono(PcmFormat(RATE_HZ), self._rate_hz)
        for piece in self._before:
            self._send(self._convert(piece.tobytes()))
        self._before.clear()
        self._before_frames = 0

    def end(self) -> None:
        """It is over, to our ears."""
        self._ours = False
        self._late_frames = 0

    def hear(self, sound: Frames16) -> bool:
        """Take what is heard next; return whether the server has to be told that the turn is over:
        it hears no end.

        Args:
            sound: 16 kHz, shape ``(frames,)``.
        """
        if not (self._ours or self.theirs):
            self._before.append(sound)
            self._before_frames += len(sound)
            while self._before_frames - len(self._before[0]) >= _BEFORE_FRAMES:
                self._before_frames -= len(self._before.popleft())
            return False
        self._send(self._convert(sound.tobytes()))
        if self._ours:
            return False
        self._late_frames += len(sound)
        if self._late_frames < _LONGEST_FRAMES:
            return False
        self.theirs = False
        return True
