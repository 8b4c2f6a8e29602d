"""What each playout policy costs a listener, in simulated time.

    python -m tests.bench.playout [--quick] [--device null]

J = start + waiting, in seconds: waiting inside a natural pause counts once,
elsewhere three times, each stop outside a pause 0.3 on top. R = sum J / sum s*,
s* the offline optimum. ``warm`` has met eight other replies of the family.
The second set is drawn with a seed that nothing was tuned on.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.support.traces import FAMILIES, Made, family, given
from voicestream.policy.adaptive import Adaptive
from voicestream.policy.base import Fixed, Policy
from voicestream.policy.delay import neteq_like
from voicestream.policy.history import Knowledge
from voicestream.policy.simulate import CARD, Outcome, SimulatedDevice, simulate

TUNED_SEED, GUARD_SEED, MET_SEED = 1, 2, 1001
_MET = 8

Make = Callable[[str], Policy]


@dataclass(frozen=True)
class Row:
    """A policy's outcomes, by family."""

    name: str
    outcomes: dict[str, list[Outcome]]
    optimum_s: dict[str, float]
    """The cost of one who knows the whole trace before, all of a family together."""

    def ratio(self, family_name: str | None = None) -> float:
        """R of a family, or of all."""
        names = self.outcomes if family_name is None else (family_name,)
        cost_s = sum(outcome.cost_s for name in names for outcome in self.outcomes[name])
        return cost_s / sum(self.optimum_s[name] for name in names)

    @property
    def all(self) -> list[Outcome]:
        return [outcome for found in self.outcomes.values() for outcome in found]


def met(name: str, count: int = _MET) -> Knowledge:
    """What is known after some other replies of a family."""
    knowledge = Knowledge()
    for trace, content in family(name, count, MET_SEED):
        policy = Adaptive(knowledge)
        simulate(trace, policy, content.pauses)
        knowledge = policy.reply(trace.arrivals[0][0])
    return knowledge


def policies() -> list[Make]:
    known = {name: met(name) for name in FAMILIES}
    return [
        lambda _: Fixed(0.15),
        lambda _: Fixed(0.5),
        lambda _: neteq_like(),
        lambda _: Adaptive(),
        lambda name: Adaptive(known[name]),
    ]


def run(make: Make, sets: dict[str, list[Made]], device: SimulatedDevice) -> Row:
    outcomes = {
        name: [simulate(trace, make(name), content.pauses, device) for trace, content in made]
        for name, made in sets.items()
    }
    best_s = {name: sum(trace.best_start_s for trace, _ in made) for name, made in sets.items()}
    return Row(make(next(iter(sets))).name, outcomes, best_s)


def table(title: str, rows: list[Row]) -> Iterable[str]:
    yield f"\n{title}"
    yield f"{'':16}" + "".join(f"{row.name:>15}" for row in rows)
    for name in rows[0].outcomes:
        yield f"{name:16}" + "".join(f"{row.ratio(name):15.3f}" for row in rows)
    yield f"{'R in all':16}" + "".join(f"{row.ratio():15.3f}" for row in rows)
    yield f"{'word stops':16}" + "".join(f"{sum(o.word_stops for o in r.all):15}" for r in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="15 traces a family instead of 100")
    parser.add_argument("--device", choices=("card", "null"), default="card")
    arguments = parser.parse_args()
    device = CARD if arguments.device == "card" else SimulatedDevice(periods=1, lead_in_s=0.0)
    count = 15 if arguments.quick else 100
    began = time.perf_counter()
    makes = policies()
    given_sets = {trace.name: [(trace, content)] for trace, content in given()}
    sets = [("the traces of tests/data/traces", given_sets)]
    for seed, word in ((TUNED_SEED, "tuned on"), (GUARD_SEED, "guard")):
        made = {name: family(name, count, seed) for name in FAMILIES}
        sets.append((f"{count} traces of each family, seed {seed} ({word})", made))
    for title, traces in sets:
        rows = [run(make, traces, device) for make in makes]
        sys.stdout.write("\n".join(table(title, rows)) + "\n")
    sys.stdout.write(f"\ndevice {arguments.device}, {time.perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    main()
