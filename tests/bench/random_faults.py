"""Speech over networks that fail at random: each sentence is heard once and whole, or named.

    python tests/bench/random_faults.py [--runs 500] [--first 0]

Each run is a whole session against a proxy that spoils requests as its seed wants
it, on a simulated device whose clock runs sixteen times as fast; the saved samples
are compared with what the server sent. Stops at the first seed that goes wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.random_runs import run_seeds
from tests.support.canary import is_in


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seeds = range(arguments.first, arguments.first + arguments.runs)
        tally, outcomes = run_seeds(seeds, Path(folder))
    leaks = sum(is_in(outcome.evidence) for outcome in outcomes)
    took_s = time.monotonic() - began_s
    print(f"{tally.runs} runs in {took_s:.0f} s, the slowest {tally.slowest_s:.1f} s")
    print(f"{tally.requests} requests for {tally.sentences} sentences")
    print(f"{tally.whole} runs were heard whole, {tally.mended} of them after asking again")
    print(f"{tally.named} sentences were named as not heard; none was lost or heard twice")
    print(f"the key was found in {leaks} runs")


if __name__ == "__main__":
    main()
