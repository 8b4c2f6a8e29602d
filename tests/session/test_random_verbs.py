"""Random verbs: whatever is asked and when, no sample is lost, changed or heard twice."""

from __future__ import annotations

import pytest

from tests.session.random_verbs import run

SEEDS = [pytest.param(n, marks=[pytest.mark.sweep] if n >= 8 else []) for n in range(200)]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_sample_is_lost_or_doubled_under_random_verbs(seed: int) -> None:
    outcome = run(seed)
    assert outcome.verbs
    assert outcome.exact, outcome
