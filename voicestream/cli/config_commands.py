"""``config``: shows the settings, and changes the user's config file."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voicestream.cli.parts import load_settings, warn_of_unknown
from voicestream.cli.report import notice, print_json, print_text
from voicestream.errors import SettingsError, UsageError
from voicestream.printable import printable
from voicestream.redact import redacted
from voicestream.settings.catalogue import catalogue
from voicestream.settings.config_file import (
    make_example,
    set_field,
    set_in,
    unset_field,
    unset_in,
    unset_table,
)
from voicestream.settings.endpoints import Place
from voicestream.settings.kinds import is_local
from voicestream.settings.parse import parse_setting
from voicestream.settings.row import Row, nearest, shown
from voicestream.settings.sources import read_key_file, user_config_file
from voicestream.settings.table import TABLE, load, shown_value

_FIELD = re.compile(r"endpoint\.([a-z0-9][a-z0-9_-]*)\.(\w+)")
"""A field of an endpoint's table."""
_ENDPOINT = re.compile(r"endpoint\.([a-z0-9][a-z0-9_-]*)")
"""An endpoint's table."""
_USAGE = "Try: voicestream config --help"
_EDITOR = "notepad" if os.name == "nt" else "vi"


def config(words: Sequence[str], flags: dict[str, Any], as_json: bool) -> int:
    """Carry out ``config [path | edit | get NAME | set NAME VALUE | unset NAME]``.

    Args:
        words: what stands after ``config``.
        flags: settings on the command line, for what is shown.
        as_json: show one JSON object.

    Returns:
        The exit code.
    """
    file = user_config_file(os.environ)
    match list(words):
        case []:
            return _show(flags, as_json)
        case ["path"]:
            return print_text(f"{file}\n")
        case ["edit"]:
            return _edit(file)
        case ["get", name] if field := _FIELD.fullmatch(name):
            return _show_field(field[1], field[2], as_json)
        case ["get", name]:
            return _show_one(_row(name).name, flags, as_json)
        case ["set", name, *values] if values and (field := _FIELD.fullmatch(name)):
            set_field(file, field[1], field[2], " ".join(values))
        case ["set", name, *values] if values:
            row = _row(name)
            _set(file, row, _value(row, " ".join(values)))
            _tell_what_is_stronger(row)
        case ["set"] if flags:  # `config set --voice nova`
            for name, value in flags.items():
                held = read_key_file(value) if name == "api_key" else shown(value)
                _set(file, _row(name), held)
        case ["unset", name]:
            if not _unset(file, name):
                notice(f"{name} is not set in {file}")
        case ["get" | "set" | "unset", *_]:
            takes = "a name and a value" if words[0] == "set" else "one name"
            raise UsageError(f"config {words[0]} takes {takes}", hint=_USAGE)
        case _:
            hint = f"`voicestream config` alone shows all settings. {_USAGE}"
            if words[0].replace("-", "_") in (row.name for row in TABLE):
                meant = f"set {words[0]} VALUE" if words[1:] else f"get {words[0]}"
                hint = f"Do you mean `voicestream config {meant}`?"
            raise UsageError(f"config knows no {words[0]!r}", hint=hint)
    return 0


def _show_one(name: str, flags: dict[str, Any], as_json: bool) -> int:
    """Show one effective value."""
    settings = load_settings(flags)
    return _tell(shown_value(settings, name), settings.source(name), as_json)


def _show_field(name: str, field: str, as_json: bool) -> int:
    """One value of an endpoint's."""
    value, source = catalogue().profiles.field(name, field)
    told = redacted(shown(value)) if field != "headers" else "(set)" if value else ""
    return _tell(told, source, as_json)


def _tell(value: str, source: str, as_json: bool) -> int:
    if as_json:
        return print_json({"value": value, "source": source})
    return print_text(f"{printable(value)}\n")


