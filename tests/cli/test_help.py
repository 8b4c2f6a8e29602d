"""Help that fits a screen, and finds what is asked for."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.cli.command import Call, run
from voicestream.cli import app as typer_app
from voicestream.cli.commands import COMMANDS
from voicestream.cli.entry import run as run_here
from voicestream.cli.option_groups import GROUPS, entries_of, every_entry, in_groups
from voicestream.cli.pages import topics
from voicestream.cli.typed import FIRST_WORDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run_here(arguments) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", ["", *COMMANDS, "trace"])
def test_help_fits_a_screen(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, *command.split(), "--help").splitlines()
    assert told[0].startswith(f"Usage: voicestream {command}".rstrip())
    assert 3 <= len(told) <= 40
    # an example is one line, to be copied
    assert all(len(line) <= 80 or line.strip().startswith("voicestream ") for line in told)


def test_the_short_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, "--help").partition("Commands:")[2]
    assert set(FIRST_WORDS) - set(re.findall(r"\w+", told)) == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_whole_help_has_every_flag_that_the_library_knows(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    known: Any = get_command(typer_app.app)
    for word in command.split():
        known = known.commands[word]
    told = shown(capsys, *command.split(), "--help-all")
    for parameter in known.params:
        if parameter.param_type_name == "option":
            assert all(flag in told for flag in (*parameter.opts, *parameter.secondary_opts))


def test_groups_name_what_there_is() -> None:
    named = [name for names in GROUPS.values() for name in names]
    assert len(named) == len(set(named))
    assert set(named) <= {entry.name for entry in every_entry()}
    grouped = in_groups(entries_of(COMMANDS["say"]))
    assert list(grouped) == list(GROUPS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["voice"], "VOICESTREAM_VOICE"),
        (["--voice"], "VOICESTREAM_VOICE"),
        (["-t"], "--tempo"),
        (["OPENAI_BASE_URL"], "--base-url"),
        (["prebuffer-ms"], "config file  prebuffer_ms"),
        (["pause"], "Usage: voicestream pause"),
        (["trace", "replay"], "Usage: voicestream trace replay"),
        (["trace"], "trace record"),
        (["retry"], "--retry-budget-s"),
        (["all"], "Tuning:"),
        ([], "Commands:"),
    ],
)
def test_help_finds_a_word(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told in shown(capsys, "help", *words)


def test_help_of_nothing_known_names_what_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(["help", "volum"]) == 2
    assert "volume" in capsys.readouterr().err


def test_help_of_an_endpoint_names_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(["help", "kokoro"]) == 2
    assert "voicestream endpoints kokoro" in capsys.readouterr().err


def test_a_command_that_is_not_whole_names_its_own_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_here(["trace"]) == 2
    assert "voicestream trace --help" in capsys.readouterr().err


@pytest.mark.parametrize("topic", topics())
def test_pages_are_short_and_linked_from_the_readme(
    topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page = shown(capsys, "help", topic)
    assert page.startswith("# ")
    assert all(len(line) <= 80 for line in page.splitlines())
    assert "|--" not in page
    assert not re.search(r"\S - `", page)  # items of a list stay lines
    assert f"(voicestream/pages/{topic}.md)" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("topic", topics())
def test_options_and_commands_of_the_pages_exist(topic: str) -> None:
    page = (ROOT / "voicestream" / "pages" / f"{topic}.md").read_text("utf-8")
    flags = {flag for entry in every_entry() for flag in entry.flags}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page)) - flags - {"--help-all"} == set()
    assert (
        set(re.findall(r"`voicestream ([a-z]+)", page)) - set(FIRST_WORDS) - {"processes"} == set()
    )


_LOADED = (
    "import sys; from voicestream.cli.entry import run; run(sys.argv[1:]); print(*sys.modules)"
)


@pytest.mark.parametrize("words", ["--help", "say --help-all", "help voice"])
def test_help_loads_no_library(words: str, tmp_path: Path) -> None:
    import subprocess

    ended = subprocess.run(
        [sys.executable, "-c", _LOADED, *words.split()],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in ended.stdout.splitlines()[-1].split()}
    assert "voicestream" in loaded
    assert not {"typer", "click", "rich"} & loaded


def test_help_into_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    ended = run(Call(["--help-all"], unread=True), tmp_path)
    assert (ended.code, ended.err) == (141, "")


def test_the_man_page_has_every_command_and_flag(capsys: pytest.CaptureFixture[str]) -> None:
    page = shown(capsys, "help", "man")
    for command in COMMANDS:
        assert f"\\fB{command}" in page
    for entry in every_entry():
        assert all(flag.replace("-", "\\-") in page for flag in entry.flags)
    known = {".TH", ".SH", ".SS", ".TP", ".B", ".br", ".nf", ".fi"}
    controls = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert controls <= known
