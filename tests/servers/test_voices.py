"""``voices``: every known shape of the list, and servers that do not tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command import Call, Run, run
from tests.support.canary import KEY
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.speech.http.voices import Voice, parse_voices


def listing(body: Any, route: str = "/v1/audio/voices", status: int = 404) -> Any:
    """A server that has its list at one place."""

    def answer(request: Request) -> Script:
        if request.path != route:
            return Script.error(status, {"detail": "Not Found"})
        return Script(json.dumps(body).encode(), content_type="application/json")

    return answer


def voices(answer: Any, folder: Path, *more: str) -> tuple[Run, list[Request]]:
    with ScriptedServer(answer) as server:
        return run(Call(["voices", "--base-url", server.url, *more]), folder), server.requests


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"voices": ["a", "b"]}, [Voice("a"), Voice("b")]),
        (["a"], [Voice("a")]),
        ({"voices": [{"id": "a", "name": "Ann"}, {"id": "b"}]}, [Voice("a", "Ann"), Voice("b")]),
        ({"object": "list", "data": [{"id": "a", "object": "voice"}]}, [Voice("a")]),
        (
            {"voices": [{"name": "a"}, {"voice_id": "b", "name": "B"}]},
            [Voice("a"), Voice("b", "B")],
        ),
        ({"voices": {"a": {"name": "Ann"}, "b": "x"}}, [Voice("a", "Ann"), Voice("b")]),
        ({"voices": []}, []),
        ({"voices": ["\x1b[31mred\nrow", 7, None, "", {}]}, [Voice("red row")]),
        ({"status": "ok"}, None),
        ({"voices": 3}, None),
        ({"data": [1, 2]}, None),
        ("a", None),
    ],
)
def test_the_known_shapes(body: Any, expected: list[Voice] | None) -> None:
    assert parse_voices(json.dumps(body).encode()) == expected


@given(st.binary() | st.text().map(str.encode))
def test_no_answer_breaks_the_list(body: bytes) -> None:
    parse_voices(body)
    parse_voices(b'{"voices": [' + body)


@pytest.mark.parametrize(("route", "status"), [("/v1/audio/voices", 404), ("/v1/voices", 405)])
def test_voices_are_listed_wherever_they_are(route: str, status: int, tmp_path: Path) -> None:
    more = {"lang": "en-US", "license": "MIT"}
    body = {"voices": [{"id": "af_heart", "name": "Heart", **more}, {"id": "b"}]}
    ended, requests = voices(listing(body, route, status), tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.decode() == "af_heart  Heart · en-US · MIT\nb\n"
    assert {request.method for request in requests} == {"GET"}
    assert requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_voices_as_json(tmp_path: Path) -> None:
    ended, _ = voices(listing(["a"]), tmp_path, "--json")
    told = json.loads(ended.out)
    assert told["voices"] == [{"id": "a", "name": "a"}]
    assert told["endpoint"].startswith("http://127.0.0.1")


def test_an_endpoint_that_does_not_tell(tmp_path: Path) -> None:
    ended, requests = voices(Script.error(404, {"detail": "Not Found"}), tmp_path)
    assert ended.code == 3
    assert ended.out == b""
    assert len(ended.errors) == 1
    assert "does not tell its voices" in ended.errors[0]
    assert "--voice" in ended.errors[0]
    assert len(requests) == 3


@pytest.mark.parametrize(
    ("status", "code", "word"), [(401, 4, "refused the key"), (500, 3, "failed")]
)
def test_other_refusals_are_told_as_ever(status: int, code: int, word: str, tmp_path: Path) -> None:
    ended, requests = voices(Script.error(status, {"error": f"no: {KEY}"}), tmp_path)
    assert ended.code == code
    assert word in ended.errors[0]
    assert KEY not in ended.err
    assert len(requests) == 1


def test_the_embedded_voice_lists_its_own(tmp_path: Path) -> None:
    ended = run(Call(["voices", "--base-url", "embedded:"]), tmp_path)
    assert ended.code == 0
    assert ended.out.decode().split()[0] == "heart"


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    ended = run(Call(["voices", "--base-url", "http://127.0.0.1:9/v1"]), tmp_path)
    assert ended.code == 3
    assert "refused the connection" in ended.errors[0]
