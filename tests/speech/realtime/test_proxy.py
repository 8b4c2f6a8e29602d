"""A Realtime API behind a proxy of the environment, and servers of the wrong kind."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.canary import KEY
from tests.support.realtime_events import Asked, Step, speak
from tests.support.realtime_server import RealtimeServer
from tests.support.script import Script
from tests.support.server import ScriptedServer, tls_context
from tests.support.tunnel import TunnelProxy
from voicestream.doctor.endpoint import check_endpoints
from voicestream.doctor.finding import exit_code
from voicestream.errors import ConnectionFailedError, EndpointError, SettingsError
from voicestream.settings.table import load
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.endpoint import HttpEndpoint
from voicestream.speech.realtime.endpoint import RealtimeEndpoint
from voicestream.speech.realtime.handshake import open_early
from voicestream.speech.realtime.protocol import first_messages

SOUND = b"sound!" * 8000
ASKED = SpeechRequest("Hello.", "gpt-realtime-x", "marin", "pcm")
FAR = "wss://127.0.0.1:{port}/v1"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def honest(asked: Asked) -> Iterator[Step]:
    yield from speak(asked, SOUND)


def heard(url: str, early: bool = False) -> bytes:
    config = EndpointConfig(url, KEY, "the test", timeout_s=20.0)
    opening = None
    if early:
        opening = open_early(url, KEY, ASKED.model, 20.0)
        opening.start()
        opening.send(first_messages(ASKED))
    endpoint = RealtimeEndpoint(config, opening)
    try:
        return b"".join(endpoint.open(ASKED))
    finally:
        endpoint.close()


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("tls", [True, False])
def test_a_websocket_goes_through_the_proxy_of_its_scheme(
    tls: bool, early: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = tls_context(tmp_path / "own.pem") if tls else None
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    with RealtimeServer(honest, tls=context) as server, TunnelProxy(server.url) as proxy:
        named = proxy.url.replace("//", "//me:se%20cret@")
        monkeypatch.setenv("https_proxy" if tls else "http_proxy", named)
        assert heard(server.url, early) == SOUND
    (asked,) = proxy.asked
    assert asked.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n")
    credentials = b64encode(b"me:se cret").decode()
    assert f"\r\nproxy-authorization: Basic {credentials}\r\n" in asked
    assert "uthorization: Bearer" not in asked  # the key is for the server alone


def test_a_name_that_only_the_proxy_knows_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with RealtimeServer(honest) as server, TunnelProxy(server.url) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert heard("ws://no-such-host.invalid/v1") == SOUND
        assert proxy.asked[0].startswith("CONNECT no-such-host.invalid:80 ")


def test_no_proxy_is_obeyed_and_the_other_scheme_s_proxy_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with RealtimeServer(honest) as server, TunnelProxy(server.url) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        assert heard(server.url) == SOUND
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert heard(server.url) == SOUND
        assert proxy.asked == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("407 Who are you", "Name user and password in the proxy's URL"),
        ("403 Not there", "by the proxy http://127.0.0.1:.* cannot be reached: 403 Not there"),
        ("nonsense", "cannot be reached"),
    ],
)
def test_a_proxy_that_does_not_lead_there_is_told(
    answer: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TunnelProxy("http://127.0.0.1:9", answer) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(EndpointError, match=says):
            heard("wss://far.example/v1")


def test_a_proxy_that_is_not_there_or_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with pytest.raises(ConnectionFailedError, match=r"by the proxy http://127\.0\.0\.1:1"):
        heard("wss://far.example/v1")
    monkeypatch.setenv("https_proxy", "ftp://127.0.0.1:1")
    with pytest.raises(SettingsError, match="proxy of the environment"):
        heard("wss://far.example/v1")


def test_the_doctor_goes_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RealtimeServer(honest) as server, TunnelProxy(server.url) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        # the list of models, which is none here, is waited for so long
        flags = {"base_url": "ws://no-such-host.invalid/v1", "timeout_s": "3"}
        settings = load(flags, {"XDG_STATE_HOME": str(tmp_path)}, tmp_path, tmp_path / "no.toml")
        findings = list(check_endpoints(settings, free=False))
    assert "by the proxy" in findings[0].what
    assert exit_code(findings) == 0, findings


@pytest.mark.parametrize("status", [200, 400, 403, 404, 405, 426])
def test_a_realtime_url_where_only_http_is_spoken_is_told(status: int) -> None:
    with ScriptedServer(lambda _: Script.error(status, "")) as server:
        url = server.url.replace("http:", "ws:")
        with pytest.raises(EndpointError) as caught:
            heard(url)
    assert str(status) in str(caught.value)
    assert "For a speech endpoint write https:// or http://" in caught.value.hint


def test_a_speech_url_where_only_websockets_are_spoken_is_told() -> None:
    with RealtimeServer(honest) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url.replace("ws:", "http:"), KEY))
        with pytest.raises(ConnectionFailedError) as caught:
            endpoint.open(ASKED)
        endpoint.close()
    assert "wss://" in caught.value.hint
