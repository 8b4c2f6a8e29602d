"""A Realtime endpoint against a scripted one on a real WebSocket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.speech.realtime.asking import endpoint_at, honest, request, sound_of
from tests.support.canary import KEY
from tests.support.realtime_events import Asked, Step, speak
from tests.support.realtime_server import RealtimeServer
from tests.support.script import Script
from tests.support.server import ScriptedServer, tls_context
from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    EndpointTimeoutError,
    IncompleteReplyError,
    KeyRefusedError,
    ModelGoneError,
    ReplyError,
    ResponseError,
)
from voicestream.speech.base import Call
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.realtime.endpoint import RealtimeEndpoint
from voicestream.speech.realtime.handshake import open_early
from voicestream.speech.realtime.protocol import first_messages


@pytest.fixture
def server() -> Iterator[RealtimeServer]:
    with RealtimeServer(honest) as running:
        yield running


def test_all_segments_of_a_voice_share_a_socket_and_another_voice_has_its_own(
    server: RealtimeServer,
) -> None:
    endpoint = endpoint_at(server.url)
    for number, voice in enumerate(["marin", "marin", "cedar", "marin"]):
        text = f"Number {number}."
        stream = endpoint.open(request(text, voice=voice))
        assert b"".join(stream) == sound_of(text)
        assert stream.said == text
        assert (stream.rate_hz, stream.channels) == (24_000, 1)
    endpoint.close()
    assert [(asked.connection, asked.voice) for asked in server.asked] == [
        (0, "marin"),
        (0, "marin"),
        (1, "cedar"),
        (0, "marin"),
    ]
    assert [shake.path for shake in server.handshakes] == ["/v1/realtime?model=gpt-realtime-x"] * 2
    assert server.handshakes[0].headers["Authorization"] == f"Bearer {KEY}"


def test_parallel_responses_that_end_out_of_order_are_told_apart() -> None:
    begun = threading.Barrier(3)

    def answer(asked: Asked) -> Iterator[Step]:
        begun.wait(20)  # all three run at once
        number = int(asked.text.split()[1].strip("."))
        yield from speak(asked, sound_of(asked.text), delay_s=0.3 - number / 10, piece_bytes=4801)

    with RealtimeServer(answer) as server, ThreadPoolExecutor() as pool:
        endpoint = endpoint_at(server.url)
        texts = [f"Number {number}." for number in range(3)]
        sounds = list(pool.map(lambda text: b"".join(endpoint.open(request(text))), texts))
        endpoint.close()
    assert sounds == [sound_of(text) for text in texts]
    assert {asked.connection for asked in server.asked} == {0}


def test_the_early_connection_has_asked_already(server: RealtimeServer) -> None:
    early = open_early(server.url, KEY, "gpt-realtime-x", 20.0)
    early.start()
    early.send(first_messages(request("One.")))
    server.wait(lambda: bool(server.asked))
    endpoint = RealtimeEndpoint(EndpointConfig(server.url, KEY), early)
    second = endpoint.open(request("Two."))  # whoever comes first, each gets its own
    first = endpoint.open(request("One."))
    assert b"".join(second) == sound_of("Two.")
    assert b"".join(first) == sound_of("One.")
    endpoint.close()
    assert [asked.text for asked in server.asked] == ["One.", "Two."]
    assert len(server.handshakes) == len(server.sessions) == 1


def test_an_early_connection_without_a_text_is_kept_for_the_first(server: RealtimeServer) -> None:
    early = open_early(server.url, KEY, "gpt-realtime-x", 20.0)
    early.start()
    early.send(None)
    endpoint = RealtimeEndpoint(EndpointConfig(server.url, KEY), early)
    assert b"".join(endpoint.open(request())) == sound_of("Hello.")
    endpoint.close()
    assert len(server.handshakes) == len(server.sessions) == 1


def test_a_server_that_leaves_the_handshake_unanswered_is_told_as_that() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = endpoint_at(f"ws://127.0.0.1:{silent.getsockname()[1]}/v1", connect_s=0.1)
        with pytest.raises(EndpointTimeoutError, match="has not answered as a WebSocket") as told:
            b"".join(endpoint.open(request()))
        endpoint.close()
    assert told.value.repeatable


def test_closing_a_stream_cancels_its_response_and_what_still_comes_is_nobodys() -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        is_long = asked.text == "Long."
        sound = sound_of(asked.text, 480_000) * (10 if is_long else 1)
        for wait_s, what in speak(asked, sound, rate_bytes_per_s=1e5):
            yield (wait_s if is_long else 0.0), what

    with RealtimeServer(answer) as server:
        endpoint = endpoint_at(server.url)
        stream = endpoint.open(request("Long."))
        assert next(piece for piece in stream if piece)
        stream.close()
        server.wait(lambda: server.asked[0].cancelled_s is not None)
        assert b"".join(endpoint.open(request("Short."))) == sound_of("Short.", 480_000)
        endpoint.close()
    assert server.asked[0].sent_bytes < 4_800_000
    assert {asked.connection for asked in server.asked} == {0}


def test_abort_cancels_what_runs_and_ends_all_waiting_at_once() -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        yield from list(speak(asked, sound_of(asked.text)))[:-8]
        yield 0.0, "stall"

    with RealtimeServer(answer) as server:
        endpoint = endpoint_at(server.url)
        stream = endpoint.open(request())
        pieces = iter(stream)
        while not next(pieces):
            pass
        threading.Timer(0.1, endpoint.abort).start()
        began_s = time.monotonic()
        with pytest.raises(IncompleteReplyError):
            list(pieces)
        assert time.monotonic() - began_s < 5
        server.wait(lambda: server.asked[0].cancelled_s is not None)
        with pytest.raises(ConnectionFailedError):
            endpoint.open(request())


def test_a_request_that_is_given_up_ends_alone() -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        if asked.text == "Never.":
            yield 0.0, "stall"
        yield from honest(asked)

    with RealtimeServer(answer) as server:
        endpoint = endpoint_at(server.url)
        call = Call()
        threading.Timer(0.2, call.cancel).start()
        with pytest.raises(ConnectionFailedError, match="given up"):
            endpoint.open(replace(request("Never."), call=call))
        assert b"".join(endpoint.open(request())) == sound_of("Hello.")
        endpoint.close()
    assert {asked.connection for asked in server.asked} == {0}


def test_limits_tell_how_long_to_wait() -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        limit = {"name": "requests", "limit": 3, "remaining": 0, "reset_seconds": 7.5}
        error = {"code": "rate_limit_exceeded", "type": "requests", "message": "Slow down."}
        *begun, last = speak(asked, b"", status="failed", error=error)
        yield from begun
        yield 0.0, {"type": "rate_limits.updated", "rate_limits": [limit]}
        yield last

    with RealtimeServer(answer) as server:
        endpoint = endpoint_at(server.url)
        with pytest.raises(ResponseError) as caught:
            list(endpoint.open(request()))
        endpoint.close()
    assert caught.value.status == 429
    assert caught.value.retry_after_s == pytest.approx(7.5, abs=2.0)


def test_a_voice_that_is_refused_is_told_with_the_servers_words() -> None:
    error = {"type": "invalid_request_error", "code": "invalid_value", "message": "No such voice."}
    with RealtimeServer(honest, on_session=lambda _: error) as server:
        endpoint = endpoint_at(server.url)
        with pytest.raises(ResponseError, match="No such voice"):
            endpoint.open(request(voice="nobody"))
        endpoint.close()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"error": {"message": "Bad key: %s"}}' % KEY.encode(), KeyRefusedError),
        (404, b'{"error": {"code": "model_not_found", "message": "no"}}', ModelGoneError),
        (404, b"Not Found", ResponseError),
        (429, b"{}", ResponseError),
        (503, b"{}", ResponseError),
        (426, b"", ReplyError),
        (200, b"<html>", ReplyError),
    ],
)
def test_a_refused_handshake_is_told_as_over_http(status: int, body: bytes, kind: type) -> None:
    with RealtimeServer(honest, refuse=lambda _: (status, body)) as server:
        endpoint = endpoint_at(server.url)
        with pytest.raises(EndpointError) as caught:
            endpoint.open(request())
        assert type(caught.value) is kind
        assert KEY not in str(caught.value)
        if kind is KeyRefusedError:  # not asked again
            with pytest.raises(KeyRefusedError):
                endpoint.open(request())
            assert len(server.handshakes) == 1
        endpoint.close()


def test_a_speech_endpoint_behind_wss_is_told_what_it_is() -> None:
    with ScriptedServer(Script(b"sound")) as server:
        endpoint = endpoint_at("ws" + server.url.removeprefix("http"))
        with pytest.raises(ReplyError, match="does not speak WebSocket"):
            endpoint.open(request())
        endpoint.close()


def test_the_words_of_a_refusal_come_out_of_their_chunks() -> None:
    words = Script(b'{"error": {"message": "Not today, thank you."}}', 403, "application/json")
    with ScriptedServer(words) as server:
        endpoint = endpoint_at("ws" + server.url.removeprefix("http"))
        with pytest.raises(KeyRefusedError) as caught:
            endpoint.open(request())
        assert caught.value.why == "Not today, thank you."
        endpoint.close()


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH\r\n\r\n", b"", b"HTTP/1.1 101 So\r\n\r\n"])
def test_what_is_no_http_is_no_websocket_either(said: bytes) -> None:
    with ScriptedServer(Script(raw=said)) as server:
        endpoint = endpoint_at("ws" + server.url.removeprefix("http"))
        with pytest.raises(ReplyError if said else ConnectionFailedError):
            endpoint.open(request())
        endpoint.close()


def test_over_tls_several_speak_at_once_and_one_is_cancelled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context = tls_context(tmp_path / "certificate.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))

    def answer(asked: Asked) -> Iterator[Step]:
        rate = 1e5 if asked.text == "Cancelled." else 5e6
        return speak(asked, sound_of(asked.text, 240_000), piece_bytes=9600, rate_bytes_per_s=rate)

    with RealtimeServer(answer, tls=context) as server, ThreadPoolExecutor() as pool:
        endpoint = endpoint_at(server.url)
        texts = [f"Number {number}." for number in range(4)]
        cancelled = endpoint.open(request("Cancelled."))
        sounds = pool.map(lambda text: b"".join(endpoint.open(request(text))), texts)
        cancelled.close()
        assert list(sounds) == [sound_of(text, 240_000) for text in texts]
        server.wait(lambda: server.asked[0].cancelled_s is not None)
        endpoint.abort()
        assert len(server.handshakes) == 1


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    with RealtimeServer(honest, tls=tls_context(tmp_path / "certificate.pem")) as server:
        endpoint = endpoint_at(server.url)
        with pytest.raises(ConnectionFailedError, match="not trusted") as caught:
            endpoint.open(request())
        assert not caught.value.repeatable
        endpoint.close()


def test_nobody_listens() -> None:
    with RealtimeServer(honest) as server:
        url = server.url
    endpoint = endpoint_at(url)
    with pytest.raises(ConnectionFailedError, match="refused the connection"):
        endpoint.open(request())
    endpoint.close()
