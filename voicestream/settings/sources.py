"""Where settings come from: flags, the environment, a folder's ``.env``, the user's config file.

The only reader of these four. What a value means is told by its row.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from voicestream.errors import SettingsError
from voicestream.files import read_bounded
from voicestream.records import dataclass
from voicestream.settings.endpoints import Place, named_keys, places
from voicestream.settings.parse import parse_setting, secret
from voicestream.settings.row import Row, nearest
from voicestream.settings.where import (
    EndpointKeys,
    Layer,
    Named,
    by_name,
    common_key,
    drop_what_a_folder_may_not,
    is_dotenv,
    refuse_stranger,
    settle,
)

_PLATFORM: str = sys.platform
_MOST_PARTS = 200
_MOST_BYTES = 1 << 20
"""Of a file of settings, and of a key."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was set anywhere, the strongest source of each.

    Attributes:
        values: parsed, by the row's name.
        sources: where each came from, in words.
        keys: what the variables hold that ``base_urls`` or the endpoints name.
        stand_ins: the endpoints that were named after the first.
        key_variables: the variables that tables of endpoints say hold a key.
    """

    values: dict[str, Any]
    sources: dict[str, str]
    keys: dict[str, str]
    stand_ins: tuple[Place, ...]
    key_variables: frozenset[str]


def gather(
    table: Sequence[Row],
    flags: Mapping[str, Any],
    environ: Mapping[str, str] | None,
    folder: Path,
    config_file: Path | None,
) -> Gathered:
    """Read every source of the settings in ``table``; for the rest see ``settings.load``.

    Raises:
        SettingsError: a value is malformed, or an ``.env`` would send a key to a stranger.
    """
    environ = os.environ if environ is None else environ
    rows = {row.name: row for row in table}
    dotenv = read_dotenv(folder / ".env")
    file = config_file or user_config_file(environ)
    config, tables = from_config_file(file, rows)
    layers = [
        config,
        from_variables(dotenv, table, ".env "),
        from_variables(environ, table, ""),
        _from_flags(flags, rows),
    ]
    names, named_by = settle(layers)
    named, key_variables = Named(), frozenset[str]()
    if names or tables:  # a slip in a table is told whichever is used
        from voicestream.settings.profiles import Profiles

        profiles = Profiles(tables, str(file), {name: row.kind for name, row in rows.items()})
        key_variables = profiles.key_variables
        if names:
            keys = EndpointKeys(environ, dotenv, named_by, common_key(layers))
            named = by_name(names, named_by, profiles, layers, keys)
            # what an endpoint's profile says is weaker than what is said for this call, or here;
            # a preset is the weakest of all where the config file itself names the endpoint
            layers.insert(1, named.table)
            layers.insert(0 if config.get("endpoint", ("", ""))[1] == named_by else 1, named.preset)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in layers:
        for name, (value, source) in layer.items():
            values[name] = parse_setting(rows[name].kind, value, source)
            sources[name] = source
    own = drop_what_a_folder_may_not(values, sources)
    listed = values.get("base_urls", "")
    held = named_keys(listed, environ, dotenv, own)
    of_folder = {name: own or not environ.get(name) for name in held}
    of_folder |= {name: name in named.own for name in named.keys}
    refuse_stranger(sources)
    first = next(iter(places(listed)), None)
    if first and "base_url" not in sources and not of_folder.get(first.key_variable, True):
        refuse_stranger({**sources, "api_key": first.key_variable})
    if is_dotenv(sources, "allow_http_key"):
        common_is_own = "api_key" not in sources or is_dotenv(sources, "api_key")
        if not (common_is_own and all(of_folder.values())):
            # a folder may risk its own keys, never the user's
            del values["allow_http_key"], sources["allow_http_key"]
    parsed = {name: parse_setting(secret, key, name) for name, key in held.items()}
    return Gathered(values, sources, parsed | named.keys, named.stand_ins, key_variables)


def user_config_file(environ: Mapping[str, str] | None = None) -> Path:
    """``config.toml`` in the platform's config folder."""
    environ = os.environ if environ is None else environ
    # a relative one is ignored: it would let the working directory choose where a key is sent
    if os.name == "posix" and os.path.isabs(chosen := environ.get("XDG_CONFIG_HOME", "")):
        return Path(chosen) / "voicestream" / "config.toml"
    # platformdirs costs 10 ms of start-up and says the same on Linux
    if _PLATFORM.startswith("linux"):
        return _home(environ) / ".config" / "voicestream" / "config.toml"
    from platformdirs import user_config_path

    return user_config_path("voicestream") / "config.toml"


def user_state_file(name: str, environ: Mapping[str, str] | None = None) -> Path:
    """Return a file in the platform's state folder."""
    if _PLATFORM.startswith("linux"):
        return _xdg_folder("XDG_STATE_HOME", ".local/state", environ) / name
    from platformdirs import user_state_path

    return user_state_path("voicestream") / name


