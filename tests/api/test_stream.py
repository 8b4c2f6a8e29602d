"""The sound of a text without a sound card: in a ``for``, and in an ``async for``."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np
import pytest

import voicestream
from tests.support import tones
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream import Event, Settings, SoundStream
from voicestream.errors import ResponseError, UsageError
from voicestream.pcm import PcmFormat
from voicestream.session.sound_pipe import SoundPipe

TEXT = "Number 1 is said. Then 2, and then number 3 at last."
WAIT_S = 20.0
LONG_BYTES = 48 << 20


def answer(request: Request) -> Script:
    return Script(tones.speech(request.json["input"], 0.2).tobytes())


def endless(_: Request) -> Script:
    return Script(tones.tone(1, 4.0).tobytes() * (LONG_BYTES // 192_000), piece_bytes=65_536)


def settings(server: ScriptedServer, **more: Any) -> Settings:
    return Settings(base_url=server.url, trim=False, normalize=False, **more)


def read(sound: SoundStream) -> bytes:
    return b"".join(sound)


async def read_async(sound: SoundStream) -> bytes:
    return b"".join([piece async for piece in sound])


async def written() -> AsyncIterator[str]:
    for word in TEXT.split(" "):
        yield f"{word} "
        await asyncio.sleep(0.001)


def in_loop(work: Callable[[], Any]) -> Any:
    async def run() -> Any:
        return await work()

    return asyncio.run(run())


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(answer) as server:
        yield server


@pytest.mark.parametrize("kind", ["for", "async for", "async for, async text"])
def test_it_gives_every_sample_and_the_format(kind: str, server: ScriptedServer) -> None:
    async def all_of(text: Any) -> tuple[PcmFormat, bytes]:
        sound = voicestream.stream(text, settings(server))
        return await sound.opened(), await read_async(sound)

    if kind == "for":
        sound = voicestream.stream(TEXT, settings(server))
        pcm, heard = sound.format, read(sound)
        assert sound.result().completed
    else:
        pcm, heard = in_loop(lambda: all_of(written() if "text" in kind else TEXT))
    assert pcm == PcmFormat(24_000, 1, "s16")
    assert np.array_equal(np.frombuffer(heard, "<i2"), tones.speech(TEXT, 0.2))


def test_it_speaks_while_the_text_goes_on(server: ScriptedServer) -> None:
    heard = threading.Event()

    def words() -> Iterator[str]:
        yield "Number 1 is the first of them. And "
        assert heard.wait(WAIT_S)
        yield "then 2."

    sound = voicestream.stream(words(), settings(server))
    first = next(sound)
    heard.set()
    assert tones.heard_numbers(np.frombuffer(first + read(sound), "<i2")) == [1, 2]


def test_events_tell_of_segments_but_not_of_what_nobody_hears(server: ScriptedServer) -> None:
    seen: list[Event] = []
    read(voicestream.stream(TEXT, settings(server), seen.append))
    kinds = {event.kind for event in seen}
    assert {"segment_queued", "first_byte", "segment_done", "end"} <= kinds
    assert not {"playing", "heard"} & kinds


def test_a_slow_reader_slows_the_server() -> None:
    with ScriptedServer(endless) as server:
        sound = voicestream.stream("One very long reply. " * 200, settings(server))
        next(sound)
        sent = _settled(lambda: server.requests[0].sent_bytes)
        # what waits: the pipe, a spool, and what sockets hold
        assert sent < LONG_BYTES // 2
        more = sum(len(next(sound)) for _ in range(2000))
        assert more > 4 << 20
        assert _settled(lambda: server.requests[0].sent_bytes) > sent
        sound.close()
        server.wait_end()


def _settled(value: Callable[[], int]) -> int:
    """A value that grows, once it has stood still for a while."""
    still = threading.Event()
    last, seen = -1, 0
    while seen < 10:
        now = value()
        last, seen = (last, seen + 1) if now == last else (now, 0)
        still.wait(0.03)
    return last


LEAVE = {
    "close": lambda sound: sound.close(),
    "with": lambda sound: sound.__exit__(None, None, None),
    "forgotten": lambda _: None,
}


@pytest.mark.parametrize("way", LEAVE)
def test_who_stops_reading_ends_the_requests_at_once(way: str) -> None:
    with ScriptedServer(endless) as server:
        sound = voicestream.stream("One long reply. And one more.", settings(server))
        next(sound)
        LEAVE[way](sound)
        if way != "forgotten":
            assert list(sound) == []
            assert sound.result().snapshot.state is voicestream.State.CANCELLED
        del sound
        gc.collect()
        for number in range(len(server.requests)):
            request = server.wait_end(number + 1)
            assert request.sent_bytes < LONG_BYTES


def test_who_leaves_an_async_for_ends_the_requests_and_the_text() -> None:
    closed: list[bool] = []

    async def text() -> AsyncIterator[str]:
        try:
            while True:
                yield "And one more sentence of it. "
                await asyncio.sleep(0.001)
        finally:
            closed.append(True)

    async def some(server: ScriptedServer) -> None:
        async with voicestream.stream(text(), settings(server)) as sound:
            async for _piece in sound:
                break

    with ScriptedServer(endless) as server:
        asyncio.run(some(server))
        assert closed == [True]
        server.wait_end()


@pytest.mark.parametrize("awaits", ["a piece", "something else"])
def test_a_reader_that_is_cancelled_ends_the_requests(awaits: str) -> None:
    """Whoever still holds the sound: a task's traceback does until garbage is collected."""

    async def read_on(sound: SoundStream, reading: asyncio.Event) -> None:
        async for _piece in sound:
            reading.set()
            if awaits == "something else":
                await asyncio.Event().wait()

    async def cancelled(server: ScriptedServer) -> SoundStream:
        sound = voicestream.stream("One long reply.", settings(server))
        reader = asyncio.create_task(read_on(sound, reading := asyncio.Event()))
        await reading.wait()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        return sound

    hold = threading.Event()
    script = Script(tones.tone(1, 4.0).tobytes(), hold=hold, hold_at_bytes=9600)
    with ScriptedServer(script) as server:
        sound = asyncio.run(cancelled(server))
        assert server.wait_end().client_closed_s is not None
        assert list(sound) == []
        hold.set()


