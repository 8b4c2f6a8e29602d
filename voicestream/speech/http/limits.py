"""How long and how large one reply may be."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from voicestream.errors import IncompleteReplyError, ReplyError
from voicestream.records import dataclass
from voicestream.speech.base import SpeechRequest

_LEAST_BYTES = 32 << 20
_MOST_BYTES = 256 << 20
_BYTES_PER_CHAR = 200_000
"""A second of sound at 48 kHz, two channels of 16 bits, for each character: ten times what the
slowest speech needs."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds how long a request may wait: for a connection, and for each read or write."""

    connect_s: float
    read_s: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds how long a reply may keep us waiting, once its first byte is here.

    Attributes:
        stall_s: silence between two pieces.
        reply_s: all waiting for it together; 0 for no limit. Time in which nobody
            reads, since enough is waiting to be played, does not count.
    """

    stall_s: float = 15.0
    reply_s: float = 600.0


def most_bytes(request: SpeechRequest) -> int:
    """Return a size in bytes that no honest reply to this request passes."""
    wanted = len(request.text) * _BYTES_PER_CHAR / min(request.speed, 1.0)
    return min(_LEAST_BYTES + int(wanted), _MOST_BYTES)


class Watch:
    """Watches one body come in.

    Args:
        allow: tells the connection how long it may wait from now on, in seconds.
    """

    def __init__(
        self,
        limits: Limits,
        max_bytes: int,
        allow: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._limits = limits
        self._max_bytes = max_bytes
        self._allow = allow
        self._hurry_until_s = math.inf

    def __call__(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the same pieces.

        Raises:
            IncompleteReplyError: it takes too long as a whole.
            ReplyError: it is larger than speech can be.
        """
        waited_s, received = 0.0, 0
        while True:
            if received:
                self._be_patient(waited_s)
            began_s = time.monotonic()
            piece = next(pieces, None)
            if piece is None:
                return
            waited_s += time.monotonic() - began_s
            received += len(piece)
            if received > self._max_bytes:
                raise ReplyError(
                    f"the reply has more than {self._max_bytes >> 20} MB, and goes on",
                    "no speech for this text is so large",
                )
            self._check_time(waited_s)
            yield piece

    def hurry(self, wait_s: float) -> None:
        """Bound the waiting for all that still comes to ``wait_s``."""
        self._hurry_until_s = time.monotonic() + wait_s

    def _be_patient(self, waited_s: float) -> None:
        left_s = self._limits.stall_s
        if self._limits.reply_s:
            left_s = min(left_s, self._limits.reply_s - waited_s)
        self._allow(min(left_s, self._hurry_until_s - time.monotonic()))

    def _check_time(self, waited_s: float) -> None:
        if not self._limits.reply_s or waited_s < self._limits.reply_s:
            return
        error = IncompleteReplyError(
            f"the reply took more than {self._limits.reply_s:g} s",
            hint="Raise --reply-timeout if the server is so slow.",
        )
        error.repeatable = False
        raise error
