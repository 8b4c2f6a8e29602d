"""voicestream as a library, against a real server on the simulated device."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import voicestream
from tests.support import tones
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream import Event, Result, Settings, VoicestreamError

pytestmark = pytest.mark.usefixtures("quick_null")
WORDS = ("This is the first of them. ", "And here ", "is another one. ", "The last one ends it.")
BYTES_PER_S = 48_000
WAIT_S = 15.0


def answer(request: Request) -> Script:
    return Script(tones.speech(request.json["input"], 0.15).tobytes())


def long_answer(_: Request) -> Script:
    return Script(tones.tone(1, 20.0).tobytes(), rate_bytes_per_s=4 * BYTES_PER_S)


def settings(server: ScriptedServer, **more: Any) -> Settings:
    return Settings(base_url=server.url, device="null", **more)


async def written() -> AsyncIterator[str]:
    for word in WORDS:
        yield word
        await asyncio.sleep(0.01)


def said(server: ScriptedServer) -> set[str]:
    return set(" ".join(request.json["input"] for request in server.requests).split())


def test_the_parameters_are_the_same_but_for_the_text() -> None:
    twins = (voicestream.say, voicestream.start, voicestream.speak_stream)
    first, *others = (tuple(inspect.signature(each).parameters.values())[1:] for each in twins)
    assert others == [first] * 2


@pytest.mark.parametrize("kind", ["async generator", "generator", "list", "text"])
def test_speak_stream_takes_every_kind_of_text(kind: str) -> None:
    text: Any = {
        "async generator": written(),
        "generator": (word for word in WORDS),
        "list": list(WORDS),
        "text": "".join(WORDS),
    }[kind]
    with ScriptedServer(answer) as server:
        result = asyncio.run(voicestream.speak_stream(text, settings(server)))
    assert result.completed
    assert result.spoken.strip() == "".join(WORDS).strip()
    assert said(server) == set("".join(WORDS).split())


@pytest.mark.parametrize("speak", [voicestream.say, voicestream.speak_stream_sync])
def test_the_blocking_twins_take_an_iterable_and_speak_while_it_goes_on(speak: Any) -> None:
    asked = threading.Event()

    def note(request: Request) -> Script:
        asked.set()
        return answer(request)

    def words() -> Iterator[str]:
        yield WORDS[0] + "And "
        assert asked.wait(WAIT_S)  # spoken before the rest is written
        yield "so on."

    with ScriptedServer(note) as server:
        result = speak(words(), settings(server))
    assert result.completed


def test_events_tell_of_segments_in_the_loop_that_asked() -> None:
    seen: list[Event] = []
    places: set[int] = set()

    def on_event(event: Event) -> None:
        seen.append(event)
        places.add(threading.get_ident())

    with ScriptedServer(answer) as server:
        asyncio.run(voicestream.speak_stream(written(), settings(server), on_event))
    kinds = [event.kind for event in seen]
    assert {"segment_queued", "first_byte", "playing", "segment_done", "end"} <= set(kinds)
    assert kinds[-1] == "end"
    assert places == {threading.get_ident()}


def test_each_segment_is_told_once_it_is_heard(quick_null: float) -> None:
    seen: list[Event] = []
    with ScriptedServer(lambda _: Script(tones.tone(1, 0.4).tobytes())) as server:
        result = voicestream.say(WORDS, settings(server, trim=False), seen.append)
    (playing,) = (event for event in seen if event.kind == "playing")
    heard = [event for event in seen if event.kind == "heard"]
    assert [event.segment for event in heard] == [0, 1, 2]
    assert [event.text for event in heard] == [it.text for it in result.snapshot.segments]
    assert seen[-1].kind == "end"
    words = [event.text for event in seen if event.kind == "word"]
    assert words == "".join(event.text for event in heard).split()
    order = [event.segment for event in seen if event.kind in ("word", "heard")]
    assert order == sorted(order, key=int)
    for event, cue in zip(heard, result.snapshot.cues, strict=True):
        heard_ms = 1000 * cue.end_frame / tones.RATE_HZ / quick_null
        assert event.at_ms - playing.at_ms >= heard_ms - 20


def test_what_is_interrupted_was_not_heard() -> None:
    seen: list[Event] = []

    def first_heard() -> bool:
        return any(event.kind == "heard" for event in seen)

    def reply(request: Request) -> Script:
        first = "first" in request.json["input"]
        return Script(tones.tone(1, 0.2 if first else 20.0).tobytes())

    with ScriptedServer(reply) as server:
        result = voicestream.say(
            WORDS, settings(server), seen.append, interrupt_callback=first_heard
        )
    assert interrupted(result)
    assert [event.segment for event in seen if event.kind == "heard"] == [0]


def interrupted(result: Result) -> bool:
    return not result.completed and result.snapshot.state is voicestream.State.CANCELLED


def test_a_callback_interrupts_and_the_text_spoken_so_far_is_told() -> None:
    playing = threading.Event()

    def on_event(event: Event) -> None:
        if event.kind == "playing":
            playing.set()

    text = "A long story that is told. " * 5
    with ScriptedServer(long_answer) as server:
        result = voicestream.say(
            text, settings(server), on_event, interrupt_callback=playing.is_set
        )
    assert interrupted(result)
    assert text.startswith(result.spoken)
    assert len(result.spoken) < len(text) / 2


def test_a_callback_interrupts_in_an_event_loop_and_the_writer_is_closed() -> None:
    closed = []

    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "And one more sentence of it. "
                await asyncio.sleep(0.001)
        finally:
            closed.append(True)

    calls = []

    def callback() -> bool:
        calls.append(threading.get_ident())
        return len(calls) > 5

    with ScriptedServer(long_answer) as server:
        result = asyncio.run(
            voicestream.speak_stream(endless(), settings(server), interrupt_callback=callback)
        )
    assert interrupted(result)
    assert set(calls) == {threading.get_ident()}
    assert len(calls) == 6
    assert closed == [True]


def test_what_is_not_interruptible_is_spoken_to_its_end() -> None:
    with ScriptedServer(answer) as server:
        handle = voicestream.start(
            "Number 1 is spoken.",
            settings(server),
            interruptible=False,
            interrupt_callback=lambda: True,
        )
        handle.interrupt()
        assert handle.result().completed


def test_a_callback_that_fails_is_a_warning() -> None:
    def broken() -> bool:
        raise ValueError("mine")

    with ScriptedServer(answer) as server:
        result = voicestream.say("One.", settings(server), interrupt_callback=broken)
    assert result.completed
    assert any("mine" in warning for warning in result.snapshot.warnings)


def test_cancelling_the_task_ends_the_requests() -> None:
    async def main(server: ScriptedServer) -> None:
        task = asyncio.create_task(
            voicestream.speak_stream("A long one.", settings(server), interruptible=False)
        )
        await asyncio.to_thread(server.wait_sent)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with ScriptedServer(long_answer) as server:
        asyncio.run(main(server))
        assert server.wait_end().client_closed_s is not None


def test_an_interrupted_generator_is_not_read_to_its_end() -> None:
    given = 0
    cleaned = threading.Event()

    def endless() -> Iterator[str]:
        nonlocal given
        try:
            while True:
                given += 1
                yield "And one more sentence of it. "
        finally:
            cleaned.set()

    with ScriptedServer(long_answer) as server:
        handle = voicestream.start(endless(), settings(server))
        server.wait_sent()
        handle.interrupt()
        assert interrupted(handle.result())
    assert cleaned.wait(WAIT_S)
    count = given
    time.sleep(0.05)
    assert given == count


def test_a_text_that_fails_is_spoken_up_to_there_and_told() -> None:
    async def broken() -> AsyncIterator[str]:
        yield WORDS[0] + "And "
        raise ValueError("the model is gone")

    with ScriptedServer(answer) as server:
        result = asyncio.run(voicestream.speak_stream(broken(), settings(server)))
    assert not result.completed
    assert "the model is gone" in str(result.errors[0])
    assert isinstance(result.errors[0].__cause__, ValueError)
    assert result.spoken.startswith("This is the first")


@pytest.mark.parametrize("wrong", [b"bytes", 5, None])
def test_what_is_no_text_is_refused(wrong: Any) -> None:
    with ScriptedServer(answer) as server, pytest.raises(VoicestreamError, match="no text"):
        voicestream.say(wrong, settings(server))


@pytest.mark.parametrize("nothing", ["", [], [" ", "\n"]])
def test_nothing_to_say_is_an_error(nothing: Any) -> None:
    with ScriptedServer(answer) as server, pytest.raises(VoicestreamError, match="nothing to say"):
        asyncio.run(voicestream.speak_stream(nothing, settings(server)))


def test_what_is_no_endpoint_is_refused() -> None:
    with pytest.raises(VoicestreamError, match="no endpoint"):
        voicestream.say("Hello.", Settings(device="null"), endpoint=object())
