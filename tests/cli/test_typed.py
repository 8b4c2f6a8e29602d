"""What a newcomer types first: it speaks, or says what to type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.cli.command import Call, run
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.cli import app as typer_app
from voicestream.cli.options import quick_say
from voicestream.cli.typed import FIRST_WORDS, as_command
from voicestream.errors import UsageError

FIRST_TEN: tuple[tuple[list[str], bytes | None, str, str], ...] = (
    (["hello"], None, "hello", ""),
    (["hello", "there"], None, "hello there", ""),
    (["say", "hello", "there"], None, "hello there", ""),
    ([], b"hi\n", "hi", ""),
    (["-f", "notes.md"], None, "A note.", ""),
    (["--", "stop"], None, "stop", ""),
    (["-v", "nova", "hello"], None, "hello", ""),
    (["sya", "hello"], None, "", "voicestream say"),
    (["hello", "--voce", "nova"], None, "", "--voice"),
    (["-5 degrees tonight."], None, "", " -- "),
    (["notes.md"], None, "", "voicestream -f notes.md"),
    (["say", "notes.md"], None, "notes.md", ""),
    (["server"], None, "", "voicestream serve"),
    (["--text", "hello"], None, "", "voicestream hello there"),
    (["hello", "-o", "hello"], None, "", ".mp3"),
)
"""Arguments, stdin, and what is asked for, or what the hint names."""


@pytest.mark.parametrize(("arguments", "stdin", "text", "hint"), FIRST_TEN)
def test_the_first_ten_things_a_newcomer_types(
    arguments: list[str], stdin: bytes | None, text: str, hint: str, tmp_path: Path
) -> None:
    with ScriptedServer(lambda _request: Script(b"\x11\x01" * 4800)) as server:
        environ = {"VOICESTREAM_DEVICE": "null", "VOICESTREAM_BASE_URL": server.url}
        ended = run(Call(arguments, environ, {"notes.md": "A note."}, stdin), tmp_path)
        asked = "".join(json.loads(request.body)["input"] for request in server.requests)
    assert asked.strip() == text
    assert ended.code == (2 if hint else 0), ended.err
    assert hint in ended.err


def test_the_list_of_commands_is_complete() -> None:
    command: Any = get_command(typer_app.app)
    assert set(FIRST_WORDS) == set(command.commands)


@pytest.mark.parametrize("word", ["voics", "satus", "says", "confg", "aks", "devces"])
def test_a_slip_names_the_nearest_command(word: str) -> None:
    with pytest.raises(UsageError, match="no command"):
        as_command([word], at_terminal=True)


@pytest.mark.parametrize(
    "words", [["text", "me"], ["Stop!"], ["hello"], ["spot", "the", "dog"], ["-q", "hi"], ["-"]]
)
def test_what_is_no_slip_is_text(words: list[str]) -> None:
    assert as_command(words, at_terminal=True) == ["say", *words]


def test_nothing_at_a_terminal_shows_the_help() -> None:
    assert as_command([], at_terminal=True) == []


def test_a_text_that_begins_with_a_verb_gets_the_hint_of_say(tmp_path: Path) -> None:
    ended = run(Call(["back", "in", "a", "minute"]), tmp_path)
    assert ended.code == 2
    assert "voicestream say back ..." in ended.err


def test_bare_text_takes_the_quick_way() -> None:
    call = quick_say(as_command(["hello", "there", "-v", "nova", "-t", "1.2"], at_terminal=True))
    assert call is not None
    assert call.text == "hello there"
    assert call.settings == {"voice": "nova", "tempo": "1.2"}


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ("hello -r 2", "--tempo"),
        ("hello -r200", "--tempo"),
        ("hello --rate 2", "--tempo"),
        ("hello --out 2", "-o FILE"),
        ("hello --volume 2", "volume 0.5"),
        ("hello --verbose", "--log FILE"),
        ("hello --debug", "--log FILE"),
        ("hello --voyce 2", "mean --voice or"),
        ("hello -hi 2", "option: -hi."),
        ("-stop", "`voicestream say -- TEXT`"),
        ("--voices", "`voicestream voices`"),
        ("hello -v", "`voicestream voices`"),
        ("hello -o", "notes.mp3"),
    ],
)
def test_flags_of_other_tools_and_options_without_their_value_get_a_hint(
    words: str, ours: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typer_app.run_app(["say", *words.split()]) == 2
    assert ours in capsys.readouterr().err
