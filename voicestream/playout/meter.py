"""What is noted of the sound that a player hands to the sink."""

from __future__ import annotations

import numpy as np

from voicestream.counters import PlayFigures, Timeline
from voicestream.pcm import Frames16, PcmFormat

AUDIBLE = 32
"""16-bit samples below this (-60 dB) count as silence."""


class Meter:
    """Notes when sound is heard, and how much waits. Called by the audio callback."""

    def __init__(self, pcm: PcmFormat, timeline: Timeline, figures: PlayFigures) -> None:
        self._pcm = pcm
        self._timeline = timeline
        self._figures = figures
        self.heard_until_s = 0.0
        """When the last sample handed to the sink so far leaves the DAC."""

    def sound(self, sound: Frames16, dac_time_s: float) -> None:
        """Note sound that is handed over, and when its first frame leaves the DAC."""
        if len(sound):
            self.heard_until_s = dac_time_s + self._pcm.frames_to_s(len(sound))
        if self._timeline.first_sound is None:
            audible = np.flatnonzero(np.abs(sound[:, 0].astype(np.int32)) >= AUDIBLE)
            if len(audible):
                first_s = dac_time_s + self._pcm.frames_to_s(int(audible[0]))
                self._timeline.mark("first_sound", first_s)

    def fill(self, waiting_frames: int) -> None:
        """Note how much waits to be heard, in the ring and in the sink."""
        fill_ms = self._pcm.frames_to_ms(waiting_frames)
        self._figures.fill_ms = fill_ms
        self._figures.fill.see(fill_ms)
