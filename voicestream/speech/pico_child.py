"""The program that speaks with SVOX Pico: a clause a line comes in, its 16-bit PCM goes out.

It is a process of its own, since Pico keeps the interpreter to itself while it speaks, and a sound
card does not wait. It is run as a file, without the package around it.
"""

from __future__ import annotations

import sys
from array import array

_SILENT = 600
"""Speech has peaks of some 12,000; Pico ends some sentences with a breath, long after them."""
_RATE_HZ = 16_000
_LEFT_S = 0.3
"""Of the silence after each clause, which is up to a second long."""


def trimmed(pcm: bytes) -> bytes:
    """Return 16-bit PCM without most of the silence around it."""
    samples = array("h", pcm)
    start, end = 0, len(samples)
    while start < end and abs(samples[start]) < _SILENT:
        start += 1
    while end > start and abs(samples[end - 1]) < _SILENT:
        end -= 1
    start = max(0, start - _RATE_HZ // 10)
    return samples[start : end + int(_RATE_HZ * _LEFT_S)].tobytes()


if __name__ == "__main__":
    folder, voice, speed, level = sys.argv[1:]
    sys.path.insert(0, folder)
    from py_nanotts import NanoTTS

    speak = NanoTTS().speak
    for line in sys.stdin.buffer:
        clause = line.decode("utf-8").strip()
        if clause:
            pcm = speak(clause, voice=voice, speed=float(speed), volume=float(level))
            sys.stdout.buffer.write(trimmed(pcm))
            sys.stdout.buffer.flush()
