"""Replies that drip, stall, never end, or are larger than speech: each ends in time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.support.canary import KEY
from tests.support.proxy import Exchange, Fault, FaultProxy
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.errors import EndpointError, EndpointTimeoutError, IncompleteReplyError, ReplyError
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http import limits, stream
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.endpoint import HttpEndpoint
from voicestream.speech.http.limits import Limits, Watch, most_bytes

ASKED = SpeechRequest("Hello.", "model", "voice", "pcm")
_PATIENT_S = 30.0


def spoken(script: Script, **more: float) -> bytes:
    """What comes, with limits of so many seconds."""
    bounds = Limits(more.pop("stall_s", _PATIENT_S), _PATIENT_S)
    with ScriptedServer(script) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url, KEY, limits=bounds, **more))  # type: ignore[arg-type]
        try:
            return b"".join(endpoint.open(ASKED))
        finally:
            endpoint.close()


def test_a_body_that_stalls() -> None:
    with pytest.raises(IncompleteReplyError, match="stopped after 3000 bytes"):
        spoken(Script(bytes(6000), cut_after_bytes=3000, cut="stall"), stall_s=0.3)


def test_a_body_that_never_begins_is_waited_for_as_for_the_first_byte() -> None:
    script = Script(bytes(6000), cut_after_bytes=0, cut="stall")
    with pytest.raises(IncompleteReplyError, match="after 0 bytes"):
        spoken(script, timeout_s=0.3)


def test_a_body_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now_s))

    def drip() -> Iterator[bytes]:
        nonlocal now_s
        while True:
            now_s += 0.1
            yield b"x"

    with pytest.raises(IncompleteReplyError, match=r"more than 30 s"):
        deque(Watch(Limits(1.0, 30.0), max_bytes=1000)(drip()), maxlen=0)


@pytest.mark.parametrize(("status", "kind"), [(500, "text/plain"), (200, "text/html")])
def test_a_message_that_drips(status: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MESSAGE_S", 0.2)
    script = Script(b"x" * 4000, status, kind, piece_bytes=1, rate_bytes_per_s=50)
    with ScriptedServer(script) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url, KEY))
        with pytest.raises(EndpointError, match="xxx"):
            b"".join(endpoint.open(ASKED))
        assert server.wait_end().sent_bytes < 4000
        endpoint.close()


def test_a_head_that_drips() -> None:
    with (
        ScriptedServer(Script(bytes(9), framing="length")) as server,
        FaultProxy(int(server.url.rsplit(":", 1)[1].split("/")[0]), _slow_head) as proxy,
    ):
        endpoint = HttpEndpoint(EndpointConfig(proxy.url(), KEY, timeout_s=0.3))
        with pytest.raises(EndpointTimeoutError, match=r"sent nothing for 0.3 s"):
            endpoint.open(ASKED)
        endpoint.close()


def _slow_head(_: Exchange) -> Fault:
    return Fault("drip", drip_s=0.02)


def test_time_in_which_nobody_reads_does_not_count() -> None:
    with ScriptedServer(Script(bytes(400_000), rate_bytes_per_s=4e6)) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url, KEY, limits=Limits(0.3, 0.3)))
        stream = endpoint.open(ASKED)
        received = 0
        for number, piece in enumerate(stream):
            received += len(piece)
            if number == 1:
                time.sleep(0.5)  # as when enough is waiting to be played
        endpoint.close()
    assert received == 400_000


def endless(piece: bytes = bytes(1 << 20)) -> Iterator[bytes]:
    while True:
        yield piece


def test_a_body_without_end() -> None:
    watch = Watch(Limits(), most_bytes(ASKED))
    with pytest.raises(ReplyError, match=r"more than 33 MB"):
        deque(watch(endless()), maxlen=0)


@pytest.mark.parametrize("speed", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("chars", [1, 100, 4096])
def test_honest_speech_is_never_too_large(chars: int, speed: float) -> None:
    asked = SpeechRequest("a" * chars, "m", "v", "pcm", speed)
    slowest_s = 5 + chars / 6 / min(speed, 1.0)
    assert most_bytes(asked) >= min(slowest_s * 96_000, 250e6)
    assert most_bytes(asked) <= 256 << 20
