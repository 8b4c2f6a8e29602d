"""What a decoder is, and which one a reply gets.

To add a format, write one file with a class that has ``format``, ``skipped``,
``feed`` and ``flush``.
"""

from __future__ import annotations

from typing import Protocol

from voicestream.pcm import PcmFormat, Samples


class Decoder(Protocol):
    """Encoded bytes of one segment -> samples, as they arrive.

    However the bytes are cut, the samples joined are the same. Delay and
    padding of the codec are trimmed. A broken frame is skipped and counted.
    Used by one thread.
    """

    @property
    def format(self) -> PcmFormat | None:
        """Rate and channels of the samples; None until the stream has told them.

        Fixed from the first returned sample on.
        """

    @property
    def skipped(self) -> int:
        """Broken frames left out so far."""

    def feed(self, data: bytes) -> Samples:
        """Take the next bytes; return the samples they complete (maybe none).

        Raises:
            DecodeError: nothing of this stream can be decoded.
        """

    def flush(self) -> Samples:
        """The stream has ended: return what is left. Called once, last.

        Raises:
            DecodeError: nothing of this stream could be decoded.
        """
