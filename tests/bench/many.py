"""Many replies at once in one process, each on a simulated device with a real clock.

    python tests/bench/many.py [--streams 50] [--sentences 8]

The server (in the same process) sends three times as fast as the sound plays. Told
are underruns, CPU, and the threads and descriptors that are left afterwards.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.crowd import speak_at_once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--sentences", type=int, default=8)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        crowd = speak_at_once(arguments.streams, Path(folder), arguments.sentences)
    audio_s = sum(result.snapshot.audio_s for result in crowd.results)
    print(f"{crowd.streams} streams, {audio_s:.0f} s of sound in {crowd.took_s:.1f} s")
    print(f"{crowd.cpu_s:.1f} s of CPU, the server included")
    print(f"{crowd.whole} heard whole, {crowd.underruns} underruns")
    print(f"left behind: {crowd.threads} threads, {crowd.descriptors} descriptors")


if __name__ == "__main__":
    main()