def test_the_loop_goes_on_while_the_sound_is_awaited() -> None:
    hold, ticks = threading.Event(), 0

    async def ticking() -> None:
        nonlocal ticks
        for ticks in range(20):  # noqa: B007
            await asyncio.sleep(0.002)
        hold.set()

    async def both(server: ScriptedServer) -> bytes:
        ticker = asyncio.create_task(ticking())
        sound = await read_async(voicestream.stream("Number 1.", settings(server)))
        await ticker
        return sound

    body = tones.tone(1, 0.2).tobytes()
    with ScriptedServer(Script(body, hold=hold, hold_at_bytes=100)) as server:
        assert asyncio.run(both(server)) == body
    assert ticks == 19


@pytest.mark.parametrize("asynchronous", [False, True])
def test_what_fails_is_raised_after_what_came(asynchronous: bool) -> None:
    def second_fails(request: Request) -> Script:
        return Script.error(400, {}) if "2" in request.json["input"] else answer(request)

    text = "Number 1 is said at first. And 2 is not said any more."
    heard: list[bytes] = []

    async def collect(sound: SoundStream) -> None:
        async for piece in sound:
            heard.append(piece)

    async def all_of(server: ScriptedServer) -> None:
        await collect(voicestream.stream(text, settings(server)))

    def read_all(server: ScriptedServer) -> None:
        if asynchronous:
            asyncio.run(all_of(server))
        else:
            heard.extend(voicestream.stream(text, settings(server)))

    with ScriptedServer(second_fails) as server, pytest.raises(ResponseError):
        read_all(server)
    assert tones.heard_numbers(np.frombuffer(b"".join(heard), "<i2")) == [1]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_nothing_at_all_is_an_error_for_who_asks_for_the_format(asynchronous: bool) -> None:
    async def opened(server: ScriptedServer) -> PcmFormat:
        return await voicestream.stream("Hello.", settings(server)).opened()

    def ask(server: ScriptedServer) -> PcmFormat:
        if asynchronous:
            return asyncio.run(opened(server))
        return voicestream.stream("Hello.", settings(server)).format

    with ScriptedServer(Script.error(400, {})) as server, pytest.raises(ResponseError):
        ask(server)


def test_what_cannot_be_is_told_before_anything_is_asked(server: ScriptedServer) -> None:
    answered = threading.Event()

    async def ask_too_early(silent: ScriptedServer) -> None:
        try:
            _ = voicestream.stream(TEXT, settings(silent)).format
        finally:
            answered.set()

    with pytest.raises(UsageError, match="nothing to say"):
        voicestream.stream(" ", settings(server))
    with pytest.raises(UsageError, match="is no text"):
        voicestream.stream(5, settings(server))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="event loop"):
        voicestream.stream(written(), settings(server))
    with pytest.raises(UsageError, match="not read to its end"):
        voicestream.stream(TEXT, settings(server)).result()
    script = Script(tones.tone(1, 0.5).tobytes(), hold_at_bytes=0, hold=answered)
    with ScriptedServer(script) as silent, pytest.raises(UsageError, match="opened"):
        asyncio.run(ask_too_early(silent))


def test_a_pipe_holds_no_more_than_its_room() -> None:
    pipe = SoundPipe(room_s=0.1)
    pipe.open(PcmFormat(24_000))
    frames = np.ones((240, 1), np.int16)
    written = 0
    done = threading.Event()

    def write() -> None:
        nonlocal written
        for _ in range(100):
            pipe.write(frames)
            written += 1
        done.set()

    threading.Thread(target=write, daemon=True).start()
    assert _settled(lambda: written) == 10
    assert pipe.poll() == frames.tobytes()
    assert _settled(lambda: written) == 11
    pipe.cancel()
    assert done.wait(WAIT_S)
    assert pipe.poll() is None


def test_dir_and_help_show_the_functions() -> None:
    shown = {name for name in dir(voicestream) if not name.startswith("_")}
    assert set(voicestream.__all__) <= shown
    assert "TYPE_CHECKING" not in shown
    for name in voicestream.__all__:
        assert inspect.getdoc(getattr(voicestream, name)), name
