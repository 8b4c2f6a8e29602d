"""Connections as servers treat them: with TLS, closed while idle, behind a proxy."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.canary import KEY
from tests.support.script import Script
from tests.support.server import ScriptedServer, tls_context
from tests.support.tunnel import SocksProxy, TunnelProxy
from voicestream.errors import (
    ConnectionFailedError,
    EndpointError,
    EndpointTimeoutError,
    IncompleteReplyError,
    SettingsError,
)
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http import addresses
from voicestream.speech.http.addresses import connect_any
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.endpoint import HttpEndpoint
from voicestream.speech.http.request import EarlyRequest, Target, request_body

ASKED = SpeechRequest("Hello.", "model", "voice", "pcm")
_CLOSING = b"HTTP/1.1 200 OK\r\nContent-Type: audio/pcm\r\nContent-Length: 3\r\n\r\none"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def trust(server: ScriptedServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the server's certificate in the environment, as a person with an own server does."""
    parts = urlsplit(server.url)
    certificate = ssl.get_server_certificate((parts.hostname or "", parts.port or 0))
    (folder / "own.pem").write_text(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "own.pem"))


@pytest.mark.parametrize("with_early", [True, False])
def test_a_trusted_server_is_asked_over_tls_on_one_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_early: bool
) -> None:
    with ScriptedServer(Script(b"sound" * 9000), tls=True) as server:
        trust(server, tmp_path, monkeypatch)
        seen = len(server.connected_s)
        early = None
        if with_early:
            early = EarlyRequest(server.url, "", 5.0)
            early.start()
            early.send(request_body(ASKED))
        endpoint = HttpEndpoint(EndpointConfig(server.url), early)
        for _ in range(2):
            assert b"".join(endpoint.open(ASKED)) == b"sound" * 9000
        endpoint.close()
        assert len(server.requests) == 2
        assert len(server.connected_s) == seen + 1


def test_a_tls_connection_that_waits_for_the_text_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(Script(b"sound"), tls=True) as server:
        trust(server, tmp_path, monkeypatch)
        seen = len(server.connected_s)
        early = EarlyRequest(server.url, "", 5.0)
        early.start()
        early.send(None)
        connected = early.take()
        monkeypatch.setattr(early, "take", lambda: connected)
        # a server of TLS 1.3 sends tickets of its own accord: that is no sign of an end
        assert select.select([connected], [], [], 10)[0]
        endpoint = HttpEndpoint(EndpointConfig(server.url), early)
        assert b"".join(endpoint.open(ASKED)) == b"sound"
        endpoint.close()
        assert len(server.connected_s) == seen + 1


def test_a_certificate_for_another_name_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(Script(b"sound"), tls=True) as server:
        trust(server, tmp_path, monkeypatch)
        endpoint = HttpEndpoint(EndpointConfig(server.url.replace("127.0.0.1", "localhost"), KEY))
        with pytest.raises(ConnectionFailedError, match=r"certificate of localhost:\d+ is not"):
            endpoint.open(ASKED)
        endpoint.close()
        assert server.requests == []


