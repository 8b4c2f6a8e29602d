"""Changes to the user's config file that leave everything else in it as it stands."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voicestream.errors import SettingsError
from voicestream.files import read_bounded, with_ends_of, write_state
from voicestream.settings.parse import parse_setting
from voicestream.settings.profiles import Profiles
from voicestream.settings.row import Row
from voicestream.settings.table import TABLE

_MOST_BYTES = 1 << 20
_USE = "use"
_EXAMPLE = """
# An endpoint of your own; `use` says which are used where none is named.
#[endpoint]
#use = "desk,embedded"
#[endpoint.desk]
#base_url = "http://desk.lan:8880/v1"
#key_variable = "DESK_KEY"  # the variable that holds the key, never the key itself
#model = "kokoro"
#voice = "af_heart"

# Words as they should be said: by any voice, and in one language.
#[replace]
#nginx = "engine x"
#[replace.de]
#SQL = "Es Ku El"
"""
_EDIT = "`voicestream config edit` opens it."


def set_in(file: Path, row: Row, value: str) -> None:
    """Write a setting's value into the file, which is made if there is none.

    Raises:
        SettingsError: the value is malformed, or the file cannot be read or changed so.
    """
    parsed = parse_setting(row.kind, value, row.name)
    before = _content(file)
    meant = _read(file, before)
    _refuse_table(file, meant, row.name)
    if isinstance(tables := meant.get(row.name), dict):  # [endpoint] holds the names to use
        changed = _in_table(before, row.name, _USE, f"{_USE} = {_toml(parsed)}\n")
        _write(file, changed, {**meant, row.name: {**tables, _USE: parsed}})
        return
    head, rest = _parted(before)
    head = _with_line(head, row.name, f"{row.name} = {_toml(parsed)}\n")
    _write(file, head + rest, {**meant, row.name: parsed})


def set_field(file: Path, name: str, field: str, value: str) -> None:
    """Write a field of an endpoint's table, which is made if there is none.

    Raises:
        SettingsError: there is no such field, the value is malformed, or the file cannot be
            read or changed so.
    """
    kinds = {row.name: row.kind for row in TABLE}
    parsed = Profiles({name: {field: value}}, str(file), kinds).written(name)[field]
    before = _content(file)
    meant = _read(file, before)
    tables = meant.get("endpoint", {})
    if not isinstance(tables, dict):
        raise SettingsError(f"{file} says endpoint = ...", "that excludes a table", _EDIT)
    changed = _in_table(before, f"endpoint.{name}", field, f"{field} = {_toml(parsed)}\n")
    table = {**tables.get(name, {}), field: parsed}
    _write(file, changed, {**meant, "endpoint": {**tables, name: table}})


def unset_in(file: Path, name: str) -> bool:
    """Take a setting out of the file; return whether it was there.

    Raises:
        SettingsError: the file cannot be read or changed so.
    """
    before = _content(file)
    wanted = _read(file, before)
    _refuse_table(file, wanted, name)
    if isinstance(tables := wanted.get(name), dict):
        if _USE not in tables:
            return False
        del tables[_USE]
        _write(file, _in_table(before, name, _USE, ""), wanted)
        return True
    if name not in wanted:
        return False
    del wanted[name]
    head, tables = _parted(before)
    _write(file, _line_of(name).sub("", head, count=1) + tables, wanted)
    return True


def unset_field(file: Path, name: str, field: str) -> bool:
    """Take a field out of an endpoint's table; return whether it was there.

    Raises:
        SettingsError: the file cannot be read or changed so.
    """
    before = _content(file)
    wanted = _read(file, before)
    tables = wanted.get("endpoint")
    table = tables.get(name) if isinstance(tables, dict) else None
    if not isinstance(table, dict) or field not in table:
        return False
    del table[field]
    _write(file, _in_table(before, f"endpoint.{name}", field, ""), wanted)
    return True


def unset_table(file: Path, name: str) -> bool:
    """Take an endpoint's whole table out of the file; return whether it was there.

    Raises:
        SettingsError: the file cannot be read or changed so.
    """
    before = _content(file)
    wanted = _read(file, before)
    tables = wanted.get("endpoint")
    if not isinstance(tables, dict) or not isinstance(tables.get(name), dict):
        return False
    del tables[name]
    if not tables and not re.search(r"^[ \t]*\[[ \t]*endpoint[ \t]*\]", before, re.MULTILINE):
        del wanted["endpoint"]
    table = re.escape(f"endpoint.{name}")
    # with the tables inside it; a comment after a blank line belongs to what comes next
    pattern = rf"^[ \t]*\[[ \t]*{table}(?:\.[^\]]*)?\].*\n?(?:(?![ \t]*\[).*(?:\n|\Z))*?"
    pattern += r"(?=(?:[ \t]*\n(?:[ \t]*(?:#.*)?\n)*)?(?:[ \t]*\[|\Z))"
    _write(file, re.sub(pattern, "", before, flags=re.MULTILINE), wanted)
    return True


def make_example(file: Path, table: Sequence[Row]) -> None:
    """Write a file in which every setting stands as a comment, unless there is one.

    Raises:
        SettingsError: it cannot be written.
    """
    if file.exists():
        return
    blocks = [f"# {row.help}\n#{row.name} = {_toml(row.default)}\n" for row in table]
    _write(file, "# Settings of voicestream.\n\n" + "\n".join(blocks) + _EXAMPLE, {})


def _refuse_table(file: Path, meant: dict[str, Any], name: str) -> None:
    if name != "endpoint" and isinstance(meant.get(name), dict):
        raise SettingsError(f"{name} is a table in {file}", hint=_EDIT)


def _content(file: Path) -> str:
    try:
        return read_bounded(file, _MOST_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read", str(error)) from error


def _read(file: Path, content: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{file} is not valid TOML", str(error), _EDIT) from error


def _write(file: Path, content: str, meaning: dict[str, Any]) -> None:
    """Put ``content`` into the file, if it means what it should."""
    try:
        right = tomllib.loads(content) == meaning
    except (ValueError, RecursionError):
        right = False
    if not right:  # several lines of one value, quoted names: nothing that a line can replace
        raise SettingsError(f"{file} is written in a way that cannot be changed here", hint=_EDIT)
    try:
        write_state(file, with_ends_of(content, content))
    except OSError as error:
        raise SettingsError(f"{file} cannot be written", error.strerror or str(error)) from error


def _parted(content: str) -> tuple[str, str]:
    """Return what stands before the first table, and the rest."""
    found = re.search(r"^\s*\[", content, re.MULTILINE)
    at = found.start() if found else len(content)
    return content[:at], content[at:]


def _in_table(content: str, table: str, name: str, line: str) -> str:
    """Return the content with a line of one table in place of its old one; a table is made if need
    be."""
    header = re.search(
        rf"^[ \t]*\[[ \t]*{re.escape(table)}[ \t]*\].*(?:\n|\Z)", content, re.MULTILINE
    )
    if header is None:
        head, rest = _parted(content)
        return f"{head}[{table}]\n{line}\n{rest}"
    inside, rest = _parted(content[header.end() :])
    if not header[0].endswith("\n"):
        inside = "\n" + inside
    return content[: header.end()] + _with_line(inside, name, line) + rest


def _with_line(content: str, name: str, line: str) -> str:
    """Return lines with one of them in place of its old one, or at their end."""
    pattern = _line_of(name)
    if pattern.search(content):
        return pattern.sub(lambda _found: line, content, count=1)
    return (content if not content or content.endswith("\n") else content + "\n") + line


def _line_of(name: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*{re.escape(name)}[ \t]*=.*(?:\n|\Z)", re.MULTILINE)


def _toml(value: Any) -> str:
    # JSON's strings, numbers and booleans are TOML's
    return json.dumps(value, ensure_ascii=False)
