"""The fault matrix over a Realtime API: each sentence is heard once, or named."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.realtime import CELLS, Cell
from tests.faults.stage import ONE, Outcome, judge, run, settings_for
from tests.support.canary import Watch
from tests.support.realtime_server import RealtimeServer

_AT_ONCE = 6
_WITHIN_S = 50.0


def heard(cell: Cell, folder: Path) -> Outcome:
    with RealtimeServer(cell.behave) as server:
        return run(cell.text, settings_for(server.url, "pcm"), folder, within_s=_WITHIN_S)


def cells_of(request: pytest.FixtureRequest) -> list[Cell]:
    """Those that are going to be looked at."""
    items = [item for item in request.session.items if item.path == request.path]
    params = [item.callspec.params for item in items if hasattr(item, "callspec")]
    return [found["cell"] for found in params if "cell" in found]


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    folder = tmp_path_factory.mktemp("realtime")
    cells = cells_of(request)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield {cell.name: pool.submit(heard, cell, folder) for cell in cells}
        pool.shutdown(cancel_futures=True)


def param(number: int) -> object:
    cell = CELLS[number]
    marks = [pytest.mark.sweep] if cell.text == ONE and number % 4 else []
    return pytest.param(cell, id=cell.name, marks=marks)


@pytest.mark.parametrize("cell", [param(number) for number in range(len(CELLS))])
def test_every_sentence_is_heard_once_or_named(
    runs: dict[str, Future[Outcome]], cell: Cell, evidence: Watch
) -> None:
    outcome = runs[cell.name].result(60)
    evidence.look(cell.name, outcome.evidence)
    judge(outcome, cell.text, "pcm")
    segments = outcome.result.snapshot.segments
    hit = [s.text.strip() for s in segments if cell.hits(s.text.strip())]
    assert hit
    assert outcome.failed == (hit if cell.is_named else []), outcome.result.errors
    assert outcome.exit_code == (3 if cell.is_named else 0), outcome.result.errors
    assert outcome.result.completed is not cell.is_named
    assert outcome.result.to_dict()["reworded"] == []


def test_the_matrix_is_large(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nRealtime fault matrix: {len(CELLS)} cells")  # noqa: T201  a figure to reach
    assert len({cell.name for cell in CELLS}) == len(CELLS) >= 30
