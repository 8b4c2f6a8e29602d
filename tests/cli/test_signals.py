"""Signals at random moments; ``tests/bench/signals.py`` sends many more."""

from __future__ import annotations

import pytest

from tests.support.signalled import KINDS, Hit, hit_many

SEEDS = range(18)


@pytest.fixture(scope="module")
def hits(tmp_path_factory: pytest.TempPathFactory) -> list[Hit]:
    return hit_many(SEEDS, tmp_path_factory.mktemp("signals"), at_once=4)


@pytest.mark.parametrize("kind", KINDS)
def test_whenever_it_comes_nothing_is_left_and_nothing_broken(hits: list[Hit], kind: str) -> None:
    mine = [hit for hit in hits if hit.kind == kind]
    assert len(mine) == len(SEEDS) // len(KINDS)
    assert [(hit.seed, hit.problems) for hit in mine if hit.problems] == []
