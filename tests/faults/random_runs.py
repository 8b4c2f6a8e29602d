"""Runs with faults drawn from a seed: anything may happen to any request, several times over."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.matrix import answer
from tests.faults.stage import TEN, TYPES, Outcome, judge, port_of, run, settings_for, upstream
from tests.support.proxy import GOOD, Exchange, Fault, FaultProxy

_AT_ONCE = 12
_SENTENCES = TEN.replace(". ", ".|").split("|")


def fault_of(seed: int, exchange: Exchange) -> Fault:
    """What this seed does to this request."""
    chance = random.Random(f"{seed} {exchange.text} {exchange.attempt}")
    if chance.random() > (0.1, 0.3, 0.6, 0.8)[seed % 4]:
        return GOOD
    framing = chance.choice(("chunked", "length"))
    place = chance.choice(("sent", "head", chance.random(), chance.random(), 1.0))
    kind = chance.choice("end end end answer delay drip jitter idle".split())
    if kind == "end":
        how = chance.choice(("close", "close", "reset", "reset", "stall"))
        return Fault(how, place, framing=framing)
    return {
        "answer": answer(chance.choice((400, 404, 408, 409, 429, 500, 502, 503, 504))),
        "delay": Fault(delay_s=chance.random() * 0.3),
        "drip": Fault("drip", framing=framing),
        "jitter": Fault("jitter", framing=framing, seed=seed),
        "idle": Fault(then=chance.choice(("close", "reset_at_next")), framing=framing),
    }[kind]


def text_of(seed: int) -> str:
    chance = random.Random(seed)
    return " ".join(chance.sample(_SENTENCES, chance.randint(1, len(_SENTENCES))))


@dataclass
class Tally:
    """What became of many runs."""

    runs: int = 0
    requests: int = 0
    sentences: int = 0
    whole: int = 0
    named: int = 0
    mended: int = 0
    """Runs with at least one request made again in which all was heard."""
    slowest_s: float = 0.0


def run_seeds(seeds: Sequence[int], folder: Path) -> tuple[Tally, list[Outcome]]:
    """Run them all and judge each.

    Raises:
        AssertionError: with the seed.
    """

    def plan(exchange: Exchange) -> Fault:
        return fault_of(int(exchange.path.split("/")[1]), exchange)

    def one(seed: int) -> Outcome:
        text, form = text_of(seed), list(TYPES)[seed % 3]
        patience = {"timeout_s": 1.0, "stall_timeout_s": 0.7, "lookahead": seed % 4}
        settings = settings_for(proxy.url(str(seed)), form, **patience)
        try:
            outcome = run(text, settings, folder)
            judge(outcome, text, form)
            assert outcome.exit_code == (3 if outcome.failed else 0)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        return outcome

    tally = Tally()
    with (
        upstream() as server,
        FaultProxy(port_of(server), plan) as proxy,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        outcomes = list(pool.map(one, seeds))
        asked = Counter(int(exchange.path.split("/")[1]) for exchange in proxy.exchanges)
    for seed, outcome in zip(seeds, outcomes, strict=True):
        segments = outcome.result.snapshot.segments
        tally.runs += 1
        tally.requests += asked[seed]
        tally.sentences += len(segments)
        tally.named += len(outcome.failed)
        tally.whole += not outcome.failed
        tally.mended += not outcome.failed and asked[seed] > len(segments)
        tally.slowest_s = max(tally.slowest_s, outcome.took_s)
    return tally, outcomes
