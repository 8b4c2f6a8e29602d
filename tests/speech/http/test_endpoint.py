"""The endpoint over HTTP: one early request, kept connections, and an end at any moment."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.canary import KEY
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.errors import ConnectionFailedError, EndpointError, KeyRefusedError
from voicestream.records import replace
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.endpoint import HttpEndpoint
from voicestream.speech.http.request import OTHER_ROUTES, EarlyRequest, request_body

BODY = bytes(range(256)) * 40


def asked(text: str = "Hello.") -> SpeechRequest:
    return SpeechRequest(text, "model", "voice", "pcm")


def early_request(url: str, text: str = "Hello.", key: str = KEY) -> EarlyRequest:
    early = EarlyRequest(url, key, 5.0)
    early.start()
    early.send(request_body(asked(text)))
    return early


def endpoint_at(url: str, early: EarlyRequest | None = None, key: str = KEY) -> HttpEndpoint:
    return HttpEndpoint(EndpointConfig(url, key, timeout_s=30.0), early)


def spoken(endpoint: HttpEndpoint, text: str = "Hello.") -> bytes:
    stream = endpoint.open(asked(text))
    return b"".join(stream)


def test_the_early_request_is_the_first_and_its_connection_is_kept() -> None:
    with ScriptedServer([Script(b"one"), Script(b"two"), Script(b"three")]) as server:
        early = early_request(server.url)
        server.wait_request()
        endpoint = endpoint_at(server.url, early)
        stream = endpoint.open(asked())
        assert stream.sent_at_s == early.sent_at_s > 0
        assert b"".join(stream) == b"one"
        assert [r.json["input"] for r in server.requests] == ["Hello."]
        assert spoken(endpoint, "Hello.") == b"two"
        assert spoken(endpoint, "More.") == b"three"
        endpoint.close()
        assert [r.json["input"] for r in server.requests] == ["Hello.", "Hello.", "More."]
        assert [r.connection for r in server.requests] == [0, 0, 0]


def test_an_early_request_is_left_to_whoever_asks_for_the_same() -> None:
    """Another thread's request must neither get its reply nor be swallowed on its connection."""
    hold = threading.Event()
    second = Script(b"second", hold_at_bytes=1, hold=hold)
    answers = {"First.": Script(b"first"), "Second.": second}
    with ScriptedServer(lambda request: answers[request.json["input"]]) as server:
        endpoint = endpoint_at(server.url, early_request(server.url, "First."))
        other = endpoint.open(asked("Second."))
        assert spoken(endpoint, "First.") == b"first"
        hold.set()
        assert b"".join(other) == b"second"
        endpoint.close()
        assert sorted(r.json["input"] for r in server.requests) == ["First.", "Second."]


def test_an_early_request_of_another_route_is_no_answer_to_the_same_text() -> None:
    """Another thread has learnt meanwhile that there is no such route."""
    first, second = (replace(asked(text), stream_format="captions") for text in ("One.", "Two."))

    def answer(request: Request) -> Script:
        return Script.error(405, {}) if "captioned" in request.path else Script(BODY)

    with ScriptedServer(answer) as server:
        early = EarlyRequest(server.url, KEY, 5.0, route=OTHER_ROUTES["captions"])
        early.start()
        early.send(request_body(first))
        endpoint = endpoint_at(server.url, early)
        assert b"".join(endpoint.open(second)) == BODY
        assert b"".join(endpoint.open(first)) == BODY
        endpoint.close()


def test_an_early_request_that_nobody_wants_is_dropped_with_its_connection() -> None:
    answers = {"Old.": Script(BODY, cut_after_bytes=10, cut="stall"), "New.": Script(b"new")}
    with ScriptedServer(lambda request: answers[request.json["input"]]) as server:
        early = early_request(server.url, "Old.")
        server.wait_sent()
        endpoint = endpoint_at(server.url, early)
        assert spoken(endpoint, "New.") == b"new"
        endpoint.close()
        assert server.wait_end(1).client_closed_s is not None
        assert [r.connection for r in server.requests] == [0, 1]


def test_requests_at_once_have_connections_of_their_own_and_one_early() -> None:
    hold = threading.Event()
    script = Script(BODY, hold_at_bytes=10, hold=hold)
    with ScriptedServer(script) as server:
        endpoint = endpoint_at(server.url, early_request(server.url))
        streams = [endpoint.open(asked()), endpoint.open(asked("More."))]
        hold.set()
        assert [b"".join(stream) for stream in streams] == [BODY, BODY]
        endpoint.close()
        assert sorted(r.connection for r in server.requests) == [0, 1]


def test_an_early_request_that_is_refused_is_told_and_not_tried_again() -> None:
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{refusing.getsockname()[1]}/v1"
        early = early_request(url)
        with pytest.raises(ConnectionRefusedError):
            early.take()
        refusing.listen()  # whoever tries again is heard
        refusing.settimeout(0.05)
        endpoint = endpoint_at(url, early)
        with pytest.raises(ConnectionFailedError, match="refused the connection"):
            endpoint.open(asked())
        with pytest.raises(TimeoutError):
            refusing.accept()
        endpoint.close()


@pytest.fixture(scope="module")
def echo() -> Iterator[ScriptedServer]:
    with ScriptedServer(Script(b"sound")) as server:
        yield server


_PATHS = st.text("aZ0-_~!$&'()*+,;=:@/%20éü€ ", max_size=8).map(lambda path: "/" + path)


