"""Sound that a URL leads to: redirects, logins, breaks, resumption; on real sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.errors import EndpointError, IncompleteReplyError, ReplyError
from voicestream.speech.http.early_get import EarlyGet, get_headers
from voicestream.speech.http.fetched import FetchConfig, FetchedSound

SOUND = bytes(range(256)) * 200
WHOLE = Script(SOUND, content_type="audio/mpeg", framing="length")
CUT = replace(WHOLE, cut_after_bytes=20_000)
SHORT = FetchConfig(2.0, 2.0, 0.5, retries=1)


def fetched(url: str, config: FetchConfig = SHORT) -> tuple[bytes, list[str]]:
    """All of its bytes, and what was told."""
    sound = FetchedSound(url, "the URL", config)
    try:
        sound.open()
        return b"".join(sound), sound.notes
    finally:
        sound.close()


def part(request: Request, **headers: str) -> Script:
    """What a server answers that can go on at a byte."""
    begin = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
    told = {"Content-Range": f"bytes {begin}-{len(SOUND) - 1}/{len(SOUND)}", **headers}
    return Script(SOUND[begin:], 206, "audio/mpeg", told, framing="length")


def test_nothing_of_ours_goes_there() -> None:
    with ScriptedServer(WHOLE) as server:
        assert fetched(server.url + "/a.mp3?x=1") == (SOUND, [])
        request = server.requests[0]
    assert (request.method, request.path, request.body) == ("GET", "/v1/a.mp3?x=1", b"")
    assert set(request.headers) == {"host", "accept", "accept-encoding", "user-agent"}


def test_an_early_request_is_the_only_one() -> None:
    with ScriptedServer(WHOLE) as server:
        url = server.url + "/a.mp3"
        early = EarlyGet(url, 5.0, get_headers(url))
        early.start()
        server.wait_request()
        sound = FetchedSound(url, "the URL", SHORT, early)
        sound.open()
        assert b"".join(sound) == SOUND
        sound.close()
        assert len(server.requests) == 1


@pytest.mark.parametrize("cut", ["close", "reset", "stall"])
def test_it_goes_on_where_it_broke_off(cut: str) -> None:
    def answer(request: Request) -> Script:
        if "range" not in request.headers:
            return replace(CUT, cut=cut, headers={"ETag": '"one"'})  # type: ignore[arg-type]
        assert request.headers["if-range"] == '"one"'
        return part(request)

    with ScriptedServer(answer) as server:
        assert fetched(server.url) == (SOUND, [])
        asked = [request.headers.get("range") for request in server.requests]
    if cut != "reset":  # which may throw away what had come
        assert asked == [None, "bytes=20000-"]


def test_a_part_that_begins_too_early_is_cut() -> None:
    def answer(request: Request) -> Script:
        if "range" not in request.headers:
            return CUT
        told = {"Content-Range": f"bytes 5000-{len(SOUND) - 1}/*"}
        return Script(SOUND[5000:], 206, "audio/mpeg", told, framing="length")

    with ScriptedServer(answer) as server:
        assert fetched(server.url) == (SOUND, [])


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_server_without_ranges_begins_anew_and_nothing_is_heard_twice(framing: str) -> None:
    cut = replace(CUT, framing=framing)  # type: ignore[arg-type]
    with ScriptedServer([cut, replace(WHOLE, framing=framing)]) as server:  # type: ignore[arg-type]
        assert fetched(server.url) == (SOUND, [])


def test_a_file_that_has_changed_is_told() -> None:
    def answer(request: Request) -> Script:
        if "range" not in request.headers:
            return CUT
        return Script(b"x", 206, "audio/mpeg", {"Content-Range": "bytes 20000-20000/20001"})

    with ScriptedServer(answer) as server, pytest.raises(ReplyError, match="has changed"):
        fetched(server.url)


def test_what_is_live_goes_on_where_it_is_now() -> None:
    first = Script(SOUND, content_type="audio/mpeg", cut_after_bytes=20_000)
    later = Script(SOUND[::-1], content_type="audio/mpeg")
    with ScriptedServer([first, later]) as server:
        came, notes = fetched(server.url)
        assert "range" not in server.requests[1].headers
    assert came == SOUND[:20_000] + SOUND[::-1]
    assert notes == ["the URL broke off, and goes on where it is now"]


def test_it_is_given_up_when_asking_brings_nothing_more() -> None:
    dead = replace(CUT, cut_after_bytes=0)
    with ScriptedServer([CUT, dead, dead, dead]) as server:
        with pytest.raises(IncompleteReplyError, match="after 20000 bytes") as gone:
            fetched(server.url)
        assert len(server.requests) == 3
    assert not gone.value.repeatable  # nobody else begins once more


def test_redirects_are_followed_to_another_server_without_the_login() -> None:
    with ScriptedServer(WHOLE) as second:
        to = Script(status=302, headers={"Location": second.url + "/b.mp3"}, framing="length")
        with ScriptedServer(to) as first:
            url = first.url.replace("://", "://me:pass%20word@")
            assert fetched(url)[0] == SOUND
            assert first.requests[0].headers["authorization"] == "Basic bWU6cGFzcyB3b3Jk"
        assert "authorization" not in second.requests[0].headers


def _redirect(to: str) -> Script:
    return Script(status=302, headers={"Location": to}, framing="length", content_type=None)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (_redirect("/v1"), "leads in a circle"),
        (lambda request: _redirect(request.path + "x"), "leads on and on: 11 redirects"),
        (_redirect("file:///etc/passwd"), "leads nowhere"),
        (_redirect("http://[x"), "leads nowhere"),
        (Script.error(401, "log in"), r"needs a login. curl has one"),
        (Script.error(404, "no"), "is not there"),
        (Script.error(418, "tea"), r"cannot be had \(status 418\)"),
        (replace(WHOLE, headers={"Content-Encoding": "br"}), "comes compressed"),
        (Script(raw=b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), "connection"),
        (Script(raw=b""), "connection"),
    ],
)
def test_what_is_no_sound_is_told(answer: Script | Callable[[Request], Script], told: str) -> None:
    with ScriptedServer(answer) as server, pytest.raises(EndpointError, match=told):
        fetched(server.url, replace(SHORT, retries=0))


def test_who_is_busy_is_asked_again() -> None:
    with ScriptedServer([Script.error(503, "busy"), WHOLE]) as server:
        assert fetched(server.url)[0] == SOUND


def test_giving_up_ends_any_wait() -> None:
    silent = Script(SOUND, content_type="audio/mpeg", cut_after_bytes=20_000, cut="stall")
    with ScriptedServer(silent) as server:
        sound = FetchedSound(server.url, "the URL", FetchConfig())
        sound.open()
        pieces = iter(sound)
        came = next(pieces)
        while len(came) < 20_000:
            came += next(pieces)
        threading.Timer(0.05, sound.give_up).start()
        with pytest.raises(EndpointError):
            next(pieces)
        sound.close()


def test_nobody_listens() -> None:
    with ScriptedServer(WHOLE) as server:
        url = server.url
    with pytest.raises(EndpointError, match="refused the connection"):
        fetched(url, replace(SHORT, retries=0))


def test_what_is_sent_is_all_here(tmp_path: Path) -> None:
    """A server of the standard library, without ranges, that closes at the end."""
    import functools
    import http.server

    (tmp_path / "a.mp3").write_bytes(SOUND)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert fetched(f"http://127.0.0.1:{server.server_port}/a.mp3")[0] == SOUND
        server.shutdown()
