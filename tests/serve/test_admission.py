"""Who may make the server speak, and from where."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from tests.serve.asking import TEXT, ask, post
from tests.serve.conftest import serving
from tests.support.canary import KEY
from voicestream.errors import EndpointError, UsageError
from voicestream.serve.admission import Admission, is_loopback
from voicestream.serve.app import make_app


def test_its_health_is_told_without_a_key() -> None:
    class Endpoint:
        loaded: bool | EndpointError = False

        def ready(self) -> bool:
            if isinstance(self.loaded, EndpointError):
                raise self.loaded
            return self.loaded

    endpoint = Endpoint()
    client = TestClient(make_app(Admission(KEY), endpoint), "http://127.0.0.1")  # type: ignore[arg-type]
    assert client.get("/v1/models").status_code == 401
    assert client.get("/health").status_code == 503
    assert client.get("/health", headers={"host": "evil.example"}).status_code == 403
    endpoint.loaded = EndpointError("cannot be loaded")
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "cannot be loaded"})
    endpoint.loaded = True
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_web_page_cannot_make_it_speak(server_url: str) -> None:
    body = {"input": TEXT, "voice": "heart"}
    for origin in ("http://evil.example", "null", "http://localhost:1", "", "http://["):
        # what a page may send without being asked for leave among them
        for kind in ("application/json", "text/plain; x=application/json", "text/plain"):
            status, headers, answer = post(server_url, body, origin=origin, content_type=kind)
            assert (status, json.loads(answer)["error"]["code"]) == (403, "foreign_origin")
            assert "access-control-allow-origin" not in headers
        asked = {"origin": origin, "access_control_request_method": "POST"}
        status, headers, _ = ask(server_url, "OPTIONS", "/audio/speech", **asked)
        assert status == 204
        assert not any(name.startswith("access-control") for name in headers)
    # a name of a stranger that leads to this machine
    for host in ("evil.example:80", "x@127.0.0.1", "127.0.0.1@evil.example:80", "10.0.0.1"):
        status, _, answer = post(server_url, body, host=host)
        assert (status, json.loads(answer)["error"]["code"]) == (403, "unknown_host")
    assert ask(server_url, "GET", "/models", host="LOCALHOST.:1")[0] == 200


def test_names_and_pages_are_let_in_by_flags(tmp_path: Path) -> None:
    page, body = "http://localhost:3000", {"input": "Hi.", "response_format": "pcm"}
    (tmp_path / "key").write_text(KEY)
    flags = ("--allow-host", "host.docker.internal", "--allow-origin", page)
    with serving(tmp_path, *flags, "--api-key-file", "key") as (url, _):
        known = {"authorization": f"Bearer {KEY}", "origin": page}
        status, headers, sound = post(url, body, host="host.docker.internal:8790", **known)
        assert (status, headers["access-control-allow-origin"]) == (200, page)
        assert "x-voicestream-voice" in headers["access-control-expose-headers"]
        assert len(sound) > 1000
        status, _, answer = post(url, body, host="other.internal", **known)
        assert (status, "--allow-host other.internal" in answer.decode()) == (403, True)
        # a page reads why it is refused
        status, headers, _ = post(url, body, origin=page)
        assert (status, headers["access-control-allow-origin"]) == (401, page)
        wanted = {"access_control_request_headers": "authorization,content-type"}
        asked = {"origin": page, "access_control_request_method": "POST", **wanted}
        status, headers, _ = ask(url, "OPTIONS", "/audio/speech", **asked)
        assert (status, headers["access-control-allow-origin"]) == (200, page)
        assert headers["access-control-allow-headers"] == "authorization,content-type"


@pytest.mark.parametrize(
    ("listens", "host", "allowed"),
    [
        *(("0.0.0.0", "192.168.1.2:8790", True), ("0.0.0.0", "localhost", True)),
        *(("::", "[fe80::1]:8790", True), ("0.0.0.0", "evil.example", False)),
        *(("192.168.1.2", "192.168.1.2", True), ("0.0.0.0", "", False)),
        *(("0.0.0.0", "192.168.1.2@evil.example", False), ("a.example", "A.Example:1", True)),
        *(("0.0.0.0", "box.lan:1", True), ("127.0.0.1", "192.168.1.2", False)),
        *(("::1", "[::1]:1", True), ("127.0.0.1", "box.lan.", True)),
    ],
)
def test_it_goes_by_addresses_and_by_names_that_it_knows(
    listens: str, host: str, allowed: bool
) -> None:
    refusal = Admission.at(listens, allowed=["Box.lan"]).refusal({"host": host})
    assert (refusal is None) is allowed


@pytest.mark.parametrize(
    "flags", [{"allowed": ["a:80"]}, {"origins": ["*"]}, {"origins": ["localhost:3000"]}]
)
def test_a_malformed_name_or_origin_is_told(flags: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError):
        Admission.at("127.0.0.1", **flags)  # type: ignore[arg-type]


def test_a_key_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    with serving(tmp_path, "--api-key-file", "key") as (url, process):
        body = {"input": "Hi.", "voice": "heart"}
        for headers in ({}, {"authorization": "Bearer sk-wrong"}):
            status, _, answer = post(url, body, **headers)
            assert (status, json.loads(answer)["error"]["code"]) == (401, "invalid_api_key")
        assert post(url, body, authorization=f"Bearer {KEY}")[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_it_listens_on_this_machine_only(server_url: str) -> None:
    port = f"{urlsplit(server_url).port:04X}"
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {row[1] for row in sockets if row[3] == "0A" and row[1].endswith(f":{port}")}
    assert listening == {f"0100007F:{port}"}
    assert urlsplit(server_url).hostname == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *(("127.0.0.1", True), ("127.9.9.9", True), ("localhost", True), ("::1", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.1.2", False), ("a.example", False)),
    ],
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
