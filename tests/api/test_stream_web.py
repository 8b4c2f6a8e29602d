"""A web page whose sound is streamed: real uvicorn, a client that reads, and one that goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

import voicestream
from tests.api.test_stream import LONG_BYTES, answer, endless, settings
from tests.support import tones
from tests.support.server import ScriptedServer


@contextmanager
def page(server: ScriptedServer) -> Iterator[str]:
    async def speak(request: Request) -> Response:
        sound = voicestream.stream(request.query_params["text"], settings(server))
        pcm = await sound.opened()
        return StreamingResponse(sound, media_type=f"audio/pcm; rate={pcm.rate_hz}")

    app = Starlette(routes=[Route("/speak", speak)])
    site = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    started = threading.Event()
    startup = site.startup

    async def start(sockets: list[object] | None = None) -> None:
        await startup(sockets)  # type: ignore[arg-type]
        started.set()

    site.startup = start  # type: ignore[method-assign,assignment]
    thread = threading.Thread(target=site.run, daemon=True)
    thread.start()
    assert started.wait(20)
    port = site.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/speak"
    finally:
        site.should_exit = True
        thread.join(20)


def test_a_page_streams_the_sound() -> None:
    with ScriptedServer(answer) as server, page(server) as url:
        got = httpx.get(url, params={"text": "Number 1 and 2."})
    assert got.headers["content-type"] == "audio/pcm; rate=24000"
    assert got.content == tones.speech("1 2", 0.2).tobytes()


def test_a_visitor_who_goes_ends_the_requests() -> None:
    with ScriptedServer(endless) as server, page(server) as url:
        text = "One long sentence is read out. " * 20
        with httpx.stream("GET", url, params={"text": text}) as reply:
            next(reply.iter_bytes())
        for number in range(len(server.requests)):
            assert server.wait_end(number + 1).sent_bytes < LONG_BYTES
