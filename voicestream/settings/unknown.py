"""Variables that look like settings and are none: slips of the hand, mostly."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from voicestream.settings.table import TABLE, Settings

PREFIX = "VOICESTREAM_"
_CLOSE = 0.6


def unknown_variables(
    settings: Settings, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The variables of the environment that begin as settings do and are none.

    Those that the settings name as holding a key are not among them.

    Returns:
        Each one's nearest setting; empty where none is near.
    """
    environ = os.environ if environ is None else environ
    known = {variable for row in TABLE for variable in row.variables}
    named = [name for name in environ if name.startswith(PREFIX) and name not in known]
    found = [name for name in named if name not in {*settings.keys, *settings.key_variables}]
    return {name: nearest(name, known) for name in sorted(found)}


def nearest(word: str, known: Iterable[str]) -> str:
    """What ``word`` was probably meant to be; empty: nothing known is like it."""
    from difflib import get_close_matches

    bare = {name.removeprefix(PREFIX): name for name in known}
    found = get_close_matches(word.removeprefix(PREFIX), sorted(bare), 1, _CLOSE)
    return bare[found[0]] if found else ""
