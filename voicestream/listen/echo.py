"""Our own voice out of the microphone: WebRTC's AEC3, as livekit ships it. The only importer of
livekit."""

from __future__ import annotations

import threading

import numpy as np

from voicestream.listen.convert import FRAME, FRAME_BYTES, RATE_HZ, to_mono
from voicestream.pcm import Frames16, PcmFormat

_GAP_S, _LONGEST_S = 0.01, 2.0
_GONE = 20
"""After this many frames of the microphone without any of the loudspeaker, nothing is played."""


class Reference:
    """Carries what the loudspeaker was given to the canceller. One thread feeds it, another
    takes."""

    def __init__(self) -> None:
        self._pcm = PcmFormat(RATE_HZ)
        self._convert = to_mono(self._pcm)
        self._until_s: float | None = None
        self._since_s = 0.0
        self._late_s = 0.0  # in all; the times of a sound card waver
        self.gaps = 0
        """How often the loudspeaker was silent because the sound came too late."""
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._without = _GONE  # frames of the microphone in a row

    def begin(self) -> None:
        """Let another reply begin: the silence before it is no hole."""
        self._until_s, self._late_s = None, 0.0

    def listen(self, now_s: float) -> None:
        """Let another microphone begin: what left the loudspeaker before is no cause of what it
        hears, and counted with it, an echo would come before its cause."""
        with self._lock:
            self._since_s = now_s
            self._waiting = self._due(self._waiting)

    def _due(self, converted: bytes | bytearray) -> bytearray:
        """Return what of the last sound leaves the loudspeaker after the microphone began."""
        due_s = max((self._until_s or 0.0) - self._since_s, 0.0)
        due_bytes = min(2 * round(due_s * RATE_HZ), len(converted))
        return bytearray(converted[len(converted) - due_bytes :])

    def feed(self, at_s: float, sound: bytes, pcm: PcmFormat) -> None:
        """Take whole frames, and the silence before them where they come too late.

        Args:
            at_s: when they leave the loudspeaker.
            sound: 16 bits a sample.
            pcm: its format; another one is another reply's.
        """
        if pcm != self._pcm:
            self._pcm, self._convert = pcm, to_mono(pcm)
        if self._until_s is not None:
            self._late_s += at_s - self._until_s
        self._until_s = at_s + len(sound) / self._pcm.bytes_per_s
        if self._late_s > _GAP_S:
            silent_s, self._late_s = min(self._late_s, _LONGEST_S), 0.0
            self.gaps += 1
            sound = self._pcm.silence(self._pcm.s_to_frames(silent_s)) + sound
        converted = self._convert(sound)
        with self._lock:
            self._waiting += converted if at_s >= self._since_s else self._due(converted)

    def take(self) -> list[bytes]:
        """Return the frames that came before the next one of the microphone.

        The canceller counts both, so what comes in bursts does it no harm, but silence put in for
        what is merely late would make an echo come before its cause.
        """
        with self._lock:
            taken = bytes(self._waiting[: len(self._waiting) // FRAME_BYTES * FRAME_BYTES])
            del self._waiting[: len(taken)]
        self._without = 0 if taken else self._without + 1
        if self._without > _GONE:
            return [bytes(FRAME_BYTES)]
        return [taken[start : start + FRAME_BYTES] for start in range(0, len(taken), FRAME_BYTES)]


class EchoCanceller:
    """Takes what the loudspeaker says out of what the microphone hears. Used by one thread."""

    def __init__(self) -> None:
        from livekit.rtc.apm import AudioProcessingModule
        from livekit.rtc.audio_frame import AudioFrame

        self._frame = AudioFrame
        self._module = AudioProcessingModule(
            echo_cancellation=True, noise_suppression=True, high_pass_filter=True
        )

    def cancel(self, heard: bytes, sent: list[bytes]) -> Frames16:
        """Return 10 ms of the microphone without the echo.

        Args:
            heard: ``FRAME`` 16-bit samples.
            sent: such frames of the loudspeaker, in the order in which they were sent.
        """
        for frame in sent:
            self._module.process_reverse_stream(self._frame(frame, RATE_HZ, 1, FRAME))
        processed = self._frame(heard, RATE_HZ, 1, FRAME)
        self._module.process_stream(processed)
        return np.array(processed.data, np.int16)
