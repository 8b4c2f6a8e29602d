"""Endpoints by name: tables of the user's config file, over presets that come along.

``presets.json`` holds the presets, each with the address of the documentation that its values
were looked up in. It is read only when an endpoint is named: as JSON, because a TOML parser
takes 3 ms to load before the first request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from voicestream.errors import SettingsError
from voicestream.records import dataclass
from voicestream.settings.endpoints import Place, key_variable, tellable_name
from voicestream.settings.parse import Parser, parse_setting, text

_PRESETS = Path(__file__).with_name("presets.json")
_SETTINGS = {
    "base_url": "base_url",
    "model": "model",
    "voice": "voice",
    "format": "format",
    "stream_format": "stream_format",
    "headers": "extra_headers",
    "body": "extra_body",
    "rate_hz": "rate_hz",
}
"""Field of a table -> the setting that it gives a value to."""
_FIELDS = ("preset", "key_variable", *_SETTINGS)
_KEY_FIELDS = frozenset({"key", "api_key", "apikey", "token", "secret", "password"})
"""What people call the field that a key does not belong into."""
_MEANT = {
    **dict.fromkeys(("url", "host", "address", "endpoint", "api_base", "server"), "base_url"),
    **dict.fromkeys(
        ("api_key_env", "key_env", "env", "env_key", "api_key_variable"), "key_variable"
    ),
    **dict.fromkeys(("extra_headers", "header"), "headers"),
    **dict.fromkeys(("extra_body", "extra", "fields", "params"), "body"),
    **dict.fromkeys(("response_format", "codec"), "format"),
    **dict.fromkeys(("rate", "sample_rate"), "rate_hz"),
}
"""What other programs call a field -> ours."""
_CLOSE = 0.6
"""How alike two names are, from 0 to 1, for one to be taken for a slip of the other."""


@dataclass(frozen=True, slots=True)
class Profile:
    """An endpoint's settings under a name.

    Attributes:
        values: setting -> its value, and where that came from in words.
        key_variable: the environment variable that holds its key; empty for none.
        variable_known: the variable is a preset's, not something that a user may have mistaken.
        own: a table of the user's has a part in it.
        docs: where its provider documents it.
        note: what a person should know of the preset.
    """

    name: str
    values: Mapping[str, tuple[Any, str]]
    key_variable: str = ""
    variable_known: bool = False
    own: bool = False
    docs: str = ""
    note: str = ""
    example: str = ""

    @property
    def base_url(self) -> str:
        return str(self._value("base_url"))

    def place(self, model: str, voice: str) -> Place:
        """Return it as an entry of a list; ``model`` and ``voice`` stand where it names none."""
        return Place(
            url=self.base_url,
            key_variable=self.key_variable,
            model=self._value("model") or model,
            voice=self._value("voice") or voice,
            name=self.name,
            format=self._value("format"),
            stream_format=self._value("stream_format"),
            extra_headers=self._value("extra_headers"),
            extra_body=self._value("extra_body"),
            rate_hz=int(self._value("rate_hz") or 0),
        )

    def _value(self, setting: str) -> Any:
        return self.values.get(setting, ("", ""))[0]


class Profiles:
    """All endpoints that can be named.

    Args:
        tables: the user's, by name, as TOML gives them.
        file: they stand in, for messages.
        kinds: how the settings are parsed, by name.

    Raises:
        SettingsError: a table is malformed. Nothing that may be a key is part of the message.
    """

    def __init__(self, tables: Mapping[str, Any], file: str, kinds: Mapping[str, Parser]) -> None:
        self._file = file
        self._kinds = kinds
        self._presets: dict[str, dict[str, str]] = json.loads(_PRESETS.read_text("utf-8"))
        self._tables = {
            name.lower(): self._checked(name.lower(), table) for name, table in tables.items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The names, those of the user's tables first."""
        return (*self._tables, *(name for name in self._presets if name not in self._tables))

    @property
    def key_variables(self) -> frozenset[str]:
        """The variables that the user's tables say hold a key."""
        named = (table.get("key_variable", ("", ""))[0] for table in self._tables.values())
        return frozenset(filter(None, named))

    def written(self, name: str) -> dict[str, Any]:
        """Return the fields of one of the user's tables, parsed."""
        return {field: value for field, (value, _) in self._tables[name].items()}

    def field(self, name: str, field: str) -> tuple[Any, str]:
        """A field's value, of the user's table or the preset, and where it came from.

        Raises:
            SettingsError: there is no such endpoint, or field.
        """
        found = self.find(name)
        if field not in _FIELDS:
            raise SettingsError(f"no endpoint has the field {field}", hint=_field_hint(field))
        own = self._tables.get(name, {}).get(field)
        if own is None and field == "key_variable":
            return found.key_variable, f"preset {name}" if found.key_variable else "default"
        return own or found.values.get(_SETTINGS.get(field, ""), ("", "default"))

    def find(self, name: str) -> Profile:
        """Return the profile of that name; its ``base_url`` may be empty.

        Raises:
            SettingsError: there is none.
        """
        table = self._tables.get(name, {})
        preset_name = table.get("preset", (name, ""))[0]
        preset = self._presets.get(preset_name, {})
        if not table and not preset:
            raise self.unknown(name)
        values = {
            setting: (parse_setting(self._kinds[setting], preset[field], preset_name), source)
            for field, setting in _SETTINGS.items()
            if field in preset and (source := f"preset {preset_name}")
        }
        values |= {_SETTINGS[field]: held for field, held in table.items() if field in _SETTINGS}
        variable = table.get("key_variable", (preset.get("key_variable", ""), ""))[0]
        return Profile(
            name,
            values,
            variable,
            variable == preset.get("key_variable"),
            bool(table),
            *(preset.get(field, "") for field in ("docs", "note", "example")),
        )

    def unknown(self, name: str) -> SettingsError:
        """Return the error for a name that nothing has."""
        told = f" {name}" if tellable_name(name) else " of that name"
        return SettingsError(f"there is no endpoint{told}", hint=self._nearest(name, self.names))

    def reachable(self, name: str) -> Profile:
        """Return the profile of that name, with a base URL.

        Raises:
            SettingsError: there is none, or it has no base URL.
        """
        found = self.find(name)
        if not found.base_url:
            example = found.example or "http://127.0.0.1:8880/v1"
            raise SettingsError(
                f"the endpoint {name} has no base_url",
                found.note.partition(".")[0],
                f'Give it one in {self._file}: [endpoint.{name}] base_url = "{example}"',
            )
        return found

    def _checked(self, name: str, table: Any) -> dict[str, tuple[Any, str]]:
        """Return a table's fields, parsed, each with its source."""
        if not tellable_name(name):
            raise SettingsError(
                f"{self._file} has an endpoint whose name is none",
                hint="A name is made of small letters, digits, - and _: [endpoint.my-server]",
            )
        place = f"endpoint.{name}"
        if not isinstance(table, Mapping):
            raise SettingsError(
                f"{self._file} ({place}) is no table",
                hint="Below [endpoint] stands only use = ..., the names to use; what belongs to "
                'one endpoint stands below [endpoint.NAME]: base_url = "https://host/v1"',
            )
        for field in table:
            if field not in _FIELDS:
                raise SettingsError(
                    f"{self._file} ([{place}]) has an unknown field" + _told_field(field),
                    hint=_field_hint(field),
                )
        found = {
            field: (parse_setting(self._kind(field), value, source), source)
            for field, value in table.items()
            if (source := f"{self._file} ({place}.{field})")
        }
        preset = found.get("preset", ("", ""))[0]
        if preset and preset not in self._presets:
            raise SettingsError(
                f"{self._file} ({place}.preset) names a preset that does not exist",
                hint=self._nearest(preset, self._presets),
            )
        return found

    def _kind(self, field: str) -> Parser:
        if field == "key_variable":
            return key_variable
        return text if field == "preset" else self._kinds[_SETTINGS[field]]

    def _nearest(self, name: str, names: Iterable[str]) -> str:
        from difflib import get_close_matches

        near = get_close_matches(name.lower(), list(names), 3, _CLOSE)
        asked = f"Did you mean {' or '.join(near)}? " if near else ""
        return f"{asked}`voicestream endpoints` lists them."


def _told_field(field: str) -> str:
    """Return what to tell of a field: a key that was pasted to the left of the = is not told."""
    return f": {field}" if re.fullmatch(r"[a-z][a-z_]{0,23}", field) else ""


def _field_hint(field: str) -> str:
    """Return what to write instead of a field that does not exist."""
    if field.lower() in _KEY_FIELDS:
        return (
            "A key does not stand in this table; key_variable names the environment variable "
            'that holds it: key_variable = "OPENAI_API_KEY"'
        )
    from difflib import get_close_matches

    meant = _MEANT.get(field) or next(iter(get_close_matches(field, _FIELDS, 1, _CLOSE)), "")
    asked = f"Did you mean {meant}? " if meant else ""
    return f"{asked}There are {', '.join(_FIELDS)}."
