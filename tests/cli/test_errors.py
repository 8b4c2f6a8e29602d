"""What bad input and bad servers get: the real command against real sockets that misbehave.

Each case ends with its exit code and one line of error; nothing half-written is
left, no key and no traceback is shown. The runs happen a few at a time before
the first of them is looked at.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cases import OPTION_CASES, SAVE_CASES, SETTING_CASES, TEXT_CASES, Case
from tests.cli.command import Call, Run, run, run_here
from tests.cli.network_cases import CONNECTION_CASES, REFUSAL_CASES, REPLY_CASES
from tests.support.canary import KEY
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.support.sound import samples_in

CASES = [
    *TEXT_CASES,
    *OPTION_CASES,
    *SETTING_CASES,
    *SAVE_CASES,
    *REFUSAL_CASES,
    *REPLY_CASES,
    *CONNECTION_CASES,
]
_MISTAKES = [case for case in (*OPTION_CASES, *SETTING_CASES, *SAVE_CASES) if case.arguments]
_AT_ONCE = 4


class _PlainHandler(socketserver.BaseRequestHandler):
    """A server without TLS: it takes a handshake for a bad request."""

    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


class Laboratory:
    """The servers of all cases, and the runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._plain = ScriptedServer(_answer)
        self._secure = ScriptedServer(_answer, tls=True)
        self._refusing = socket.socket()  # bound but not listening: whoever calls is refused
        self._refusing.bind(("127.0.0.1", 0))
        self._silent = socket.create_server(("127.0.0.1", 0))  # connects, and says nothing
        self._no_tls = socketserver.TCPServer(("127.0.0.1", 0), _PlainHandler)
        threading.Thread(target=self._no_tls.serve_forever, args=(0.05,), daemon=True).start()
        self._runs: dict[str, Future[Run]] = {}
        self.words = {
            "refusing": f"http://127.0.0.1:{self._refusing.getsockname()[1]}/v1",
            "port": f":{self._refusing.getsockname()[1]}",
            "as_https": f"https://127.0.0.1:{self._no_tls.server_address[1]}/v1",
            "silent": f"https://127.0.0.1:{self._silent.getsockname()[1]}/v1",
        }

    def start(self, case: Case) -> None:
        if is_quick(case):
            return
        self._runs[case.name] = self._pool.submit(self._run, case)

    def outcome(self, case: Case) -> Run:
        return self._runs[case.name].result(60)

    def requests(self, case: Case) -> list[Request]:
        server = self._secure if case.secure else self._plain
        return [r for r in server.requests if _number(r) == CASES.index(case)]

    def fill_in(self, words: str, case: Case) -> str:
        server = self._secure if case.secure else self._plain
        url = server.url.replace("/v1", f"/{CASES.index(case)}/v1")
        return words.format(url=url, **self.words)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._refusing.close()
        self._silent.close()
        self._no_tls.shutdown()
        self._no_tls.server_close()
        self._plain.close()
        self._secure.close()

    def call(self, case: Case) -> Call:
        arguments: list[str | bytes] = ["say", "--device", "null", "--panel", "off"]
        arguments += [self.fill_in(a, case) if isinstance(a, str) else a for a in case.arguments]
        files = {
            name: self.fill_in(content, case) if isinstance(content, str) else content
            for name, content in case.files.items()
        }
        if case.script is not None:
            arguments += ["--save", "out.wav", "--json"]
            if case.requests or case.secure:
                arguments += ["--base-url", self.fill_in("{url}", case)]
        return Call(arguments, case.environ, files, case.stdin, case.closed)

    def _run(self, case: Case) -> Run:
        folder = self._folder / str(CASES.index(case))
        folder.mkdir()
        return run(self.call(case), folder)


def is_quick(case: Case) -> bool:
    """Whether it speaks nothing, asks nobody and reads no stdin: it needs no process of its own."""
    return case in _MISTAKES and case.script is None and not case.closed


def _number(request: Request) -> int:
    return int(request.path.split("/")[1])


def _answer(request: Request) -> Script:
    script = CASES[_number(request)].script
    assert script is not None
    return script


@pytest.fixture(scope="module")
def laboratory(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    """Starts the runs of all cases that are going to be looked at."""
    laboratory = Laboratory(tmp_path_factory.mktemp("cases"))
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.path == request.path:
            case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
            if isinstance(case, Case):
                laboratory.start(case)
    yield laboratory
    laboratory.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_goes_wrong_is_told_in_one_line(
    laboratory: Laboratory,
    case: Case,
    tmp_path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    if is_quick(case):
        ended = run_here(laboratory.call(case), tmp_path, capfdbinary)
    else:
        ended = laboratory.outcome(case)
    shown = f"exit {ended.code}\n{ended.err}"
    assert ended.code == case.code, shown
    assert len(ended.errors) == (1 if case.says else 0), shown
    for words in case.says:
        assert laboratory.fill_in(words, case) in ended.errors[0]
    assert len(ended.warnings) == len(case.warns), shown
    for words in case.warns:
        assert words in ended.warnings[0]
    if case.code and case.heard is None:
        assert ended.err.splitlines() == ended.warnings + ended.errors
    assert "Traceback" not in ended.err
    assert KEY not in ended.err
    assert KEY.encode() not in ended.out
    _check_figures(ended, case)
    _check_what_is_left(ended, case)
    if case.script is not None:
        _check_requests(laboratory.requests(case), case)


def _check_figures(ended: Run, case: Case) -> None:
    if case.script is None and "--json" not in case.arguments:
        assert ended.out == b""
        return
    figures: dict[str, Any] = json.loads(ended.out)
    assert figures["completed"] is (case.code == 0)
    said = [" ".join(error.split()) for error in figures["errors"]]
    assert [f"voicestream: {error}" for error in said] == ended.errors


def _check_what_is_left(ended: Run, case: Case) -> None:
    if case.heard is None and case.code:
        assert ended.left == {}
        return
    learnt = {name for name in ended.left if name.endswith("playout.json")}
    assert set(ended.left) - learnt == {"out.wav"}
    if case.heard:
        assert samples_in(ended.left["out.wav"]) == case.heard
    assert len(ended.left["out.wav"]) > 44


def _check_requests(requests: list[Request], case: Case) -> None:
    assert len(requests) == case.requests
    for request in requests:
        assert (request.method, request.path.endswith("/v1/audio/speech")) == ("POST", True)
