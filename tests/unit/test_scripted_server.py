"""The scripted server itself: it keeps to its script, also to the bad ones."""

from __future__ import annotations

import socket
import threading
import time

import httpx
import pytest

from tests.support.remote import ServerProcess
from tests.support.script import Script
from tests.support.server import ScriptedServer

BODY = bytes(range(256)) * 40


def collect(reply: httpx.Response, into: bytearray) -> None:
    for data in reply.iter_raw():
        into += data


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("pieces", [1000, [1, 333, 4096]])
def test_the_body_arrives_whole(framing, pieces) -> None:
    with ScriptedServer(Script(BODY, framing=framing, piece_bytes=pieces)) as server:
        reply = httpx.post(f"{server.url}/audio/speech", json={"input": "x"})
        request = server.wait_end()
    assert reply.content == BODY
    assert reply.headers["content-type"] == "audio/pcm"
    assert (request.method, request.path, request.json) == (
        "POST",
        "/v1/audio/speech",
        {"input": "x"},
    )
    assert request.sent_bytes == len(BODY)
    assert request.client_closed_s is None
    assert request.first_byte_s is not None
    assert request.end_s is not None
    assert request.connected_s <= request.complete_s <= request.first_byte_s <= request.end_s


def test_delays_rate_and_arrivals_are_kept() -> None:
    slow = Script(BODY, header_delay_s=0.05, first_byte_delay_s=0.05, rate_bytes_per_s=100_000)
    traced = Script(BODY, arrivals=[(0.0, 100), (0.05, 5000), (0.1, 1)])
    with ScriptedServer([slow, traced]) as server:
        took_s = []
        for _ in range(2):
            began_s = time.monotonic()
            assert httpx.get(server.url).content == BODY
            took_s.append(time.monotonic() - began_s)
        first = server.requests[0]
    assert first.first_byte_s is not None
    assert first.first_byte_s - first.complete_s >= 0.1
    assert took_s[0] >= 0.1 + 8192 / 100_000
    assert took_s[1] >= 0.1


def test_answers_come_in_turn_on_one_connection() -> None:
    answers = [Script(b"one"), Script.error(429, {"error": {"message": "slow down"}})]
    with ScriptedServer(answers) as server, httpx.Client() as client:
        replies = [client.get(server.url) for _ in range(3)]
        assert [request.connection for request in server.requests] == [0, 0, 0]
        assert len(server.connected_s) == 1
    assert [reply.status_code for reply in replies] == [200, 429, 500]
    assert replies[1].json()["error"]["message"] == "slow down"


def test_the_answer_may_depend_on_the_request() -> None:
    with ScriptedServer(lambda request: Script(request.headers["x-name"].encode())) as server:
        assert httpx.get(server.url, headers={"X-Name": "ada"}).text == "ada"


@pytest.mark.parametrize("framing", ["chunked", "length"])
@pytest.mark.parametrize("cut", ["close", "reset"])
def test_a_body_cut_short_is_an_error_after_what_came(framing, cut) -> None:
    script = Script(BODY, framing=framing, cut_after_bytes=5000, cut=cut, rate_bytes_per_s=200_000)
    got = bytearray()
    with ScriptedServer(script) as server, httpx.stream("GET", server.url) as reply:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            collect(reply, got)
        assert server.wait_end().sent_bytes == 5000
    assert BODY.startswith(got)
    assert got


def test_a_stalled_body_times_out_and_the_client_is_seen_to_go() -> None:
    with ScriptedServer(Script(BODY, cut_after_bytes=100, cut="stall")) as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.url, timeout=0.1)
        assert server.wait_end().client_closed_s is not None


def test_a_held_reply_goes_on_when_told() -> None:
    hold = threading.Event()
    script = Script(BODY, hold_at_bytes=5000, hold=hold)
    with ScriptedServer(script) as server, httpx.stream("GET", server.url) as reply:
        arriving = reply.iter_raw()
        got = b""
        while len(got) < 5000:
            got += next(arriving)
        assert server.wait_sent(sent_bytes=5000).sent_bytes == 5000
        hold.set()
        assert got + b"".join(arriving) == BODY


def test_a_client_that_goes_early_is_noticed() -> None:
    with ScriptedServer(Script(BODY, rate_bytes_per_s=1000, piece_bytes=100)) as server:
        with httpx.stream("GET", server.url) as reply:
            next(reply.iter_raw())
        request = server.wait_end()
    assert request.client_closed_s is not None
    assert request.sent_bytes < len(BODY)


@pytest.mark.parametrize("raw", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_an_answer_may_be_no_http(raw) -> None:
    with ScriptedServer(Script(raw=raw)) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(server.url)
        with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0)) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert client.makefile("rb").read() == raw


def test_its_tls_certificate_is_trusted_by_nobody() -> None:
    with ScriptedServer(Script(BODY), tls=True) as server:
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.url)
        assert httpx.get(server.url, verify=False).content == BODY
    assert server.tls_failures == 1


def test_it_runs_in_a_process_of_its_own() -> None:
    scripts = {"short": Script(b"short"), "long": Script(BODY)}
    with ServerProcess(scripts) as server:
        assert httpx.get(f"{server.url('long')}/audio/speech").content == BODY
        assert httpx.get(server.url("short")).text == "short"
        assert [request.path for request in server.take_requests()] == [
            "/long/v1/audio/speech",
            "/short/v1",
        ]
        assert server.take_requests() == []
