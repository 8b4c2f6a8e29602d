"""Every input of the corpora against its target: what was found once is not found again."""

from __future__ import annotations

import pytest

from tests.fuzz.targets import CORPUS, TARGETS, corpus_of


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_fuzzer_found_holds(name: str) -> None:
    inputs = list(corpus_of(name))
    assert len(inputs) >= 5
    for file in inputs:
        try:
            TARGETS[name](file.read_bytes())
        except Exception as error:
            raise AssertionError(f"{name}: {file.name}") from error


def test_the_corpora_stay_small() -> None:
    sizes = [file.stat().st_size for file in CORPUS.rglob("*") if file.is_file()]
    assert sum(sizes) <= 200_000
    assert len(sizes) <= 50 * len(TARGETS)
