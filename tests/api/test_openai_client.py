"""The caller's own client of the real ``openai`` package as the endpoint."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import voicestream
from tests.support import tones
from tests.support.canary import KEY
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream import Settings
from voicestream.errors import (
    ConnectionFailedError,
    EndpointTimeoutError,
    IncompleteReplyError,
    KeyRefusedError,
    ReplyError,
    ResponseError,
    VoicestreamError,
)
from voicestream.speech.openai_client import _own_loop

pytestmark = pytest.mark.usefixtures("quick_null")
BYTES_PER_S = 48_000
Kind = Callable[[str], Any]
NULL = Settings(device="null")
TEXT = "This is the first of them. And this is the second of them. Here is the third one."


def answer(request: Request) -> Script:
    return Script(tones.speech(request.json["input"], 0.15).tobytes())


_OPEN: list[Any] = []


def package() -> Any:
    """The package takes a second to load: not each worker has to."""
    import openai

    return openai


def plain(url: str, **more: Any) -> Any:
    _OPEN.append(package().OpenAI(api_key=KEY, base_url=url, max_retries=0, **more))
    return _OPEN[-1]


def asynchronous(url: str, **more: Any) -> Any:
    _OPEN.append(package().AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0, **more))
    return _OPEN[-1]


def azure(url: str, **more: Any) -> Any:
    more |= {"api_version": "2025-01-01", "max_retries": 0}
    _OPEN.append(package().AzureOpenAI(api_key=KEY, base_url=url, **more))
    return _OPEN[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """The clients are the caller's to close."""
    yield
    for client in _OPEN:
        closing = client.close()
        if inspect.isawaitable(closing):
            asyncio.run_coroutine_threadsafe(_wait(closing), _own_loop()).result(10)
    _OPEN.clear()


async def _wait(closing: Any) -> None:
    await closing


KINDS = pytest.mark.parametrize("kind", [plain, asynchronous, azure])
BOTH = pytest.mark.parametrize("kind", [plain, asynchronous])


@KINDS
def test_a_client_speaks_and_stays_open(kind: Kind) -> None:
    with ScriptedServer(answer) as server:
        client = kind(server.url)
        for _ in range(2):
            result = voicestream.say(TEXT, NULL, endpoint=client)
            assert result.completed
            assert result.snapshot.endpoint == server.url
            assert result.spoken == TEXT
    request = server.requests[0]
    key = "api-key" if kind is azure else "authorization"
    assert request.headers[key].endswith(KEY)
    assert request.json["voice"] == "alloy"
    assert request.json["response_format"] == "pcm"
    assert "speed" not in request.json
    assert "instructions" not in request.json


def test_an_async_client_speaks_in_the_loop_where_it_is_at_home() -> None:
    async def main(url: str) -> voicestream.Result:
        async with package().AsyncOpenAI(api_key=KEY, base_url=url) as client:
            await voicestream.speak_stream("A first one.", NULL, endpoint=client)
            return await voicestream.speak_stream(TEXT, NULL, endpoint=client)

    with ScriptedServer(answer) as server:
        result = asyncio.run(main(server.url))
    assert result.completed
    assert result.spoken == TEXT


@BOTH
def test_speed_instructions_and_headers_are_passed_on(kind: Kind) -> None:
    settings = Settings(device="null", speed=1.5, instructions="softly", voice="nova", model="tts")
    with ScriptedServer(answer) as server:
        client = kind(server.url, default_headers={"X-Team": "speech"})
        voicestream.say("Hello.", settings, endpoint=client)
        sent = server.wait_request()
    assert sent.headers["x-team"] == "speech"
    wanted = {"speed": 1.5, "instructions": "softly", "voice": "nova", "model": "tts"}
    assert {name: sent.json[name] for name in wanted} == wanted


JSON = Script(b'{"error": {"message": "no such voice"}}', content_type="application/json")
SOUND = tones.tone(1, 1.0).tobytes()


@BOTH
@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (Script.error(401, {"error": {"message": "bad key"}}), KeyRefusedError, "bad key"),
        (Script.error(404, {"detail": "no such model"}), ResponseError, "no such model"),
        (Script.error(429, "slow down"), ResponseError, "fewer requests"),
        (Script.error(500, "oh no"), ResponseError, "oh no"),
        (JSON, ReplyError, "no such voice"),
        (replace(JSON, content_type="audio/pcm"), ReplyError, "a message, .*no such voice"),
        (Script(b""), ReplyError, "empty body"),
        (Script(SOUND, header_delay_s=3), EndpointTimeoutError, "in time"),
        (Script(raw=b""), ConnectionFailedError, "no connection"),
    ],
)
def test_its_exceptions_are_ours(
    kind: Kind, script: Script, error: type[VoicestreamError], words: str
) -> None:
    settings = Settings(device="null", timeout_s=0.5)
    with ScriptedServer(script) as server, pytest.raises(error, match=words):
        voicestream.say("Hello.", settings, endpoint=kind(server.url))


@BOTH
def test_a_reply_that_breaks_off_is_heard_up_to_there(kind: Kind) -> None:
    script = Script(SOUND, cut_after_bytes=len(SOUND) // 2)
    with ScriptedServer(script) as server:
        result = voicestream.say("Hello.", NULL, endpoint=kind(server.url))
    assert not result.completed
    assert isinstance(result.errors[0], IncompleteReplyError)
    assert result.snapshot.audio_s > 0.2


@BOTH
def test_an_interrupt_ends_the_request_while_the_server_is_silent(kind: Kind) -> None:
    script = Script(SOUND, hold_at_bytes=24_000, hold=threading.Event())
    with ScriptedServer(script) as server:
        handle = voicestream.start("Hello.", NULL, endpoint=kind(server.url))
        server.wait_sent(sent_bytes=24_000)
        handle.interrupt()
        assert not handle.result().completed
        assert server.wait_end().client_closed_s is not None


def test_an_interrupt_before_the_reply_ends_the_request_of_an_async_client() -> None:
    with ScriptedServer(Script(SOUND, header_delay_s=20)) as server:
        handle = voicestream.start("Hello.", NULL, endpoint=asynchronous(server.url))
        server.wait_request()
        handle.interrupt()
        assert not handle.result().completed
        assert server.wait_end(timeout_s=5).client_closed_s is not None


def test_a_rate_the_reply_names_is_taken() -> None:
    sound = Script(tones.tone(1, 0.5).tobytes(), headers={"X-Sample-Rate": "12000"})
    with ScriptedServer(sound) as server:
        result = voicestream.say("Hello.", NULL, endpoint=plain(server.url))
    assert result.snapshot.audio_s == pytest.approx(1.0)
