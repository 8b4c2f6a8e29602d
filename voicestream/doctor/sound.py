"""The sound card: is it there, does it play, is it muted, does it sleep."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from voicestream.doctor.finding import Check, Finding, broken
from voicestream.errors import DeviceError, NoAnswerError
from voicestream.output.base import Sink
from voicestream.output.devices import find_device
from voicestream.output.pactl import pactl
from voicestream.pcm import PcmFormat
from voicestream.records import replace
from voicestream.session.outputs import card_sink, list_cards, make_sink
from voicestream.settings.table import Settings

ABOUT = "sound card"
LIMIT_S = 25.0
_ENOUGH_S = 0.8
"""A card that asked for so much sound plays, and does not only fill its buffer."""
_PATIENCE_S = 5.0
_SLEPT_S = 0.8
"""A card that took so much longer than its sound was asleep."""
_TONE_HZ, _TONE_S, _TONE_LEVEL = 440.0, 0.4, 0.06
_FADE_S = 0.05
_FAINT_PERCENT = 20
_UNHEARD = "Heard no tone? Turn it up, or choose another card: `voicestream devices`, --device."
_NO_CARD = "there is no sound card, and no sound server answers"
_START = (
    "Start the sound server: systemctl --user start pipewire-pulse, or pulseaudio --start. "
    "Where there is none, as in a container: -o FILE makes a sound file."
    if sys.platform.startswith("linux")
    else "Connect one, or make a sound file: -o FILE."
)
_HUNG = Finding(
    ABOUT, "broken", "the sound system does not answer", "Restart it.", DeviceError.exit_code
)


def sound_check(settings: Settings) -> Check:
    """Return what there is to find out about the sound card that the settings name."""
    return Check(lambda: check_sound(settings), LIMIT_S, _HUNG)


def check_sound(settings: Settings) -> Iterator[Finding]:
    """Open the card, play a short quiet tone, and count what it asks for."""
    if settings.device == "null":
        yield Finding(
            ABOUT,
            "look",
            f"a simulated one ({settings.source('device')}): nothing is heard",
            "Name a real one with --device, or none: `voicestream devices` lists them.",
        )
        return
    if settings.device.startswith("rtp://"):
        yield Finding(
            ABOUT,
            "look",
            f"none: sound goes to {settings.device} ({settings.source('device')})",
            "Nobody answers packets: listen there, with `voicestream play` for one.",
        )
        return
    told = list(_server_tells(settings.device))
    sink = make_sink(replace(settings, device_wait_s=0.0))
    try:
        pcm = sink.open(PcmFormat(24_000))
        tone = _Tone(pcm, sink.lead_in_s)
        sink.start(tone.fill)
        tone.wait()
        yield _opened(settings, sink, pcm)
        yield tone.finding
    except DeviceError as error:
        yield _not_opened(settings.backend, error)
    finally:
        sink.stop(drain=True)
    yield from told


def _not_opened(backend: str, error: DeviceError) -> Finding:
    """Return what to do about a card that cannot be opened; where there is none, no list helps."""
    found = broken(ABOUT, error)
    if isinstance(error, NoAnswerError):  # nor would it list any
        return found
    try:
        cards = list_cards(backend)
    except DeviceError:
        return found
    return found if cards else replace(found, what=_NO_CARD, todo=_START)


def _opened(settings: Settings, sink: Sink, pcm: PcmFormat) -> Finding:
    card = card_sink(settings.backend, settings.device)
    try:
        devices = card.devices()
        found = next(d for d in devices if d.index == find_device(devices, settings.device))
    finally:
        card.stop(drain=False)
    backend = type(card).__name__.removesuffix("Sink").lower()
    latency_ms = round(1000 * sink.latency_s)
    return Finding(
        ABOUT,
        "good",
        f"{found.name} ({found.host_api} through {backend}) opens at {pcm.rate_hz} Hz; "
        f"about {latency_ms} ms of sound wait in it",
        figures={
            "device": found.name,
            "host_api": found.host_api,
            "backend": backend,
            "rate_hz": pcm.rate_hz,
            "channels": pcm.channels,
            "latency_ms": latency_ms,
        },
    )


class _Tone:
    """A short quiet tone, then silence; counts what is asked for."""

    def __init__(self, pcm: PcmFormat, lead_in_s: float) -> None:
        self._pcm = pcm
        at_s = np.arange(pcm.s_to_frames(_TONE_S)) / pcm.rate_hz
        fade = np.clip(np.minimum(at_s, _TONE_S - at_s) / _FADE_S, 0.0, 1.0)
        wave = _TONE_LEVEL * fade * np.sin(2 * np.pi * _TONE_HZ * at_s)
        samples = np.repeat(wave[:, None], pcm.channels, axis=1).astype(np.float32)
        lead_in = pcm.silence(pcm.s_to_frames(lead_in_s))
        self._sound = memoryview(lead_in + pcm.encode(samples))
        self._began_s = time.monotonic()
        self._took_s = 0.0
        # audio callback
        self._asked_frames = 0

    def fill(self, frames: int, _dac_time_s: float) -> bytes:
        start = self._pcm.frames_to_bytes(self._asked_frames)
        self._asked_frames += frames
        wanted = self._pcm.frames_to_bytes(frames)
        sound = bytes(self._sound[start : start + wanted])
        return sound + bytes(wanted - len(sound))

    def wait(self) -> None:
        """Until it plays beyond doubt, or has had time enough."""
        self._began_s = time.monotonic()
        while self._asked_s < _ENOUGH_S and time.monotonic() - self._began_s < _PATIENCE_S:
            time.sleep(0.01)
        self._took_s = time.monotonic() - self._began_s

    @property
    def _asked_s(self) -> float:
        return self._pcm.frames_to_s(self._asked_frames)

    @property
    def finding(self) -> Finding:
        asked_s, took_s = self._asked_s, self._took_s
        figures = {"asked_s": round(asked_s, 2), "took_s": round(took_s, 2)}
        if asked_s < _ENOUGH_S:
            what = f"it asks for no sound: {asked_s:.2f} s of it within {took_s:.1f} s"
            todo = "Restart the sound system, or choose another card with --device."
            return Finding(ABOUT, "broken", what, todo, DeviceError.exit_code, figures=figures)
        if took_s > asked_s + _SLEPT_S:
            return Finding(
                ABOUT,
                "look",
                f"it was asleep: it took {took_s:.1f} s to play {asked_s:.1f} s",
                "What is said first comes late. Turn off the card's power saving "
                "(PulseAudio: module-suspend-on-idle; PipeWire: session.suspend-timeout-seconds).",
                figures=figures,
            )
        return Finding(
            ABOUT,
            "good",
            "it asked for sound and got a short quiet tone",
            _UNHEARD,
            figures=figures,
        )


def _server_tells(wanted: str) -> Iterator[Finding]:
    """Yield what PulseAudio (or PipeWire in its place) knows and no sound library tells."""
    sink = _pulse_sink(wanted)
    if sink is None:
        return
    name = str(sink.get("name", ""))
    if sink.get("mute"):
        todo = f"Run: pactl set-sink-mute {name} 0"
        yield Finding(ABOUT, "look", "it is muted: nothing is heard", todo, figures={"muted": True})
    percent = _volume_percent(sink)
    if percent is not None and percent < _FAINT_PERCENT:
        yield Finding(
            ABOUT,
            "look",
            f"its volume is at {percent} %",
            f"Run: pactl set-sink-volume {name} 70%",
            figures={"volume_percent": percent},
        )
    if str(sink.get("state")).upper() == "SUSPENDED":
        yield Finding(
            ABOUT,
            "good",
            "it was suspended before, and woke up",
            figures={"was_suspended": True},
        )


def _pulse_sink(wanted: str) -> dict[str, Any] | None:
    """Return the sink that will be played on, if this can be asked."""
    listed = pactl("--format=json", "list", "sinks")
    try:
        sinks = [sink for sink in json.loads(listed) if isinstance(sink, dict)]
    except (ValueError, TypeError):
        return None
    wanted = wanted.casefold()
    if not wanted:
        default = pactl("get-default-sink").strip()
        return next((sink for sink in sinks if sink.get("name") == default), None)
    told = (f"{sink.get('description')} {sink.get('name')}".casefold() for sink in sinks)
    return next((sink for sink, words in zip(sinks, told, strict=True) if wanted in words), None)


def _volume_percent(sink: dict[str, Any]) -> int | None:
    """Of its loudest channel."""
    volume = sink.get("volume")
    told = (
        [str(one.get("value_percent", "")) for one in volume.values()]
        if isinstance(volume, dict)
        else []
    )
    levels = [int(level.rstrip("%")) for level in told if level.rstrip("%").isdecimal()]
    return max(levels, default=None)
