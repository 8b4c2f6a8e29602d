"""A few runs with faults drawn from a seed; ``tests/bench/random_faults.py`` makes many."""

from __future__ import annotations

from pathlib import Path

from tests.faults.random_runs import run_seeds
from tests.support.canary import Watch


def test_whatever_happens_each_sentence_is_heard_once_or_named(
    tmp_path: Path, evidence: Watch
) -> None:
    tally, outcomes = run_seeds(range(16), tmp_path)
    for outcome in outcomes:
        evidence.look("random faults", outcome.evidence)
    assert tally.mended
    assert tally.requests > tally.sentences
