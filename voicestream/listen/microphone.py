"""The microphone, at 16 kHz, mono, 10 ms at a time, through what opens the sound card too."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from voicestream.errors import DeviceError
from voicestream.listen.convert import FRAME_BYTES, RATE_HZ, to_mono
from voicestream.output.lasting import close_in_time
from voicestream.output.miniaudio import MiniaudioDevices
from voicestream.output.portaudio import PortAudioDevices
from voicestream.output.sound_server import ServerWatch
from voicestream.pcm import PcmFormat

_PERIOD_S = 0.01
_LOOK_S = 0.5
"""A microphone that says nothing for so long is asked whether it is there."""
_PCM = PcmFormat(RATE_HZ)


class MiniaudioMicrophone(MiniaudioDevices):
    """A microphone that miniaudio finds; it converts from whatever the device gives."""

    _captures = True
    _kind = "microphone"

    def __init__(self, device: str, heard: Callable[[bytes], object]) -> None:
        super().__init__(device, _PERIOD_S)
        self._heard = heard

    def start(self) -> None:
        """Open it, and hear.

        Raises:
            DeviceError: there is none, or it refuses.
        """
        self._open_device(_PCM, b"listening")
        self._start_device()

    def _data_callback(self, _device: Any, _output: Any, given: Any, frames: int) -> None:
        self._heard(bytes(self._binding.ffi.buffer(given, _PCM.frame_bytes * frames)))


class PortAudioMicrophone(PortAudioDevices):
    """A microphone that PortAudio finds, at whatever rate it has."""

    _direction = "input"
    _kind = "microphone"

    def __init__(self, device: str, heard: Callable[[bytes], object]) -> None:
        super().__init__(device, _PERIOD_S)
        self._heard = heard
        self._convert = to_mono(_PCM)

    def start(self) -> None:
        """Open it, and hear.

        Raises:
            DeviceError: there is none, or it refuses.
        """
        self._convert = to_mono(self.open(_PCM))
        self._start_stream()

    def _callback(
        self, given: bytes | None, _frames: int, _times: Mapping[str, float], _status: int
    ) -> tuple[bytes | None, int]:
        self._heard(self._convert(given or b""))
        return None, 0  # 0: paContinue


class Microphone:
    """Gives 10 ms after 10 ms, for as long as it is there. Used by one thread.

    Args:
        backend: ``miniaudio`` or ``pyaudio``.
        device: part of a name, an index, or empty for the system's default.
    """

    def __init__(self, backend: str, device: str) -> None:
        kind = MiniaudioMicrophone if backend == "miniaudio" else PortAudioMicrophone
        self._pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._device = kind(device, self._pieces.put)

    def frames(self) -> Iterator[bytes]:
        """Open it; yield ``FRAME_BYTES`` after ``FRAME_BYTES``, until it is gone.

        Raises:
            DeviceError: there is none, it refuses, or it went away.
        """
        waiting = b""
        try:
            self._device.start()
            server = ServerWatch()
            while True:
                try:
                    waiting += self._pieces.get(timeout=_LOOK_S)
                except queue.Empty:
                    if not (self._device.active and server.there):
                        raise DeviceError("the microphone went away") from None
                while len(waiting) >= FRAME_BYTES:
                    yield waiting[:FRAME_BYTES]
                    waiting = waiting[FRAME_BYTES:]
        finally:
            close_in_time(self._device, drain=False)
