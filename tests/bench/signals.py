"""Signals at random moments: no hang, no traceback, the terminal and the files whole.

    python tests/bench/signals.py [--runs 200] [--first 0] [--at-once 6]

Each run is the command on a pseudo terminal with its panel, on the null device, hit by
SIGINT, SIGTERM, SIGHUP, SIGTSTP (and SIGCONT), by the end of whoever reads its stdout, by
SIGTERM while nobody reads the terminal (Ctrl-S) or the pipe it saves to, or by the end of
the terminal that controls it, with nohup and without; before its first line or anywhere
until after its last word, as its seed wants it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support.signalled import Hit, hit_many, tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=6)
    arguments = parser.parse_args()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seeds = range(arguments.first, arguments.first + arguments.runs)
        hits = hit_many(seeds, Path(folder), arguments.at_once, _tell)
    failed = [hit for hit in hits if hit.problems]
    for (kind, code), count in sorted(tally(hits).items(), key=str):
        print(f"  {kind:12} exit code {code}: {count}")
    early = sum(hit.early for hit in hits)
    print(f"{len(hits)} runs in {time.monotonic() - began_s:.0f} s, {early} hit while starting")
    print(f"{len(failed)} failed (goal: 0)")
    return bool(failed)


def _tell(hit: Hit) -> None:
    for problem in hit.problems:
        print(f"seed {hit.seed}, {hit.kind}{' while starting' * hit.early}: {problem}")


if __name__ == "__main__":
    sys.exit(main())
