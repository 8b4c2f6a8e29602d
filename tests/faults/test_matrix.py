"""Every fault, for one sentence and for ten: each is heard once, or named.

``pytest tests/faults --sweep`` has each in every format.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.matrix import CELLS, Cell, is_sampled
from tests.faults.stage import Outcome, judge, port_of, run, settings_for, upstream
from tests.support.canary import Watch
from tests.support.proxy import Exchange, Fault, FaultProxy

_AT_ONCE = 6
_WITHIN_S = 50.0


class Laboratory:
    """All runs that are going to be looked at, several at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = upstream()
        self.proxy = FaultProxy(port_of(self._server), self._plan)
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._runs: dict[str, Future[Outcome]] = {}

    def _plan(self, exchange: Exchange) -> Fault:
        return CELLS[int(exchange.path.split("/")[1])].plan(exchange)

    def start(self, cell: Cell) -> None:
        self._runs[cell.name] = self._pool.submit(self._run, cell)

    def _run(self, cell: Cell) -> Outcome:
        settings = settings_for(self.proxy.url(str(CELLS.index(cell))), cell.form)
        return run(cell.text, settings, self._folder, within_s=_WITHIN_S)

    def outcome(self, cell: Cell) -> Outcome:
        return self._runs[cell.name].result(60)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self.proxy.close()
        self._server.close()


@pytest.fixture(scope="module")
def laboratory(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    laboratory = Laboratory(tmp_path_factory.mktemp("faults"))
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.path == request.path:
            cell = item.callspec.params.get("cell") if hasattr(item, "callspec") else None
            if isinstance(cell, Cell):
                laboratory.start(cell)
    yield laboratory
    laboratory.close()


def param(cell: Cell) -> object:
    marks = [] if is_sampled(cell) else [pytest.mark.sweep]
    return pytest.param(cell, id=cell.name, marks=marks)


@pytest.mark.parametrize("cell", [param(cell) for cell in CELLS])
def test_every_sentence_is_heard_once_or_named(
    laboratory: Laboratory, cell: Cell, evidence: Watch
) -> None:
    outcome = laboratory.outcome(cell)
    evidence.look(cell.name, outcome.evidence)
    if cell.is_doubted:
        assert outcome.exit_code == 0
        told = "\n".join(outcome.result.snapshot.warnings)
        assert f'taken for whole: "{cell.text.strip()}"' in told
        return
    judge(outcome, cell.text, cell.form)
    segments = outcome.result.snapshot.segments
    hit = [s.text.strip() for s in segments if cell.hits(s.text.strip())]
    assert hit
    assert outcome.failed == (hit if cell.is_named else [])
    assert outcome.exit_code == (3 if cell.is_named else 0), outcome.result.errors
    assert outcome.result.completed is not cell.is_named
    assert all("second rendering" not in w for w in outcome.result.snapshot.warnings)


def test_the_matrix_is_large(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nfault matrix: {len(CELLS)} cells")  # noqa: T201  the count is a figure to reach
    assert len({cell.name for cell in CELLS}) == len(CELLS) >= 150
