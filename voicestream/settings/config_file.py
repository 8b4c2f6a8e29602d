"""Changes to the user's config file that leave everything else in it as it stands."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voicestream.errors import SettingsError
from voicestream.files import read_bounded, write_state
from voicestream.settings.parse import parse_setting
from voicestream.settings.row import Row

_MOST_BYTES = 1 << 20
_EDIT = "`voicestream config edit` opens it."


def set_in(file: Path, row: Row, value: str) -> None:
    """Write a setting's value into the file, which is made if there is none.

    Raises:
        SettingsError: the value is malformed, or the file cannot be read or changed so.
    """
    parsed = parse_setting(row.kind, value, row.name)
    before = _content(file)
    line = f"{row.name} = {_toml(parsed)}"
    head, tables = _parted(before)
    pattern = _line_of(row.name)
    if pattern.search(head):
        head = pattern.sub(lambda _found: line + "\n", head, count=1)
    else:
        head = (head if not head or head.endswith("\n") else head + "\n") + line + "\n"
    _write(file, head + tables, {**_read(file, before), row.name: parsed})


def unset_in(file: Path, name: str) -> bool:
    """Take a setting out of the file; whether it was there.

    Raises:
        SettingsError: the file cannot be read or changed so.
    """
    before = _content(file)
    wanted = _read(file, before)
    if name not in wanted:
        return False
    del wanted[name]
    head, tables = _parted(before)
    _write(file, _line_of(name).sub("", head, count=1) + tables, wanted)
    return True


def make_example(file: Path, table: Sequence[Row]) -> None:
    """Write a file in which every setting stands as a comment, unless there is one.

    Raises:
        SettingsError: it cannot be written.
    """
    if file.exists():
        return
    blocks = [f"# {row.help}\n#{row.name} = {_toml(row.default)}\n" for row in table]
    _write(file, "# Settings of voicestream.\n\n" + "\n".join(blocks), {})


def _content(file: Path) -> str:
    try:
        return read_bounded(file, _MOST_BYTES).decode("utf-8")
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
        write_state(file, content)
    except OSError as error:
        raise SettingsError(f"{file} cannot be written", error.strerror or str(error)) from error


def _parted(content: str) -> tuple[str, str]:
    """What stands before the first table, and the rest."""
    found = re.search(r"^\s*\[", content, re.MULTILINE)
    at = found.start() if found else len(content)
    return content[:at], content[at:]


def _line_of(name: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*{re.escape(name)}[ \t]*=.*(?:\n|\Z)", re.MULTILINE)


def _toml(value: Any) -> str:
    # JSON's strings, numbers and booleans are TOML's
    return json.dumps(value, ensure_ascii=False)
