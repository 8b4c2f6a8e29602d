"""The scripted server in a process of its own, for measurements: it shares no GIL."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection

from tests.support.realtime_events import Asked, Step, speak
from tests.support.realtime_server import RealtimeServer
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

Reply = Script | Callable[[Request], Script]


class ServerProcess:
    """A :class:`ScriptedServer` elsewhere. Its scripts may hold no events.

    A script called ``realtime`` is what a :class:`RealtimeServer` beside it says.

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
        self._realtime: str = self._pipe.recv()

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send("close")
        self._process.join(10)

    @property
    def pid(self) -> int:
        return self._process.pid or os.getpid()

    def url(self, name: str) -> str:
        """The base URL whose requests are answered with this script."""
        return self._realtime if name == "realtime" else f"{self._root}/{name}/v1"

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

    def answer(asked: Asked) -> Iterator[Step]:
        script = scripts["realtime"]
        assert isinstance(script, Script)
        size = script.piece_bytes if isinstance(script.piece_bytes, int) else 4800
        rate = script.rate_bytes_per_s
        delay_s = script.first_byte_delay_s
        return speak(asked, script.body, delay_s=delay_s, rate_bytes_per_s=rate, piece_bytes=size)

    with ScriptedServer(choose) as server, RealtimeServer(answer) as realtime:
        pipe.send(server.url.removesuffix("/v1"))
        pipe.send(realtime.url)
        while pipe.recv() != "close":
            taken, server.requests[:] = list(server.requests), []
            asked, realtime.asked[:] = list(realtime.asked), []
            pipe.send([*taken, *map(_as_request, asked)])


def _as_request(asked: Asked) -> Request:
    """What was asked of the Realtime API, as if it had been over HTTP."""
    request = Request(asked.connection, 0.0, "POST", "/realtime", {}, b"", asked.at_s)
    request.first_byte_s = asked.first_delta_s
    return request