def _show(flags: dict[str, Any], as_json: bool) -> int:
    """Show every effective value and where it came from, one a line."""
    settings = load_settings(flags)
    warn_of_unknown(settings, lambda _name: True)
    if as_json:
        shown: dict[str, dict[str, Any]] = {
            row.name: {
                "value": shown_value(settings, row.name)
                if isinstance(row.default, str)
                else getattr(settings, row.name),
                "source": settings.source(row.name),
            }
            for row in TABLE
        }
        shown["endpoint"]["then"] = [_then(place) for place in settings.fallbacks]
        return print_json(shown)
    rows = []
    for row in TABLE:
        value = printable(shown_value(settings, row.name)) or "-"
        rows.append((row.name, value, settings.source(row.name)))
        if row.name == ("endpoint" if settings.endpoint else "base_urls"):
            rows += map(_then_row, settings.fallbacks)
    names = max(len(name) for name, _, _ in rows)
    values = min(max(len(value) for _, value, _ in rows), 48)
    code = print_text(
        "".join(
            f"{name:<{names}}  {value:<{values}}  {printable(source)}\n"
            for name, value, source in rows
        )
    )
    if settings.base_urls and not code:
        notice(
            "Endpoints have names: an [endpoint.NAME] table says what an entry of base_urls says, "
            "and --endpoint A,B,embedded uses them. `voicestream help settings` tells how."
        )
    return code


def _then(place: Place) -> dict[str, str]:
    """Return an endpoint that speaks when those before it fail."""
    told = {"name": place.name, "base_url": redacted(place.url), "key": place.key_variable}
    if not is_local(place.url):
        told |= {"model": place.model, "voice": place.voice, "format": place.format}
    return {name: value for name, value in told.items() if value}


def _then_row(place: Place) -> tuple[str, str, str]:
    told = _then(place)
    name, key = told.pop("name", ""), told.pop("key", "")
    return f"  then {name}".rstrip(), ", ".join(told.values()), f"key: {key}" if key else "no key"


def _set(file: Path, row: Row, value: str) -> None:
    """Write a setting; an endpoint that nobody has is refused."""
    if row.name == "endpoint":
        profiles = catalogue().profiles
        for name in filter(None, parse_setting(row.kind, value, row.name).split(",")):
            profiles.reachable(name)
    set_in(file, row, value)


def _unset(file: Path, name: str) -> bool:
    """Take out a setting, an endpoint's field or its whole table; whether it was there."""
    if field := _FIELD.fullmatch(name):
        return unset_field(file, field[1], field[2])
    if not (table := _ENDPOINT.fullmatch(name)):
        return unset_in(file, _row(name).name)
    if not unset_table(file, table[1]):
        return False
    try:
        load({})
    except SettingsError as error:  # it may still be the one to use
        notice(f"{name} is out of the config file. {error}")
    return True


def _row(name: str) -> Row:
    """Return the setting that a name, a flag or a variable means."""
    wanted = name.lstrip("-").replace("-", "_")
    for row in TABLE:
        if wanted.lower() == row.name or wanted in row.variables or name == row.flag:
            return row
    near = nearest(wanted.lower(), {row.name for row in TABLE})
    hint = f"Did you mean {near}?" if near else "`voicestream config` lists them."
    raise UsageError(f"there is no setting {name}", hint=hint)


def _value(row: Row, value: str) -> str:
    """Return the value to be set; ``-`` reads it from stdin, where a key must come from."""
    if value == "-" and sys.stdin is not None:
        if not sys.stdin.isatty():
            return sys.stdin.readline().strip()
        from getpass import getpass

        return getpass(f"{row.name}: ").strip()
    if row.name == "api_key":
        raise UsageError(
            "every user of this machine can read a key on the command line",
            hint="`voicestream config set api_key -` asks for it.",
        )
    return value


def _tell_what_is_stronger(row: Row) -> None:
    """Where another source wins over the config file, say which."""
    try:
        source = load({}).source(row.name)
    except SettingsError as error:
        notice(f"{row.name} is in the config file now, but cannot be used yet: {error}")
        return
    if not source.endswith((f"({row.name})", f"({row.name}.use)")):
        notice(f"{row.name} is in the config file now, but {source} is stronger")


def _edit(file: Path) -> int:
    """Open the file in the user's editor; say what is wrong with it afterwards."""
    make_example(file, TABLE)
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor and not (sys.stdin and sys.stdin.isatty()):
        raise UsageError("there is no terminal to edit on", hint=f"The file is {file}.")
    editor = editor or _EDITOR
    try:
        code = subprocess.call([*shlex.split(editor), str(file)])
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the editor {editor} cannot be started", str(error), f"The file is {file}."
        ) from error
    load({})
    return code
