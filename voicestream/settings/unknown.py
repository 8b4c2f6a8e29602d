"""Variables that look like settings and are none: slips of the hand, mostly."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from voicestream.settings.row import PREFIX, nearest
from voicestream.settings.sources import read_dotenv
from voicestream.settings.table import TABLE, Settings

_RUNTIME = "VOICESTREAM_RUNTIME_DIR"
"""No setting: verbs, which load none, read it, too."""


def unknown_variables(
    settings: Settings, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> dict[str, str]:
    """Return the variables of the environment and of ``.env`` that begin as settings do and are
    none.

    Those that the settings name as holding a key are not among them.

    Returns:
        Each one (one of ``.env`` with that before it) and its nearest setting; empty where none
        is near.

    Raises:
        SettingsError: the ``.env`` file is malformed.
    """
    environ = os.environ if environ is None else environ
    known = {variable for row in TABLE for variable in row.variables} | {_RUNTIME}
    keys = {*settings.keys, *settings.key_variables}
    written = read_dotenv((folder or Path()) / ".env")
    named = [("", name) for name in sorted(environ)] + [(".env ", name) for name in sorted(written)]
    return {
        place + name: nearest(name, known)
        for place, name in named
        if name.startswith(PREFIX) and name not in known and name not in keys
    }
