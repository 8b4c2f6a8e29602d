"""SVOX Pico (py-nanotts): small voices inside a package, for what the neural one lacks."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from voicestream.speech.child import Child
from voicestream.speech.voice import Voice

_RATE_HZ = 16_000
_LEVELS = {"en-GB": 0.17, "de-DE": 0.17, "fr-FR": 0.2, "es-ES": 0.16, "it-IT": 0.21}
"""Tag of a voice -> the volume at which it is as loud as the neural one. From 0.4 on Pico clips."""
_LEAST_SPEED, _MOST_SPEED = 0.2, 5.0
_MOST_CHARS = 200
_MUTE = {ord(mark): " " for mark in "<>¿¡"}
"""What it would take for a command and say nothing of, and before what it is silent for long."""
_CLAUSE = re.compile(
    rf".{{1,{_MOST_CHARS}}}?(?:[^\W\d_]{{4}}\.|[!?…;:])(?=\s)"
    rf"|.{{{_MOST_CHARS // 2},{_MOST_CHARS}}}?,(?=\s)"
    rf"|.{{1,{_MOST_CHARS}}}(?:\s|$)|\S{{{_MOST_CHARS}}}|\S+",
    re.S,
)
"""What is made at once, heard while the rest is made: no abbreviation ends it."""


@cache
def pico_voices() -> tuple[Voice, ...]:
    """Return its voices; none where the package is not installed, as on macOS."""
    if find_spec("py_nanotts") is None:
        return ()
    return tuple(
        Voice(
            f"pico-{(tag if tag == 'en-GB' else tag[:2]).lower()}",
            *("", tag, "small, 16 kHz", "SVOX Pico (py-nanotts), inside the package"),
            "Apache-2.0",
        )
        for tag in _LEVELS
    )


def pico(voice: Voice, text: str, speed: float, wanted_hz: int) -> Child:
    """Return the sound of a text.

    Args:
        voice: one of :func:`pico_voices`.
        text: in signs that it can read.
        wanted_hz: the rate of the sound.
    """
    found = find_spec("py_nanotts")
    assert found is not None
    assert found.origin is not None  # it has voices
    command = (
        sys.executable,
        *("-I", "-S", str(Path(__file__).with_name("pico_child.py"))),
        str(Path(found.origin).parents[1]),
        voice.language,
        f"{min(max(speed, _LEAST_SPEED), _MOST_SPEED):g}",
        f"{_LEVELS[voice.language]:g}",
    )
    lines = "\n".join(
        part.strip().replace("\n", " ") for part in _CLAUSE.findall(text.translate(_MUTE))
    )
    return Child(command, lines, _RATE_HZ, wanted_hz)
