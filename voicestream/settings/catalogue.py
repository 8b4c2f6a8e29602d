"""Everything that can be named as an endpoint, and the keys for it."""

from __future__ import annotations

import os
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


def catalogue() -> Catalogue:
    """Return everything that can be named, by the user's config file, the environment and the
    ``.env`` of the working folder.

    Raises:
        SettingsError: the config file or the ``.env`` is malformed.
    """
    file = user_config_file(os.environ)
    rows = {row.name: row for row in TABLE}
    config, tables = from_config_file(file, rows)
    dotenv = read_dotenv(Path(".env"))
    layers = [config, from_variables(dotenv, TABLE, ".env "), from_variables(os.environ, TABLE, "")]
    profiles = Profiles(tables, str(file), {name: row.kind for name, row in rows.items()})
    keys = EndpointKeys(os.environ, dotenv, "", common_key(layers))
    return Catalogue(profiles, keys, settle(layers)[0], file)
