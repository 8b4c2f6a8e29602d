"""Speech over networks that fail at random: each sentence is heard once and whole, or named.

    python tests/bench/random_faults.py [--runs 500] [--first 0]
    python tests/bench/random_faults.py --loudspeaker [--runs 30] [--first 0]

Each run is a whole session against a proxy that spoils requests as its seed wants
it, on a simulated device whose clock runs sixteen times as fast; the saved samples
are compared with what the server sent. Stops at the first seed that goes wrong.

--loudspeaker: each run is the real command with PortAudio on a null sink, whose
recording is compared with what the server sent.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.loud_runs import Heard, play_seeds
from tests.faults.random_runs import run_seeds
from tests.support.canary import is_in


def simulated(seeds: range) -> int:
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally, outcomes = run_seeds(seeds, Path(folder))
    leaks = sum(is_in(outcome.evidence) for outcome in outcomes)
    took_s = time.monotonic() - began_s
    print(f"{tally.runs} runs in {took_s:.0f} s, the slowest {tally.slowest_s:.1f} s")
    print(f"{tally.requests} requests for {tally.sentences} sentences")
    print(f"{tally.whole} runs were heard whole, {tally.mended} of them after asking again")
    print(f"{tally.named} sentences were named as not heard; none was lost or heard twice")
    print(f"the key was found in {leaks} runs")
    return bool(leaks)


def on_the_loudspeaker(seeds: range) -> int:
    began_s = time.monotonic()
    runs = play_seeds(seeds, told=_tell)
    took_s = time.monotonic() - began_s
    wrong = sum(bool(run.problem) for run in runs)
    mended = sum(not run.named and run.requests > run.sentences for run in runs)
    print(f"{len(runs)} runs on the loudspeaker in {took_s:.0f} s")
    print(
        f"{sum(r.requests for r in runs)} requests for {sum(r.sentences for r in runs)} sentences"
    )
    print(f"{sum(not r.named for r in runs)} runs were heard whole, {mended} after asking again")
    print(f"{sum(run.named for run in runs)} sentences were named as not heard")
    missing, starved = sum(r.missing for r in runs), sum(r.starved for r in runs)
    print(f"{missing} samples missing or faded, all of them next to holes where sound was late;")
    print(f"{starved} of these holes are of a machine too busy to feed its sound card")
    print(f"{sum(run.doubled for run in runs)} samples heard twice; {wrong} runs wrong (goal: 0)")
    return bool(wrong)


def _tell(run: Heard) -> None:
    if run.problem:
        print(f"seed {run.seed}: {run.problem}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--loudspeaker", action="store_true")
    chosen = parser.parse_args()
    runs = chosen.runs or (30 if chosen.loudspeaker else 500)
    seeds = range(chosen.first, chosen.first + runs)
    return on_the_loudspeaker(seeds) if chosen.loudspeaker else simulated(seeds)


if __name__ == "__main__":
    sys.exit(main())
