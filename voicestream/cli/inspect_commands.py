"""Commands that show things: devices, voices and traces."""

from __future__ import annotations

import shutil
from typing import Any

from voicestream.cli.parts import load_settings
from voicestream.cli.report import notice, own_stderr, print_json, print_text
from voicestream.printable import printable
from voicestream.records import asdict
from voicestream.settings.seen import keep_seen


def show_devices(as_json: bool) -> int:
    """Show the output devices, one a line, and the simulated one."""
    from voicestream.session.outputs import list_cards

    own_stderr()  # nothing of ALSA's words reaches the screen
    devices = list_cards(load_settings({}).backend)
    keep_seen("devices", [(device.name, device.host_api) for device in devices])
    if as_json:
        return print_json({"devices": [asdict(device) for device in devices]})
    if not devices:
        notice("no sound card was found; `voicestream doctor` looks for the reason")
    lines = [
        f"{'*' if device.is_default else ' '}{device.index:>3}  {printable(device.name)}  "
        f"({device.host_api}, {device.channels} channels, {device.rate_hz} Hz)\n"
        for device in devices
    ]
    return print_text("".join(lines) + "   null  a simulated device with a real clock\n")


def show_voices(flags: dict[str, Any], as_json: bool) -> int:
    """Show what --voice can name, one a line."""
    settings = load_settings(flags)
    from voicestream.session.voice_list import find_voices

    voices = find_voices(settings)
    keep_seen(f"voices {settings.base_url}", [(voice.id, voice.name) for voice in voices])
    if as_json:
        listed = [_known(asdict(voice)) for voice in voices]
        return print_json({"endpoint": settings.base_url, "voices": listed})
    if not voices:
        notice(f"{settings.base_url} lists no voices")
    width = min(max((len(voice.id) for voice in voices), default=0), 40)
    lines = []
    for voice in voices:
        known = (voice.name, voice.language, voice.quality, voice.source, voice.licence)
        lines.append(f"{voice.id:<{width}}  {' · '.join(filter(None, known))}".rstrip() + "\n")
    return print_text("".join(lines))


def _known(voice: dict[str, str]) -> dict[str, str]:
    """Return what is known of a voice."""
    named = {**voice, "name": voice["name"] or voice["id"]}
    return {name: value for name, value in named.items() if value}


def show_replay(file: str) -> int:
    """Show what each policy would have done with the arrivals in a file."""
    from voicestream.session.tracing import replayed

    text = replayed(file, shutil.get_terminal_size().columns)
    return print_text(text + "\n")
