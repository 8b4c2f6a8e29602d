"""Each of the six formats of a reply as pieces of bytes, as they are made."""

from __future__ import annotations

import io

from voicestream.encode import base
from voicestream.pcm import Frames16, PcmFormat


class PiecesEncoder:
    """16-bit frames of one reply -> bytes of its format. Used by one thread at a time."""

    def __init__(self, form: str, pcm: PcmFormat) -> None:
        self._written = io.BytesIO()
        self._encoder = base.open_encoder(form, pcm, base.Sending(self._written))

    def encode(self, frames: Frames16) -> bytes:
        """Take frames of shape ``(frames, channels)``; return the bytes they complete."""
        self._encoder.write(frames)
        return self._taken()

    def finish(self) -> bytes:
        """Return what is left, as no more frames will come. Called once, last."""
        self._encoder.close()
        return self._taken()

    def _taken(self) -> bytes:
        taken = self._written.getvalue()
        self._written.seek(0)
        self._written.truncate()
        return taken