def user_cache_folder(name: str) -> Path:
    """Return a folder in the platform's cache folder."""
    if _PLATFORM.startswith("linux"):
        return _xdg_folder("XDG_CACHE_HOME", ".cache", None) / name
    from platformdirs import user_cache_path

    return user_cache_path("voicestream") / name


def _xdg_folder(variable: str, below_home: str, environ: Mapping[str, str] | None) -> Path:
    environ = os.environ if environ is None else environ
    chosen = environ.get(variable, "")
    return (Path(chosen) if os.path.isabs(chosen) else _home(environ) / below_home) / "voicestream"


def _home(environ: Mapping[str, str]) -> Path:
    """Return the home folder; a relative one counts as none."""
    chosen = environ.get("HOME", "")
    return Path(chosen if os.path.isabs(chosen) else "/")


def _from_flags(flags: Mapping[str, Any], rows: Mapping[str, Row]) -> Layer:
    return {
        name: (value, f"flag {rows[name].flag}")
        for name, value in flags.items()
        if value is not None
    }


def from_variables(variables: Mapping[str, str], table: Sequence[Row], prefix: str) -> Layer:
    layer: Layer = {}
    for row in table:
        for variable in row.variables:
            if value := variables.get(variable, ""):
                layer[row.name] = (value, prefix + variable)
                break
    return layer


def read_dotenv(file: Path) -> dict[str, str]:
    try:
        content = read_bounded(file, _MOST_BYTES).decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return {}  # a folder of that name is a virtual environment
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("the .env file in this folder cannot be read", _why(error)) from error
    # the parser alone: the rest of python-dotenv logs what it cannot read, on stderr
    from dotenv.parser import parse_stream

    if re.search(r"^\s*\[\s*endpoint\b", content, re.M):
        raise SettingsError(
            "the .env file in this folder holds an [endpoint] table",
            "a folder may not say who gets texts and keys",
            "Tables belong into your config file; `voicestream endpoints` names it.",
        )
    found = {}
    for line in parse_stream(io.StringIO(content, newline=None)):
        if line.error and re.search("VOICESTREAM_|OPENAI_", line.original.string):
            raise SettingsError(
                f"line {line.original.line} of the .env file in this folder is malformed",
                hint="Write NAME=value, and close every quote.",
            )
        if line.key is not None and line.value is not None:
            found[line.key] = line.value
    return found


def _why(error: OSError | ValueError) -> str:
    """Return the system's own words, without number and path."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def from_config_file(file: Path, rows: Mapping[str, Row]) -> tuple[Layer, dict[str, Any]]:
    """Return the settings of the user's config file, and its tables of endpoints.

    ``endpoint`` is the names to use, or a table: ``use`` says the names there, and every other
    field is the table of one endpoint.
    """
    content = _read_toml(file)
    written = content.pop("endpoint", None)
    tables = dict(written) if isinstance(written, dict) else {}
    if isinstance(content.get("voices"), dict):  # of languages; `voices` alone are those of quotes
        if "language_voices" in content:
            raise SettingsError(
                f"{file} says language_voices, and has a table [voices]",
                "they mean the same",
                "Leave one of them out.",
            )
        content["language_voices"] = content.pop("voices")
    layer = {name: (value, f"{file} ({name})") for name, value in content.items()}
    unknown = sorted(set(content) - set(rows))
    if unknown:
        is_table = isinstance(content[unknown[0]], dict)
        near = nearest(unknown[0], rows)
        meant = f"Did you mean {near}? " if near else ""
        raise SettingsError(
            f"{file} has an unknown {'table' if is_table else 'setting'}: {unknown[0]}",
            hint="The table of an endpoint is called [endpoint.NAME]."
            if is_table
            else f"{meant}`voicestream config` lists the settings.",
        )
    if "use" in tables and not isinstance(tables["use"], dict):
        layer["endpoint"] = (tables.pop("use"), f"{file} (endpoint.use)")
    elif not isinstance(written, dict | None):
        layer["endpoint"] = (written, f"{file} (endpoint)")
    return layer, tables


def _read_toml(file: Path) -> dict[str, Any]:
    """Return a file's content; empty where there is none."""
    try:
        content = read_bounded(file, _MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    except OSError as error:
        raise SettingsError(f"{file} cannot be read", _why(error)) from error
    import tomllib

    try:
        text = content.decode("utf-8-sig")
        # the parser takes minutes for names of thousands of parts, which settings have not
        if any(line.count(".") > _MOST_PARTS for line in text.splitlines()):
            raise RecursionError
        return tomllib.loads(text)
    except RecursionError as error:
        raise SettingsError(f"{file} is not valid TOML", "it is nested too deeply") from error
    except ValueError as error:  # also an integer of more digits than Python reads
        raise SettingsError(f"{file} is not valid TOML", str(error)) from error


def read_key_file(path: str) -> str:
    """Return the key in a file, blanks around it removed.

    Raises:
        SettingsError: it cannot be read, or is empty.
    """
    try:
        key = read_bounded(Path(path), _MOST_BYTES).decode("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("the key file cannot be read", _why(error)) from error
    if not key:
        raise SettingsError("the key file is empty", path)
    return key
