"""The program that speaks with SVOX Pico: a clause a line comes in, its 16-bit PCM goes out.

It is a process of its own, since Pico keeps the interpreter to itself while it speaks, and a sound
card does not wait. It is run as a file, without the package around it.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    folder, voice, speed, level = sys.argv[1:]
    sys.path.insert(0, folder)
    from py_nanotts import NanoTTS

    speak = NanoTTS().speak
    for line in sys.stdin.buffer:
        clause = line.decode("utf-8").strip()
        if clause:
            pcm = speak(clause, voice=voice, speed=float(speed), volume=float(level))
            sys.stdout.buffer.write(pcm)
            sys.stdout.buffer.flush()
