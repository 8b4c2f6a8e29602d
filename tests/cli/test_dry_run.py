"""``--dry-run`` shows what would be asked for, and asks nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Call, Run, run
from tests.support import tones
from tests.support.script import Script
from tests.support.server import ScriptedServer

TEXT = "# A headline\n\nThe first sentence, spoken alone. [nova] The *second* one is\nnova's own.\n"


def say(folder: Path, server: ScriptedServer, *arguments: str, stdin: bytes | None = None) -> Run:
    return run(Call(["say", "--base-url", server.url, "--tags", *arguments], stdin=stdin), folder)


@pytest.mark.parametrize("piped", [True, False])
def test_the_lines_are_what_would_be_asked(piped: bool, tmp_path: Path) -> None:
    given = () if piped else (TEXT,)
    stdin = TEXT.encode() if piped else None
    with ScriptedServer(Script(tones.tone(1, 1.0).tobytes())) as server:
        shown = say(tmp_path, server, *given, "--dry-run", "-o", "a.wav", stdin=stdin)
        assert (shown.code, shown.err, shown.left) == (0, "", {})
        assert not server.connected_s
        figures = json.loads(say(tmp_path, server, *given, "--dry-run", "--json", stdin=stdin).out)
        assert not server.connected_s
        assert say(tmp_path, server, *given, "-o", "a.wav", stdin=stdin).code == 0
        asked = {(it.json["input"], it.json["voice"]) for it in server.requests}
    assert {(it["text"], it["voice"]) for it in figures["segments"]} == asked
    assert shown.out.decode().splitlines() == [
        "A headline",
        "The first sentence, spoken alone.",
        "[nova] The second one is nova's own.",
    ]


def test_nothing_to_say_is_told(tmp_path: Path) -> None:
    with ScriptedServer(Script()) as server:
        ended = say(tmp_path, server, " ", "--dry-run")
    assert (ended.code, ended.out) == (2, b"")
    assert "nothing to say" in ended.errors[0]
