"""TLS connections that are made before they are asked for."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.speech.http.test_connect import ASKED, trust
from tests.support.engine import until
from tests.support.script import Script
from tests.support.server import ScriptedServer, tls_context
from voicestream.speech.http import ahead
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.endpoint import HttpEndpoint


def made(url: str) -> tuple[str, int]:
    """Connect ahead; where to."""
    parts = urlsplit(url)
    place = parts.hostname or "", parts.port or 0
    ahead.connect_ahead(*place)
    until(lambda: any(kept[:2] == place for kept in ahead._made))
    return place


def test_what_is_asked_goes_over_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(Script(b"sound" * 9000), tls=True) as server:
        trust(server, tmp_path, monkeypatch)
        made(server.url)
        seen = len(server.connected_s)
        endpoint = HttpEndpoint(EndpointConfig(server.url))
        assert b"".join(endpoint.open(ASKED)) == b"sound" * 9000
        endpoint.close()
        assert len(server.connected_s) == seen


def test_one_is_not_used_where_others_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(Script(b"sound"), tls=True) as server:
        trust(server, tmp_path, monkeypatch)
        place = made(server.url)
        own = os.environ["SSL_CERT_FILE"]
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
        assert ahead.made_ahead(*place, 5.0) is None
        monkeypatch.setenv("SSL_CERT_FILE", own)
        kept = ahead.made_ahead(*place, 5.0)
        assert kept is not None
        kept.close()


def test_one_that_the_server_has_closed_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = tls_context(tmp_path / "own.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    closes = threading.Event()

    def serve() -> None:
        plain, _ = listener.accept()
        with context.wrap_socket(plain, server_side=True):
            closes.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        place = made(f"https://127.0.0.1:{listener.getsockname()[1]}")
        closes.set()
        server.join(30)
        assert ahead.made_ahead(*place, 5.0) is None
