"""The sound card, through PortAudio. The only importer of pyaudio."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from voicestream.errors import DeviceError
from voicestream.output.base import Fill
from voicestream.output.devices import HINT, LEAD_IN_S, PERIOD_S, Device, find_device
from voicestream.output.owner import note_use, refuse_after_fork
from voicestream.output.quiet import quiet_sound_libraries
from voicestream.pcm import PcmFormat


class PortAudioDevices:
    """The devices that PortAudio finds, of which a subclass opens one.

    Args:
        device: part of a name, an index, or empty for the system's default.
        period_s: sound that is handed over at once.
    """

    _direction = "output"
    _kind = "audio device"

    def __init__(self, device: str = "", period_s: float = PERIOD_S) -> None:
        self._preparing = threading.Lock()
        self._wanted = device
        self._period_s = period_s
        self._pyaudio: Any = None
        self._portaudio: Any = None
        self._stream: Any = None
        self._pcm = PcmFormat(24000)
        self._index: int | None = None

    @property
    def active(self) -> bool:
        try:
            return bool(self._stream and self._stream.is_active())
        except OSError:
            return False

    def prepare(self) -> None:
        """Initialise PortAudio, which takes 45 ms; may run in a thread of its own.

        Raises:
            DeviceError: it cannot be initialised.
        """
        with self._preparing:
            if self._portaudio is not None:
                return
            refuse_after_fork()
            self._pyaudio = _import_pyaudio()
            quiet_sound_libraries()
            try:
                self._portaudio = self._pyaudio.PyAudio()
            except OSError as error:
                raise DeviceError("PortAudio cannot start", str(error), HINT) from error
            note_use()

    def devices(self) -> list[Device]:
        """Return all devices of this direction there are now.

        Raises:
            DeviceError: PortAudio cannot start.
        """
        self.prepare()
        return list_devices(self._portaudio, self._direction)

    def open(self, wanted: PcmFormat) -> PcmFormat:
        """Open it for 16-bit sound near ``wanted``; return the format it has.

        Raises:
            DeviceError: there is none, or it refuses.
        """
        self._index = find_device(self.devices(), self._wanted)
        errors: list[str] = []
        for candidate in self._candidates(wanted):
            try:
                self._stream = self._open_stream(candidate)
            except (OSError, ValueError) as error:
                errors.append(f"{candidate.rate_hz} Hz, {candidate.channels} ch: {error}")
                continue
            self._pcm = candidate
            return candidate
        name = self._wanted or f"the default {self._kind}"
        raise DeviceError(f"{name} cannot be opened", "; ".join(errors[:2]), HINT)

    def _candidates(self, wanted: PcmFormat) -> list[PcmFormat]:
        """Return what to try: as it is, then at the device's own rate and channels."""
        info = self._portaudio.get_device_info_by_index(self._index)
        rates = [wanted.rate_hz, int(info["defaultSampleRate"]), 48000, 44100]
        most = max(int(info[f"max{self._direction.title()}Channels"]), 1)
        channels = [min(wanted.channels, most), min(2, most)]
        found = [PcmFormat(rate, count) for rate in rates for count in channels]
        return list(dict.fromkeys(found))

    def _open_stream(self, pcm: PcmFormat) -> Any:
        return self._portaudio.open(
            format=self._pyaudio.paInt16,
            channels=pcm.channels,
            rate=pcm.rate_hz,
            **{self._direction: True, f"{self._direction}_device_index": self._index},
            frames_per_buffer=pcm.s_to_frames(self._period_s),
            stream_callback=self._callback,
            start=False,
        )

    def _callback(
        self, given: bytes | None, frames: int, times: Mapping[str, float], _status: int
    ) -> tuple[bytes | None, int]:
        raise NotImplementedError

    def _start_stream(self) -> None:
        try:
            self._stream.start_stream()
        except OSError as error:
            raise DeviceError(f"the {self._kind} does not start", str(error), HINT) from error

    def stop(self, drain: bool) -> None:
        stream, self._stream = self._stream, None
        portaudio, self._portaudio = self._portaudio, None
        try:
            if stream and drain:
                stream.stop_stream()
            if stream:
                stream.close()  # without stop_stream this drops what is waiting
        except OSError:
            pass  # the device went away first
        finally:
            if portaudio:
                portaudio.terminate()


class PortAudioSink(PortAudioDevices):
    """Plays on a PortAudio output device."""

    lead_in_s = LEAD_IN_S

    def __init__(self, device: str = "", period_s: float = PERIOD_S) -> None:
        super().__init__(device, period_s)
        self._fill: Fill | None = None

    @property
    def latency_s(self) -> float:
        return 3 * self._period_s if self._stream else 0.0

    def _callback(
        self, _input: bytes | None, frames: int, times: Mapping[str, float], _status: int
    ) -> tuple[bytes | None, int]:
        delay_s = times["output_buffer_dac_time"] - times["current_time"]
        if not 0.0 <= delay_s < 1.0:  # some host APIs leave these times empty
            delay_s = self.latency_s
        fill = self._fill
        if fill is None:
            return self._pcm.silence(frames), 0
        return fill(frames, time.monotonic() + delay_s), 0  # 0: paContinue

    def start(self, fill: Fill) -> None:
        self._fill = fill
        self._start_stream()


def list_devices(portaudio: Any, direction: str = "output") -> list[Device]:
    """Return all devices of an initialised PortAudio for ``output`` or ``input``."""
    channels = f"max{direction.title()}Channels"
    try:
        default = int(getattr(portaudio, f"get_default_{direction}_device_info")()["index"])
    except OSError:
        default = -1
    devices = []
    for index in range(portaudio.get_device_count()):
        info = portaudio.get_device_info_by_index(index)
        if int(info[channels]) < 1:
            continue
        api = portaudio.get_host_api_info_by_index(int(info["hostApi"]))["name"]
        devices.append(
            Device(
                index=index,
                name=str(info["name"]),
                host_api=str(api),
                channels=int(info[channels]),
                rate_hz=int(info["defaultSampleRate"]),
                is_default=index == default,
            )
        )
    return devices


def _import_pyaudio() -> Any:
    try:
        import pyaudio
    except ImportError as error:
        raise DeviceError(
            "PyAudio cannot be loaded", str(error), "Install PortAudio (libportaudio2)."
        ) from error
    return pyaudio
