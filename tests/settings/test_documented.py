"""The example file, the table of settings and ``--help`` say the same."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from voicestream.cli.commands import COMMANDS
from voicestream.cli.option_groups import entries_of
from voicestream.cli.options import SHORT, switch_flags
from voicestream.settings.parse import Choice
from voicestream.settings.row import Row
from voicestream.settings.table import TABLE, Settings, load

EXAMPLE = Path(__file__).parents[2] / "config.example.env"
BLOCKS = EXAMPLE.read_text("utf-8").strip().split("\n\n")[1:]
each_setting = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)


def meaning(row: Row) -> str:
    return row.help.partition(" [default: ")[0]


def default(row: Row) -> str:
    special = re.search(r"\[default: (.*)\]", row.help)
    return special[1] if special else row.shown_default or "none"


def test_the_example_has_one_block_for_each_setting_in_order() -> None:
    variables = [block.splitlines()[-1].lstrip("#").partition("=")[0] for block in BLOCKS]
    assert variables == [row.variables[0] for row in TABLE]


@each_setting
def test_help_of_the_settings_tells_what_each_means_and_may_be(row: Row) -> None:
    assert f"    {row.name}: {row.help}" in (inspect.getdoc(Settings) or "")
    choices = row.kind.words if isinstance(row.kind, Choice) else ()
    assert set(get_args(get_type_hints(Settings)[row.name])) == set(choices)


@each_setting
def test_the_example_tells_meaning_default_flag_and_variables(row: Row) -> None:
    *comment, assignment = BLOCKS[TABLE.index(row)].splitlines()
    assert all(line.startswith("# ") for line in comment)
    told = " ".join(line.removeprefix("# ") for line in comment)
    also = "".join(f" Also read: {variable}" for variable in row.variables[1:])
    expected = f"{meaning(row)}. Default: {default(row)} Flag: {row.flag}{also}"
    assert told.casefold() == expected.casefold()
    assert assignment == f"#{row.variables[0]}={row.shown_default}"


def test_the_example_uncommented_is_the_default(tmp_path: Path) -> None:
    uncommented = re.sub(r"^#(?=VOICESTREAM_)", "", EXAMPLE.read_text("utf-8"), flags=re.M)
    (tmp_path / ".env").write_text(uncommented)
    settings = load({}, {}, tmp_path, tmp_path / "none.toml")
    assert settings == Settings(cache="short")  # which is the commands' default alone
    given = {row.name for row in TABLE if row.shown_default}
    assert set(settings.sources) == given


@each_setting
@pytest.mark.parametrize("command", ["say", "config"])
def test_help_tells_flag_meaning_default_and_variables(row: Row, command: str) -> None:
    (entry,) = [it for it in entries_of(COMMANDS[command]) if it.name == row.name]
    flags = [SHORT[n] for n in SHORT if n == row.name] + [f for f in switch_flags(row.flag) if f]
    assert [*entry.flags] == flags
    assert f"[{', '.join(row.variables)}]" in entry.full
    if row.name == "api_key":
        assert entry.full.startswith("read the key from FILE")
        return
    assert entry.full.startswith(meaning(row))
    assert f"[default: {default(row)}]" in entry.full or default(row) == "none"


def test_nothing_in_the_example_is_a_key() -> None:
    assert "sk-" not in EXAMPLE.read_text("utf-8")
