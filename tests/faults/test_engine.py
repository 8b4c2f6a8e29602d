"""Faults of the network, in a speech that an engine makes: what is heard and told is the same.

One engine for all; its spares are called as the front does, without a process for each front.
The suite takes a few cells, ``pytest tests/faults --sweep`` all.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.faults.matrix import CELLS, Cell
from tests.faults.stage import judge, port_of, samples_of, upstream
from tests.support.canary import Watch
from tests.support.command import environment
from tests.support.engine import Engine, engine
from tests.support.proxy import Exchange, Fault, FaultProxy
from voicestream.engine.place import greeting

_AT_ONCE = 6
_WITHIN_S = 50.0
_SAMPLE = (
    *("nothing-opus-one", "429, wait no second-pcm-one", "reset at 50%-mp3-one"),
    *("stall at 0%-pcm-one", "always cut-pcm-ten"),
)
_SETTINGS = {
    "VOICESTREAM_DEVICE": "null",
    "VOICESTREAM_TRIM": "off",
    "VOICESTREAM_NORMALIZE": "off",
    "VOICESTREAM_BATCH_ABOVE_S": "600",
    "VOICESTREAM_TIMEOUT_S": "3",
    "VOICESTREAM_STALL_TIMEOUT_S": "2",
    "VOICESTREAM_RETRIES": "2",
    "VOICESTREAM_RETRY_BUDGET_S": "30",
}
"""Those of ``stage.settings_for``."""


class Laboratory:
    """All runs that are going to be looked at, several at a time."""

    def __init__(self, running: Engine) -> None:
        self._running = running
        self._server = upstream()
        self._proxy = FaultProxy(port_of(self._server), self._plan)
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._runs = {cell: self._pool.submit(self._run, cell) for cell in _wanted}

    def _plan(self, exchange: Exchange) -> Fault:
        return CELLS[int(exchange.path.split("/")[1])].plan(exchange)

    def _run(self, cell: Cell) -> tuple[int, SimpleNamespace, str]:
        folder = Path(tempfile.mkdtemp(dir=self._running.folder))
        url = self._proxy.url(str(CELLS.index(cell)))
        said = ["say", cell.text, "--base-url", url, "--format", cell.form]
        code, out, err = call(self._running, folder, *said, "--json", "--save", "out.wav")
        told = json.loads(out)
        file = folder / "out.wav"
        data = file.read_bytes() if file.exists() else b""
        segments = [SimpleNamespace(**segment) for segment in told.pop("segments")]
        result = SimpleNamespace(snapshot=SimpleNamespace(segments=segments), **told)
        outcome = SimpleNamespace(result=result, saved=samples_of(data))
        return code, outcome, out + err

    def outcome(self, cell: Cell) -> tuple[int, SimpleNamespace, str]:
        return self._runs[cell].result(_WITHIN_S + 10)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._proxy.close()
        self._server.close()


def call(running: Engine, folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Have a command carried out; its exit code, stdout and stderr."""
    fields = {
        "arguments": arguments,
        "program": "voicestream",
        "folder": str(folder),
        "environ": [text for pair in running.env.items() for text in pair],
        "umask": 0o077,
        "groups": [os.getegid(), *os.getgroups()],
        "start_s": time.monotonic(),
        "streams": [["utf-8", "strict"]] * 3,
        "foreground": True,
    }
    body = json.dumps(fields).encode()
    out, err = folder / "out", folder / "err"
    with (
        socket.socket(socket.AF_UNIX) as line,
        open(os.devnull, "rb") as nothing,
        out.open("wb") as to_out,
        err.open("wb") as to_err,
    ):
        line.settimeout(_WITHIN_S)
        line.connect(str(running.runtime / "engine" / "local.sock"))
        assert line.recv(4096).startswith(greeting())
        files = [nothing.fileno(), to_out.fileno(), to_err.fileno()]
        socket.send_fds(line, [len(body).to_bytes(4, "big") + body], files)
        with line.makefile("rb") as answers:
            code = next(
                int(message["exit"]) for message in map(json.loads, answers) if "exit" in message
            )
    return code, out.read_text(), err.read_text()


_wanted: list[Cell] = []


@pytest.fixture(scope="module")
def laboratory(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.path == request.path:
            _wanted.append(item.callspec.params["cell"])
    folder = tmp_path_factory.mktemp("engine")
    with (
        tempfile.TemporaryDirectory(prefix="vs-") as runtime,
        engine(environment(folder, _SETTINGS), folder, Path(runtime)) as running,
    ):
        laboratory = Laboratory(running)
        yield laboratory
        laboratory.close()


def param(cell: Cell) -> object:
    marks = [] if cell.name in _SAMPLE else [pytest.mark.sweep]
    return pytest.param(cell, id=cell.name, marks=marks)


@pytest.mark.parametrize("cell", [param(cell) for cell in CELLS])
def test_a_fault_is_mended_or_named_through_the_engine_too(
    laboratory: Laboratory, cell: Cell, evidence: Watch
) -> None:
    code, outcome, said = laboratory.outcome(cell)
    evidence.look(cell.name, said)
    if cell.is_doubted:
        assert code == 0, said
        assert "taken for whole" in said
        return
    judge(outcome, cell.text, cell.form)  # type: ignore[arg-type]
    segments = outcome.result.snapshot.segments
    hit = [it.text.strip() for it in segments if cell.hits(it.text.strip())]
    assert [it.text.strip() for it in segments if it.status != "done"] == (
        hit if cell.is_named else []
    )
    assert hit
    assert code == (3 if cell.is_named else 0), said
    assert outcome.result.completed is not cell.is_named