def test_a_connection_closed_while_idle_is_made_anew() -> None:
    with ScriptedServer([Script(raw=_CLOSING), Script(b"two")]) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url))
        stream = endpoint.open(ASKED)
        connection = stream._response._connection._socket
        assert b"".join(stream) == b"one"
        if connection.fileno() >= 0:  # else it has been noticed already
            assert select.select([connection], [], [], 10)[0]  # the server has closed it
        assert b"".join(endpoint.open(ASKED)) == b"two"
        endpoint.close()
        assert len(server.connected_s) == 2


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(Script(b"sound")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        endpoint = HttpEndpoint(EndpointConfig("http://no-such-host.invalid/v1", KEY))
        assert b"".join(endpoint.open(ASKED)) == b"sound"
        endpoint.close()
        (request,) = proxy.requests
    assert request.path == "http://no-such-host.invalid/v1/audio/speech"


@pytest.mark.parametrize(
    ("kind", "tls"), [(TunnelProxy, True), (SocksProxy, True), (SocksProxy, False)]
)
def test_a_tunnel_leads_through_a_proxy(
    kind: type[TunnelProxy], tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(Script(b"sound"), tls=tls) as server, kind(server.url) as proxy:
        if tls:
            trust(server, tmp_path, monkeypatch)
        monkeypatch.setenv("all_proxy", proxy.url.replace("//", "//me:secret@"))
        endpoint = HttpEndpoint(EndpointConfig(server.url, KEY))
        for _ in range(2):
            assert b"".join(endpoint.open(ASKED)) == b"sound"
        endpoint.close()
        assert [request.path for request in server.requests] == ["/v1/audio/speech"] * 2
    (asked,) = proxy.asked  # one connection carried both
    assert f"127.0.0.1:{urlsplit(server.url).port}" in asked
    assert KEY not in asked


@pytest.mark.parametrize(
    ("login", "answer", "says"),
    [
        ("", "0", "proxy wants to know"),
        ("me:wrong!@", "0", "proxy wants to know"),
        ("me:secret@", "5", "does not lead to far.invalid: 0 connection refused"),
    ],
)
def test_a_socks_proxy_that_refuses_is_told(
    login: str, answer: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SocksProxy("http://127.0.0.1:9", answer) as proxy:
        monkeypatch.setenv("all_proxy", proxy.url.replace("//", f"//{login}"))
        endpoint = HttpEndpoint(EndpointConfig("http://far.invalid/v1", KEY))
        with pytest.raises(EndpointError, match=says):
            endpoint.open(ASKED)
        endpoint.close()


def test_a_proxy_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "ftp://127.0.0.1:9")
    with pytest.raises(SettingsError, match="proxy of the environment"):
        HttpEndpoint(EndpointConfig("http://host/v1"))


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("http://host/v1", Target("http", "host", 80, "/v1/audio/speech"), "host"),
        ("https://host", Target("https", "host", 443, "/audio/speech"), "host"),
        ("https://host:80/v1", Target("https", "host", 80, "/v1/audio/speech"), "host:80"),
        ("http://[::1]:99", Target("http", "::1", 99, "/audio/speech"), "[::1]:99"),
        ("http://bücher.de", Target("http", "xn--bcher-kva.de", 80, "/audio/speech"), None),
    ],
)
def test_a_base_url_leads_to_a_target(url: str, target: Target, authority: str | None) -> None:
    assert Target.of(url) == target
    assert target.authority == (authority or target.host)


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("server_waits", [True, False])
def test_a_connection_opened_before_the_text_is_known_is_used_if_it_still_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: bool, server_waits: bool
) -> None:
    with ScriptedServer(Script(b"sound"), tls=tls) as server:
        if tls:
            trust(server, tmp_path, monkeypatch)
        seen = len(server.connected_s)
        early = EarlyRequest(server.url, "", 5.0)
        early.start()
        early.send(None)
        endpoint = HttpEndpoint(EndpointConfig(server.url), early)
        if not server_waits:
            early._done.wait(5)
            assert early._socket is not None
            # an SSLSocket of Python would forget its TLS first
            socket.socket.shutdown(early._socket, socket.SHUT_RDWR)
        assert b"".join(endpoint.open(ASKED)) == b"sound"
        endpoint.close()
        assert len(server.requests) == 1
        assert len(server.connected_s) == seen + (1 if server_waits else 2)


def test_tls_that_ends_without_its_own_end_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that lasts until the connection is closed, and a connection that somebody cuts."""
    context = tls_context(tmp_path / "own.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(cut: bool) -> None:
            near = context.wrap_socket(listener.accept()[0], server_side=True)
            asked = b""
            while b"Hello." not in asked:
                asked += near.recv(65536)
            near.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: audio/pcm\r\n\r\n\xff\x00\x01\x02")
            if cut:
                socket.socket.shutdown(near, socket.SHUT_RDWR)
            else:
                with contextlib.suppress(OSError):  # the client says no good-bye of its own
                    near.unwrap()
            near.close()

        url = f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
        for cut in (False, True):
            thread = threading.Thread(target=serve, args=(cut,))
            thread.start()
            endpoint = HttpEndpoint(EndpointConfig(url))
            stream = iter(endpoint.open(ASKED))
            assert next(stream) == b"\xff\x00\x01\x02"
            if cut:
                with pytest.raises(IncompleteReplyError, match="after 4 bytes"):
                    next(stream)
            else:
                assert next(stream, None) is None
            endpoint.close()
            thread.join(10)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return int(gone.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_localhost_is_reached_wherever_it_listens(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        opened = connect_any("localhost", listener.getsockname()[1], 10.0)
        assert opened.gettimeout() is None
        opened.close()
    with pytest.raises(ConnectionRefusedError):
        connect_any("localhost", closed_port(), 10.0)


def test_one_time_holds_for_all_addresses_and_the_first_that_answers_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as stack:
        deaf = full.getsockname()
        for _ in range(3):  # nobody accepts: the next one gets no answer
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(deaf)
        stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            where = [(socket.AF_INET, address) for address in (deaf, deaf, listener.getsockname())]
            monkeypatch.setattr(addresses, "resolve", lambda *_: list(where))
            connect_any("many", 1, 20.0).close()
        monkeypatch.setattr(addresses, "resolve", lambda *_: [(socket.AF_INET, deaf)] * 3)
        began_s = time.monotonic()
        with pytest.raises(TimeoutError):
            connect_any("many", 1, 0.6)
        assert time.monotonic() - began_s < 10


def test_a_resolver_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, done = threading.Event(), threading.Event()

    def silent(*_: object, **__: object) -> None:
        asked.set()
        done.wait(30)
        raise OSError

    monkeypatch.setattr(addresses.socket, "getaddrinfo", silent)
    endpoint = HttpEndpoint(EndpointConfig("http://far.example/v1", KEY, connect_s=0.2))
    with pytest.raises(EndpointTimeoutError, match=r"within 0\.2 s"):
        endpoint.open(ASKED)
    assert asked.is_set()
    done.set()
    endpoint.close()
