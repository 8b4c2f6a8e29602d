"""What an endpoint wants besides: a query, headers, fields, a sample rate it does not tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.said import assert_heard, say, say_at
from tests.support import sound
from tests.support.canary import KEY
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.errors import SettingsError
from voicestream.settings.table import Settings, shown_value

RAMP = sound.ramp(1200)
PCM = RAMP.tobytes()


def ask(folder: Path, *more: str, suffix: str = "") -> list[Request]:
    """The requests of two segments: the first leaves early, the second over HTTP proper."""
    with ScriptedServer(Script(PCM)) as server:
        said = say_at(server.url + suffix, folder, *more, text="Hello there.\n\nGood-bye now.")
    assert said.run.code == 0, said.run.err
    assert len(server.requests) == 2
    return list(server.requests)


def test_early_and_later_requests_are_the_same_but_for_the_text(tmp_path: Path) -> None:
    more = [
        "--extra-headers",
        '{"X-Tenant": "a b"}',
        "--extra-body",
        '{"lang": "e", "n": {"x": 1}}',
    ]
    first, second = ask(tmp_path, *more, suffix="/deep?api-version=2025-01-01&q=a%20b")
    assert first.path == second.path == "/v1/deep/audio/speech?api-version=2025-01-01&q=a%20b"
    assert first.headers.keys() == second.headers.keys()
    for request in (first, second):
        assert request.headers["api-key"] == KEY
        assert "authorization" not in request.headers
        assert request.headers["x-tenant"] == "a b"
        assert (request.json["lang"], request.json["n"]) == ("e", {"x": 1})


def test_a_key_travels_as_usual_where_the_query_is_another(tmp_path: Path) -> None:
    for request in ask(tmp_path, suffix="?zone=eu"):
        assert request.path == "/v1/audio/speech?zone=eu"
        assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("audio/pcm", {}),
        ("audio/pcm; rate=24000; channels=1", {}),
        ("audio/L16;rate=24000", {"X-Sample-Rate": "24000"}),
    ],
)
def test_the_rate_that_is_set_is_the_pitch(
    kind: str, headers: dict[str, str], tmp_path: Path
) -> None:
    script = Script(PCM, content_type=kind, headers=headers)
    assert_heard(say(script, tmp_path, "--rate-hz", "48000", "--no-trim"), RAMP, 48_000)


def test_a_file_knows_its_rate_better(tmp_path: Path) -> None:
    script = Script(sound.wav(RAMP), content_type="audio/wav")
    assert_heard(say(script, tmp_path, "--rate-hz", "48000"), RAMP)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("extra_body", "[1]"),
        ("extra_body", "{"),
        ("extra_body", '{"input": "x"}'),
        ("extra_body", '{"a": NaN}'),
        ("extra_headers", '{"Host": "x"}'),
        ("extra_headers", '{"Authorization": "x"}'),
        ("extra_headers", '{"a b": "x"}'),
        ("extra_headers", '{"a": 1}'),
        ("extra_headers", '{"a": "x\\r\\nHost: y"}'),
    ],
)
def test_what_would_break_a_request_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings(**{name: value})  # type: ignore[arg-type]


def test_headers_are_not_shown() -> None:
    settings = Settings(extra_headers=f'{{"x-key": "{KEY}"}}')
    assert KEY not in repr(settings) + shown_value(settings, "extra_headers")
