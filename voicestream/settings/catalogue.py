"""Everything that can be named as an endpoint, and the keys for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from voicestream.records import dataclass
from voicestream.settings.profiles import Profiles
from voicestream.settings.sources import (
    from_config_file,
    from_variables,
    read_dotenv,
    user_config_file,
)
from voicestream.settings.table import TABLE
from voicestream.settings.where import EndpointKeys, common_key, settle


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All endpoints that can be named, and the keys for them.

    Attributes:
        profiles: the user's tables and the presets.
        keys: finds keys for them.
        use: the names in use, in order.
        file: the user's config file.
    """

    profiles: Profiles
    keys: EndpointKeys
    use: tuple[str, ...]
    file: Path


def catalogue(
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    config_file: Path | None = None,
) -> Catalogue:
    """Return everything that can be named.

    Args:
        environ, folder, config_file: as for :func:`voicestream.settings.table.load`.

    Raises:
        SettingsError: the config file or the ``.env`` is malformed.
    """
    environ = os.environ if environ is None else environ
    file = config_file or user_config_file(environ)
    rows = {row.name: row for row in TABLE}
    config, tables = from_config_file(file, rows)
    dotenv = read_dotenv((folder or Path()) / ".env")
    layers = [config, from_variables(dotenv, TABLE, ".env "), from_variables(environ, TABLE, "")]
    profiles = Profiles(tables, str(file), {name: row.kind for name, row in rows.items()})
    keys = EndpointKeys(environ, dotenv, "", common_key(layers))
    return Catalogue(profiles, keys, settle(layers)[0], file)
