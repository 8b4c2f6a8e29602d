"""The scripted server in a process of its own, for measurements: it shares no GIL."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from types import TracebackType

from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

Reply = Script | Callable[[Request], Script]


class ServerProcess:
    """A :class:`ScriptedServer` elsewhere. Its scripts may hold no events.

    The reply is chosen by the first part of the path, so that one server has several:
    ``url("wav")`` is answered with ``scripts["wav"]``, or with what it returns
    for the request (a function that can be pickled).
    """

    def __init__(self, scripts: Mapping[str, Reply]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, scripts), daemon=True)
        self._process.start()
        theirs.close()
        self._root: str = self._pipe.recv()

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.send("close")
        self._process.join(10)

    @property
    def pid(self) -> int:
        return self._process.pid or os.getpid()

    def url(self, name: str) -> str:
        """The base URL whose requests are answered with this script."""
        return f"{self._root}/{name}/v1"

    def take_requests(self) -> Sequence[Request]:
        """The requests since the last call."""
        self._pipe.send("take")
        requests: list[Request] = self._pipe.recv()
        return requests


def _serve(pipe: Connection, scripts: Mapping[str, Reply]) -> None:
    missing = Script.error(404, "no such script")

    def choose(request: Request) -> Script:
        found = scripts.get(request.path.strip("/").partition("/")[0], missing)
        return found if isinstance(found, Script) else found(request)

    with ScriptedServer(choose) as server:
        pipe.send(server.url.removesuffix("/v1"))
        while pipe.recv() != "close":
            taken, server.requests[:] = list(server.requests), []
            pipe.send(taken)
