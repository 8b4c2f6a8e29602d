"""The volume while it plays."""

from __future__ import annotations

import numpy as np

from voicestream.pcm import Frames16, from_int16, to_int16


class Volume:
    """Multiplies samples. A new factor is reached evenly within one call: a jump would click."""

    def __init__(self) -> None:
        self._reached = 1.0

    def turn(self, out: Frames16, factor: float) -> None:
        """Multiply all of ``out``, in place."""
        if self._reached == factor == 1.0:
            return
        gain = np.linspace(self._reached, factor, len(out), dtype=np.float32)[:, None]
        self._reached = factor
        out[:] = to_int16(from_int16(out) * gain)
