"""Output devices as every sound system lists them, and what sinks of real devices share."""

from __future__ import annotations

from voicestream.errors import DeviceError
from voicestream.pcm import PcmFormat
from voicestream.records import dataclass

PERIOD_S = 0.016
"""Sound the card asks for at once. About three of these wait in the device: long enough
for a busy machine, short enough that a fade is heard within 60 ms of an interrupt."""
SERVER_PERIOD_S = 0.024
"""The same for a sound server. It asks for every quarter of it as it is played, and waking this
process costs more than what is done then."""
LEAD_IN_S = 0.02
"""A stream that starts with sound loses the first 4 to 20 ms of it."""
SERVER_LEAD_IN_S = 0.004
"""A sound server has its card running, and plays what it is given first from its first sample on:
no more silence than a fade takes."""
EXPECTED = PcmFormat(24_000)
"""What nearly all speech is: for this a card is opened before there is any."""
HINT = "`voicestream devices` lists them; -o FILE makes a sound file, --device null drops it."


@dataclass(frozen=True, slots=True)
class Device:
    """One output device as its sound system knows it."""

    index: int
    name: str
    host_api: str
    channels: int
    rate_hz: int
    is_default: bool


def find_device(devices: list[Device], wanted: str) -> int:
    """Return the index of the device that ``wanted`` names.

    Raises:
        DeviceError: there is none.
    """
    if not devices:
        raise DeviceError("no audio device found", hint=HINT)
    if not wanted:
        chosen = next((d for d in devices if d.is_default), devices[0])
        return chosen.index
    for device in devices:
        if wanted == device.name or wanted == str(device.index):
            return device.index
    for device in devices:
        if wanted.casefold() in device.name.casefold():
            return device.index
    names = ", ".join(f"{device.index} {device.name!r}" for device in devices[:8])
    raise DeviceError(f"no audio device is called {wanted!r}", f"there are: {names}", HINT)
