"""The quick reader of ``say`` and the command-line library read the same call, or it says None."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.main import get_command

from voicestream.cli import app as typer_app
from voicestream.cli.options import SAY_OPTIONS, SayCall, quick_say, switch_flags
from voicestream.settings.table import TABLE

_SAY: Any = get_command(typer_app.app).commands["say"]  # type: ignore[attr-defined]
_FLAGS = sorted(
    {flag for row in TABLE for flag in switch_flags(row.flag) if flag}
    | {flag for option in SAY_OPTIONS for flag in option.flags}
)
_TEXTS = st.sampled_from(["Hello", "", " ", "-", "--", "a=b", "=", "1.5", "-1", "--voice", "-f"])
_WORDS = st.one_of(
    st.sampled_from(_FLAGS),
    st.sampled_from(_FLAGS),
    st.builds("{}={}".format, st.sampled_from(_FLAGS), _TEXTS),
    st.builds("{}{}".format, st.sampled_from(_FLAGS), _TEXTS),
    st.builds(lambda flag, end: flag[:end], st.sampled_from(_FLAGS), st.integers(1, 9)),
    st.sampled_from(["-h", "--help", "-qf", "-fq", "-ffile", "-q=", "--no-json", "---", "-x"]),
    _TEXTS,
    st.text(max_size=3),
)


def read_by_library(arguments: list[str]) -> SayCall | None:
    """What typer makes of the words after ``say``; None if it refuses, or shows help."""
    try:
        context = _SAY.make_context("say", list(arguments))
    except (typer_app._Mistake, typer.Exit):
        return None
    return typer_app.call_of(context.params)


@given(st.lists(_WORDS, max_size=5))
@settings(max_examples=500, deadline=None)
@example(["Hello", "--save", "-"])
@example(["--", "--voice"])
@example(["-", "--", "-"])
@example(["--voice=", "Hello"])
@example(["--no-stream", "--stream", "Hello"])
@example(["--voice", "a", "--voice", "b"])
def test_both_readers_read_the_same(arguments: list[str]) -> None:
    quick = quick_say(["say", *arguments])
    if quick is not None:
        assert quick == read_by_library(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["Hello"],
        ["Hello", "there", "-v", "nova", "-m", "tts-1", "-t", "1.2"],
        ["--voice", "nova", "Hello", "--quiet"],
        ["--voice=nova", "--no-stream", "--speed=1.5", "-q"],
        ["-f", "notes.txt", "--save", "-", "--json"],
        ["-f", "a.txt", "-f", "b.txt", "-o", "out/{name}.mp3", "--subtitles=out/{name}.srt"],
        ["--", "-5 degrees"],
        [],
    ],
)
def test_what_people_type_is_read_quickly(arguments: list[str]) -> None:
    quick = quick_say(["say", *arguments])
    assert quick is not None
    assert quick == read_by_library(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["Hello", "-h"],
        ["--voice"],
        ["--voice", "--speed", "1"],
        ["--json=yes"],
        ["--voic", "nova"],
        ["-fnotes.txt"],
        ["-qf", "notes.txt"],
    ],
)
def test_any_doubt_is_left_to_the_library(arguments: list[str]) -> None:
    assert quick_say(["say", *arguments]) is None


@pytest.mark.parametrize("words", [[], ["config"], ["--version"], ["-x", "say"], ["sa"]])
def test_other_commands_are_left_to_the_library(words: list[str]) -> None:
    assert quick_say(words) is None


def test_the_command_gets_what_the_library_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[SayCall] = []

    def record(call: SayCall) -> int:
        calls.append(call)
        return 7

    monkeypatch.setattr("voicestream.cli.say.say", record)
    assert typer_app.run_app(["say", "-fnotes.txt", "--voice", "nova", "--no-stream"]) == 7
    assert calls == [SayCall(file=["notes.txt"], settings={"voice": "nova", "streaming": False})]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["say", "--json", "--nonsense"], True),
        (["ask", "--nonsense", "--json", "Why?"], True),
        (["voices", "--json", "--nonsense"], True),
        (["voices", "--json", "--timeout", "x"], True),
        (["trace", "record", "--json"], True),
        (["say", "--nonsense"], False),
        (["say", "--nonsense", "--", "--json"], False),
        (["help", "--json"], False),
        (["--json"], False),
    ],
)
def test_a_mistake_is_an_object_where_one_was_asked_for(
    arguments: list[str], wanted: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typer_app.run_app(arguments) == 2
    told = capsys.readouterr()
    assert told.err.startswith("voicestream: ")
    assert bool(told.out) is wanted
    if wanted:
        figures = json.loads(told.out)
        assert figures["completed"] is False
        assert [f"voicestream: {error}\n" for error in figures["errors"]] == [told.err]