@settings(max_examples=60, deadline=None)
@example(path="/v1.5", text="Hi", key="")
@example(path="/%zz", text="Hi", key="")
@example(path="/a%20b/%7e", text="Hi", key="")
@example(path='/[a]|^`{}"<>\\', text="Hi", key="")
@given(path=_PATHS, text=st.text(min_size=1), key=st.text("aZ09-_.=+/", max_size=8))
def test_the_early_request_is_what_a_later_one_is(
    echo: ScriptedServer, path: str, text: str, key: str
) -> None:
    url = echo.url.removesuffix("/v1") + path.replace(" ", "")
    seen = len(echo.requests)
    early = early_request(url, text, key)
    echo.wait_end(seen + 1)
    early.abandon()
    endpoint = endpoint_at(url, key=key)
    spoken(endpoint, text)
    endpoint.close()
    first, second = echo.requests[seen:]
    assert (first.method, first.path, first.body) == (second.method, second.path, second.body)
    ours, theirs = dict(first.headers), dict(second.headers)
    theirs.pop("connection", None)
    assert ours == theirs


@pytest.mark.parametrize(
    ("headers", "rate_hz", "channels"),
    [
        ({}, None, None),
        ({"X-Audio-Sample-Rate": "16000", "X-Channels": "2"}, 16000, 2),
        ({"X-Sample-Rate": " 22050 ", "X-Audio-Channels": "1"}, 22050, 1),
        ({"X-Sample-Rate": "16 kHz"}, 16000, None),
    ],
)
def test_the_reply_tells_what_it_is(
    headers: dict[str, str], rate_hz: int | None, channels: int | None
) -> None:
    with ScriptedServer(Script(BODY, headers=headers)) as server:
        endpoint = endpoint_at(server.url)
        stream = endpoint.open(asked())
        assert (stream.content_type, stream.rate_hz) == ("audio/pcm", rate_hz)
        assert stream.channels == channels
        endpoint.close()


def test_bytes_are_handed_on_as_they_come_and_never_more_at_once() -> None:
    hold = threading.Event()
    script = Script(BODY, hold_at_bytes=5, hold=hold, framing="length")
    with ScriptedServer(script) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url, chunk_bytes=1000))
        pieces = iter(endpoint.open(asked()))
        assert next(pieces) == BODY[:5]  # though the rest is not there yet
        hold.set()
        rest = list(pieces)
        endpoint.close()
    assert b"".join(rest) == BODY[5:]
    assert max(map(len, rest)) <= 1000


def ends_at_once(
    wait: Callable[[], object], endpoint: HttpEndpoint, ready: Callable[[], object]
) -> EndpointError:
    """What a thread that waits gets when another one aborts."""
    raised: list[EndpointError] = []

    def run() -> None:
        try:
            wait()
        except EndpointError as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready()
    endpoint.abort()
    thread.join(10)  # far less than the timeouts of 30 s
    assert not thread.is_alive()
    return raised[0]


@pytest.mark.parametrize("with_early", [True, False])
def test_abort_ends_a_wait_for_headers(with_early: bool) -> None:
    with ScriptedServer(Script(BODY, header_delay_s=60)) as server:
        early = early_request(server.url) if with_early else None
        endpoint = endpoint_at(server.url, early)
        ends_at_once(lambda: endpoint.open(asked()), endpoint, server.wait_request)
        with pytest.raises(EndpointError):
            endpoint.open(asked())
        assert len(server.connected_s) == 1
        endpoint.close()


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_abort_ends_a_wait_for_bytes(framing: str) -> None:
    script = Script(BODY, cut_after_bytes=100, cut="stall", framing=framing)  # type: ignore[arg-type]
    with ScriptedServer(script) as server:
        endpoint = endpoint_at(server.url)
        stream = endpoint.open(asked())
        pieces = iter(stream)
        assert next(pieces) == BODY[:100]
        ends_at_once(lambda: next(pieces), endpoint, lambda: None)
        endpoint.close()


@pytest.mark.parametrize("with_early", [True, False])
def test_abort_ends_a_wait_for_a_connection(with_early: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # never answers a handshake
        accepted: list[socket.socket] = []
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/v1"
        endpoint = endpoint_at(url, early_request(url) if with_early else None)
        ends_at_once(
            lambda: endpoint.open(asked()), endpoint, lambda: accepted.append(silent.accept()[0])
        )
        endpoint.close()
        accepted[0].close()


@pytest.mark.parametrize(
    ("answers", "asked_times"),
    [([401, 200, 200], 1), ([403, 200, 200], 1), ([200, 401, 200], 2), ([200, 403, 200], 3)],
)
def test_a_key_that_was_refused_is_not_sent_again(answers: list[int], asked_times: int) -> None:
    scripts = [Script(b"sound") if it == 200 else Script.error(it, "no") for it in answers]
    with ScriptedServer(scripts) as server:
        endpoint = endpoint_at(server.url)
        got = []
        for _ in answers:
            try:
                got.append(spoken(endpoint))
            except KeyRefusedError as error:
                got.append(error.exit_code)
        endpoint.close()
        assert len(server.requests) == asked_times
    expected = [b"sound" if it == 200 else 4 for it in answers[:asked_times]]
    assert got == expected + [4] * (len(answers) - asked_times)


def test_a_key_repeated_in_a_redirect_is_not_told() -> None:
    key = "sk-elsewhere-0123"
    away = Script(b"", 302, headers={"Location": f"http://else/?key={key}"}, framing="length")
    with ScriptedServer(away) as server:
        endpoint = endpoint_at(server.url, key=key)
        with pytest.raises(EndpointError) as told:
            endpoint.open(asked("Hello."))
        endpoint.close()
    assert "http://else/?key=(the key)" in str(told.value)
