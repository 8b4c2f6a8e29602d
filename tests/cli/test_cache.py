"""What was said is not asked for twice: the real command before a real server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.canary import KEY
from tests.support.command import environment, figures, run
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.support.sound import speechlike

TEXT = "Hello there, who is it? " + " ".join(
    f"It has been raining here for {day} days now." for day in range(2, 9)
)
"""Its sentences would share requests where it comes fast."""


def reply(request: Request) -> Script:
    """Other sound for each text."""
    text = request.json["input"]
    return Script(speechlike(0.2 + len(text) / 20).tobytes())


def at(home: Path) -> dict[str, str]:
    """The environment of a user with a cache of his own."""
    found = environment(home, {"XDG_CACHE_HOME": str(home / ".cache")})
    del found["VOICESTREAM_CACHE"]
    return found


def reply_sound() -> Script:
    return Script(speechlike(0.3).tobytes())


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(reply) as running:
        yield running


def say(
    home: Path, url: str, *more: str, text: str = TEXT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    told = at(home) | {"VOICESTREAM_RETRIES": "0", **(env or {})}
    return run("say", text, "--base-url", url, *more, env=told, cwd=home)


def made(home: Path, url: str, name: str, *more: str) -> dict[str, Any]:
    done = say(home, url, "--cache", "on", "--json", "-o", str(home / name), *more)
    assert done.returncode == 0, done.stderr
    return figures(done)


def test_a_kept_reply_needs_no_network_and_is_the_same_to_the_bit(
    tmp_path: Path, server: ScriptedServer
) -> None:
    first = made(tmp_path, server.url, "first.wav")
    asked = len(server.requests)
    assert (first["cached"], len(first["segments"])) == (0, asked)
    assert asked > 2
    second = made(tmp_path, server.url, "second.wav")
    server.close()
    third = made(tmp_path, server.url, "third.wav")
    assert second["cached"] == third["cached"] == asked == len(server.requests)
    assert all(segment["cached"] for segment in third["segments"])
    sounds = {(tmp_path / f"{name}.wav").read_bytes() for name in ("first", "second", "third")}
    assert len(sounds) == 1


def test_a_short_phrase_is_kept_from_its_second_time_on(
    tmp_path: Path, server: ScriptedServer
) -> None:
    short = ("--device", "null", "--json")
    counts = []
    for text in 4 * ["Done."]:
        cached = figures(say(tmp_path, server.url, *short, text=text))["cached"]
        counts.append((cached, len(server.requests), len(server.connected_s)))
    assert counts == [(0, 1, 1), (0, 2, 2), (1, 2, 2), (1, 2, 2)]
    off = say(tmp_path, server.url, *short, text="Done.", env={"VOICESTREAM_CACHE": "off"})
    assert figures(off)["cached"] == 0
    assert len(server.requests) == 3
    told = say(tmp_path, server.url, "--device", "null", text="Done.")
    assert b"1 of 1 segment kept here" in told.stderr


def test_what_was_broken_is_asked_for_again(tmp_path: Path) -> None:
    with ScriptedServer([Script(bytes(99), content_type="audio/mpeg"), reply_sound()]) as server:
        kept = ("--cache", "on", "--device", "null")
        codes = [say(tmp_path, server.url, *kept, text="Hello.").returncode for _ in range(3)]
        assert len(server.requests) == 2
    assert codes[1:] == [0, 0]


def listed(home: Path) -> bytes:
    done = run("cache", "list", "--json", env=at(home), cwd=home)
    assert done.returncode == 0
    return done.stdout


def test_what_is_kept_is_told_and_forgotten(tmp_path: Path, server: ScriptedServer) -> None:
    made(tmp_path, server.url, "a.wav", "--extra-body", json.dumps({"token": KEY}))
    told = json.loads(listed(tmp_path))
    assert sorted(it["text"] for it in told["replies"]) == sorted(
        request.json["input"] for request in server.requests
    )
    folder = Path(told["folder"])
    assert tmp_path in folder.parents
    for file in folder.iterdir():
        assert KEY.encode() not in file.read_bytes()
        assert KEY not in file.name
    plain = run("cache", env=at(tmp_path), cwd=tmp_path)
    assert b"Hello there" in plain.stdout
    assert b"--cache is short" in plain.stderr
    off = run("cache", "off", env=at(tmp_path), cwd=tmp_path)
    assert off.returncode == 0
    assert b"forgotten" in off.stderr
    assert not [file for file in folder.iterdir() if file.suffix == ".reply"]
    assert run("config", "get", "cache", env=at(tmp_path), cwd=tmp_path).stdout == b"off\n"
    assert run("cache", "eat", env=at(tmp_path), cwd=tmp_path).returncode == 2


def test_a_full_disk_is_no_error(tmp_path: Path, server: ScriptedServer) -> None:
    (tmp_path / ".cache").write_bytes(b"in the way")
    done = say(tmp_path, server.url, "--cache", "on", "-o", str(tmp_path / "a.wav"))
    assert done.returncode == 0
    assert done.stderr.count(b"warning") == 1, done.stderr
    assert done.stderr.count(b"replies cannot be kept") == 1, done.stderr
