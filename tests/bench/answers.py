"""How soon the command answers what needs no speech: start to end of cold processes.

Prints the least and the median of the wall clock and of the CPU, in ms, beside a Python that does
nothing.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

RUNS = 20
WORDS = ("--help", "help voice", "_complete st", "_complete --vo", "_complete -v ")
PROGRAM = str(Path(sys.executable).with_name("voicestream"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    **{f"voicestream {words}": [PROGRAM, *words.split(" ")] for words in WORDS},
}


def measured(command: list[str]) -> tuple[float, float]:
    """Wall clock and CPU of one run, ms."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    begun_s = time.monotonic()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    _, _, used = os.wait4(process, 0)
    return 1000 * (time.monotonic() - begun_s), 1000 * (used.ru_utime + used.ru_stime)


def main() -> None:
    print(f"{'':<28} {'wall clock':>18} {'CPU':>18}")
    for name, command in COMMANDS.items():
        runs = [measured(command) for _ in range(RUNS)]
        walls, cpus = ([run[at] for run in runs] for at in (0, 1))
        shown = [f"{min(it):6.0f} {statistics.median(it):6.0f} ms" for it in (walls, cpus)]
        print(f"{name:<28} {shown[0]:>18} {shown[1]:>18}")


if __name__ == "__main__":
    main()
