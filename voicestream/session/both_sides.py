"""A conversation as one sound: the person on the left, the voice on the right, by turns."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from voicestream.errors import SaveError
from voicestream.listen.convert import RATE_HZ, to_mono
from voicestream.output.base import Recipient
from voicestream.pcm import Frames16, PcmFormat

_PCM = PcmFormat(24_000, 2)


class BothSides:
    """Hands on what both sides said, in the order in which it was known. Any thread.

    Args:
        saver: who keeps it.
        notify: told where it cannot be kept.
    """

    def __init__(self, saver: Recipient, notify: Callable[[str], object]) -> None:
        self._saver: Recipient | None = saver
        self._notify = notify
        self._lock = threading.Lock()
        # under the lock
        self._opened = False
        self._convert_person = to_mono(PcmFormat(RATE_HZ), _PCM.rate_hz)
        self._voice_pcm = PcmFormat(_PCM.rate_hz)
        self._convert_voice = to_mono(self._voice_pcm, _PCM.rate_hz)

    def person(self, sound: Frames16) -> None:
        """The person has said this, 16 kHz."""
        with self._lock:
            self._write(self._convert_person(sound.tobytes()), 0)

    def voice(self, pcm: PcmFormat, sound: bytes) -> None:
        """The loudspeaker gets this, of the format ``pcm``."""
        with self._lock:
            if pcm != self._voice_pcm:
                self._voice_pcm, self._convert_voice = pcm, to_mono(pcm, _PCM.rate_hz)
            self._write(self._convert_voice(sound), 1)

    def _write(self, mono: bytes, side: int) -> None:
        if self._saver is None or not mono:
            return
        samples = np.frombuffer(mono, np.int16)
        frames = np.zeros((len(samples), 2), np.int16)
        frames[:, side] = samples
        try:
            if not self._opened:
                self._opened = True
                self._saver.prepare()
                self._saver.open(_PCM)
            self._saver.write(frames)
        except SaveError as error:
            self._saver = None
            self._notify(f"the conversation is not kept any more: {error}")

    def close(self) -> None:
        """Finish it."""
        with self._lock:
            saver, self._saver = self._saver, None
        try:
            if saver is not None:
                saver.close(complete=True)
        except SaveError as error:
            self._notify(str(error))
