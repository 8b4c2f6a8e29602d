"""How fast ``-o`` makes a file, beside curl with the same bytes.

    python tests/bench/files.py [--seconds 600] [--speed 20]

A server in a process of its own sends each of ten sentences so many times faster than it
sounds. curl asks for one after the other, as does ``--lookahead 0``; by default three are
asked for at once. Told are the time, the ratio to curl's, and the CPU.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from tests.support import command, encode
from tests.support.remote import ServerProcess
from tests.support.script import Script
from voicestream.pcm import to_int16

_SENTENCES = 10
_BYTES_PER_S = 48_000
_GOAL = 1.1
_RUNS = (
    ("a.wav", ("--lookahead", "0")),
    ("a.mp3", ("--lookahead", "0")),
    ("a.flac", ("--lookahead", "0")),
    ("a.opus", ("--lookahead", "0")),
    ("a.wav", ()),
    ("a.mp3", ()),
)


def measure(seconds: float, speed: float) -> bool:
    sound = np.resize(to_int16(encode.speech(10.0)), round(seconds / _SENTENCES * 24_000))
    script = Script(sound.tobytes(), rate_bytes_per_s=speed * _BYTES_PER_S, piece_bytes=16_384)
    with ServerProcess({"steady": script}) as server, tempfile.TemporaryDirectory() as folder:
        url = server.url("steady")
        curl_s, _cpu_s = _timed(lambda: _curl(url))
        print(f"{seconds:.0f} s of sound at {speed:g} times realtime; curl took {curl_s:.2f} s")
        worst = 0.0
        _say(url, Path(folder), seconds, "warm.wav", ())
        for name, options in _RUNS:
            took_s, cpu_s = _timed(
                lambda name=name, options=options: _say(url, Path(folder), seconds, name, options)
            )
            ratio = took_s / curl_s
            worst = max(worst, ratio)
            asked = "one request at a time" if options else "as it is set by default"
            print(f"{name:7} {asked:24} {took_s:6.2f} s = {ratio:.2f} x curl, {cpu_s:.1f} s of CPU")
    print(f"goal: {_GOAL} x curl at most")
    return worst > _GOAL


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the wall, and of CPU in the processes started."""
    began_s, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began_s, cpu_s


def _curl(url: str) -> None:
    for _ in range(_SENTENCES):
        subprocess.run(
            ["curl", "-sS", "-o", "/dev/null", "-d", '{"input": "."}', f"{url}/audio/speech"],
            check=True,
        )


def _say(url: str, folder: Path, seconds: float, name: str, options: tuple[str, ...]) -> None:
    sentence = f"Word{' and word' * 12}. "  # longer ones are cut, and asked for in pieces
    split = ("--batch-chars", "1", "--first-chars", "4096", "--quiet", "--json")
    done = command.run(
        *("say", sentence * _SENTENCES, "--base-url", url, "-o", name, *split, *options),
        env=command.environment(folder),
        cwd=folder,
        timeout_s=60 + seconds,
    )
    if done.returncode:
        sys.exit(done.stderr.decode())
    made_s = json.loads(done.stdout)["audio_s"]
    if abs(made_s - seconds) > seconds / 20:
        sys.exit(f"{made_s:.0f} s of sound came instead of {seconds:.0f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--speed", type=float, default=20.0)
    chosen = parser.parse_args()
    return measure(chosen.seconds, chosen.speed)


if __name__ == "__main__":
    sys.exit(main())
