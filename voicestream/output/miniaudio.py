"""The sound card, through miniaudio: wheels everywhere, no compiler, opens in 5 ms.

Only the binding ``_miniaudio`` is used (a cffi module, the C interface of miniaudio.h as it
is): the Python part of the package loads numpy and urllib.request, 80 ms. The only importer
of it.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from voicestream.errors import DeviceError
from voicestream.output.base import Fill
from voicestream.output.devices import (
    HINT,
    LEAD_IN_S,
    PERIOD_S,
    SERVER_LEAD_IN_S,
    SERVER_PERIOD_S,
    Device,
    find_device,
)
from voicestream.output.owner import note_use, refuse_after_fork
from voicestream.output.quiet import quiet_sound_libraries
from voicestream.pcm import PcmFormat

_PERIODS = 3
_SERVER_PERIODS = 2.5
"""Of a sound server: one is with it, one is handed over at once, and its card has half a one."""
_NAME = b"voicestream"
_CONVERTERS = frozenset(b"null lavrate samplerate speexrate speex upmix vdownmix oss".split())
"""What ALSA lists beside the sound cards: parts to build devices of."""
_SERVERS = frozenset(b"jack pulse pipewire".split())
"""Sound servers, listed whether they run or not."""


class MiniaudioDevices:
    """The devices that miniaudio finds, of which a subclass opens one: PulseAudio, ALSA, Core
    Audio, WASAPI and others.

    Args:
        device: part of a name, an index, or empty for the system's default.
        period_s: sound that is handed over at once; ``_PERIODS`` of these wait in the device.
    """

    _captures = False
    _kind = "audio device"

    def __init__(self, device: str = "", period_s: float = PERIOD_S) -> None:
        self._preparing = threading.Lock()
        self._wanted = device
        self._period_s = period_s
        self._binding: Any = None
        self._context: Any = None
        self._device: Any = None
        self._kept: list[Any] = []  # what C points to

    @property
    def active(self) -> bool:
        device = self._device
        return device is not None and bool(self._binding.lib.ma_device_is_started(device))

    def prepare(self) -> None:
        """Connect to the sound system; may run in a thread of its own.

        Raises:
            DeviceError: there is none.
        """
        with self._preparing:
            if self._context is not None:
                return
            refuse_after_fork()
            self._binding = _import_binding()
            ffi, lib = self._binding.ffi, self._binding.lib
            config = lib.ma_context_config_init()
            config.threadPriority = lib.ma_thread_priority_highest
            name = ffi.new("char[]", _NAME)
            config.pulse.pApplicationName = config.jack.pClientName = name
            context = ffi.new("ma_context *")
            told = lib.ma_context_init(ffi.NULL, 0, ffi.addressof(config), context)
            if told != lib.MA_SUCCESS:
                raise DeviceError("no sound system is there", _reason(lib, told), HINT)
            note_use()
            self._kept.append(name)
            self._context = context
            if context.backend != lib.ma_backend_pulseaudio:  # it loaded ALSA or JACK
                quiet_sound_libraries()
            if context.backend == lib.ma_backend_null:
                self._end_context()
                raise DeviceError("no audio device found", hint=HINT)

    def devices(self) -> list[Device]:
        """Return all devices of this direction there are now.

        Raises:
            DeviceError: there is no sound system.
        """
        self.prepare()
        return [device for device, _ in self._listed()]

    def _listed(self) -> list[tuple[Device, Any]]:
        """Return the devices, each with miniaudio's name for it."""
        ffi, lib = self._binding.ffi, self._binding.lib
        infos, count = ffi.new("ma_device_info **"), ffi.new("unsigned int *")
        none = ffi.NULL, ffi.NULL
        asked = (*none, infos, count) if self._captures else (infos, count, *none)
        told = lib.ma_context_get_devices(self._context, *asked)
        if told != lib.MA_SUCCESS:
            raise DeviceError("the audio devices cannot be listed", _reason(lib, told))
        backend = ffi.string(lib.ma_get_backend_name(self._context.backend)).decode()
        found: list[tuple[Device, Any]] = []
        for index in range(count[0]):
            info = infos[0][index]
            # the list is gone with the next question
            kept = ffi.new("ma_device_id *", info.id)
            lib.ma_context_get_device_info(self._context, self._type, kept, ffi.addressof(info))
            native = info.nativeDataFormats[0]
            # a name in ALSA stands at the beginning of the id
            known = ffi.string(ffi.cast("char *", kept), 255) if backend == "ALSA" else b""
            if known in _CONVERTERS or (known in _SERVERS and not native.sampleRate):
                continue
            device = Device(
                index=len(found),
                name=ffi.string(info.name).decode("utf-8", "replace"),
                host_api=backend,
                channels=int(native.channels),
                rate_hz=int(native.sampleRate),
                is_default=bool(info.isDefault),
            )
            found.append((device, kept))
        return found

    @property
    def _type(self) -> Any:
        lib = self._binding.lib
        return lib.ma_device_type_capture if self._captures else lib.ma_device_type_playback

    def _open_device(self, pcm: PcmFormat, stream_name: bytes) -> None:
        """Open the device that is wanted for 16-bit sound of ``pcm``, instead of one that was
        opened before; miniaudio converts.

        Raises:
            DeviceError: there is none, or it refuses.
        """
        self.prepare()
        ffi, lib = self._binding.ffi, self._binding.lib
        if self._device is not None:
            lib.ma_device_uninit(self._device)
            self._device = None
        config = lib.ma_device_config_init(self._type)
        config.sampleRate = pcm.rate_hz
        side = config.capture if self._captures else config.playback
        side.channels = pcm.channels
        side.format = lib.ma_format_s16
        config.periodSizeInFrames = pcm.s_to_frames(self._period_s)
        config.periods = _PERIODS
        handle, name = ffi.new_handle(self), ffi.new("char[]", stream_name)
        config.pUserData = handle
        config.pulse.pStreamNamePlayback = config.pulse.pStreamNameCapture = name
        config.dataCallback = lib._internal_data_callback
        config.stopCallback = lib._internal_stop_callback
        self._kept += [handle, name]
        if self._wanted:
            listed = self._listed()
            chosen = find_device([device for device, _ in listed], self._wanted)
            side.pDeviceID = listed[chosen][1]
            self._kept.append(listed[chosen][1])
        device = ffi.new("ma_device *")
        told = lib.ma_device_init(self._context, ffi.addressof(config), device)
        if told != lib.MA_SUCCESS:
            which = f"the {self._kind} {self._wanted!r}" if self._wanted else f"no {self._kind}"
            can = "cannot" if self._wanted else "can"
            raise DeviceError(f"{which} {can} be opened", _reason(lib, told), HINT)
        self._device = device

    def _start_device(self) -> None:
        told = self._binding.lib.ma_device_start(self._device)
        if told != self._binding.lib.MA_SUCCESS:
            reason = _reason(self._binding.lib, told)
            raise DeviceError(f"the {self._kind} does not start", reason, HINT)

    def _data_callback(self, device: Any, output: Any, given: Any, frames: int) -> None:
        """The audio callback. Its name is what the package's own callback looks for, too."""
        raise NotImplementedError

    def _stop_callback(self, _device: Any) -> None:
        """Called when the device ends; ``active`` tells the same."""

    def stop(self, drain: bool) -> None:
        device, self._device = self._device, None
        if device is not None:
            if drain:
                self._binding.lib.ma_device_stop(device)
            self._binding.lib.ma_device_uninit(device)
        self._end_context()

    def _end_context(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            self._binding.lib.ma_context_uninit(context)


class MiniaudioSink(MiniaudioDevices):
    """Plays on a device."""

    opens_again = True
    """It may be opened more than once before it starts, the last time counts."""

    def __init__(self, device: str = "", period_s: float = PERIOD_S) -> None:
        super().__init__(device, period_s)
        self._pcm = PcmFormat(24000)
        # audio callback, from start on
        self._fill: Fill | None = None
        self._heard_until_s = 0.0

    @property
    def latency_s(self) -> float:
        if self._device is None:
            return 0.0
        return self._period_s * (_SERVER_PERIODS if self._on_server else _PERIODS)

    @property
    def lead_in_s(self) -> float:
        return SERVER_LEAD_IN_S if self._on_server else LEAD_IN_S

    @property
    def _on_server(self) -> bool:
        """Whether PulseAudio or PipeWire plays it. After ``prepare``."""
        context = self._context
        return context is not None and context.backend == self._binding.lib.ma_backend_pulseaudio

    @property
    def server_name(self) -> str:
        """What PulseAudio or PipeWire call the sink that will be opened, or the part of that
        which was asked for; empty for other sound systems. After ``prepare``."""
        if not self._on_server:
            return ""
        if self._wanted:
            return self._wanted
        ffi, lib = self._binding.ffi, self._binding.lib
        info = ffi.new("ma_device_info *")
        told = lib.ma_context_get_device_info(self._context, self._type, ffi.NULL, info)
        if told != lib.MA_SUCCESS:
            return ""
        name: bytes = ffi.string(ffi.cast("char *", ffi.addressof(info, "id")), 255)
        return name.decode(errors="replace")

    def open(self, wanted: PcmFormat) -> PcmFormat:
        self.prepare()
        if self._on_server:
            self._period_s = SERVER_PERIOD_S
        self._open_device(wanted, b"speech")
        self._pcm = wanted.with_encoding("s16")
        return self._pcm

    def start(self, fill: Fill) -> None:
        self._fill = fill
        self._heard_until_s = 0.0
        self._start_device()

    def _data_callback(self, _device: Any, output: Any, _input: Any, frames: int) -> None:
        fill = self._fill
        if fill is not None:
            # this interface does not tell when the sound will be heard: right after what was
            # asked for before, and at once where that has been played by now
            heard_s = max(time.monotonic(), self._heard_until_s)
            self._heard_until_s = heard_s + self._pcm.frames_to_s(frames)
            sound = fill(frames, heard_s)
            self._binding.ffi.memmove(output, sound, len(sound))


def _reason(lib: Any, told: int) -> str:
    """Return what a result of miniaudio is called, such as ``no backend``."""
    names = [name for name in dir(lib) if name.startswith("MA_") and getattr(lib, name) == told]
    return names[0].removeprefix("MA_").replace("_", " ").lower() if names else f"code {told}"


def _import_binding() -> Any:
    try:
        import _miniaudio
    except ImportError as error:
        raise DeviceError(
            "miniaudio cannot be loaded", str(error), "Install it: pip install miniaudio."
        ) from error
    ffi = _miniaudio.ffi

    def data_callback(device: Any, output: Any, given: Any, frames: int) -> None:
        if device.pUserData:
            ffi.from_handle(device.pUserData)._data_callback(device, output, given, frames)

    def stop_callback(device: Any) -> None:
        if device.pUserData:
            ffi.from_handle(device.pUserData)._stop_callback(device)

    # what C calls; the package's own Python part defines the same
    ffi.def_extern(name="_internal_data_callback")(data_callback)
    ffi.def_extern(name="_internal_stop_callback")(stop_callback)
    return _miniaudio
