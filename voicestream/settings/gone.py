"""Models that an endpoint no longer has, kept between runs in the platform's state folder.

Known only from the endpoint's own words, never from a date. A missing or damaged file says
that nothing is gone; the file may be deleted at any time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from voicestream.files import write_whole
from voicestream.settings.sources import user_state_file

_FILE = "gone-models.json"
_MOST_BYTES = 64 << 10
_MOST = 64

Gone = frozenset[tuple[str, str]]
"""Pairs of a base URL and a model."""


def gone_models(environ: Mapping[str, str] | None = None) -> Gone:
    """All that is known to be gone. Never raises."""
    file = user_state_file(_FILE, environ)
    try:
        if file.stat().st_size > _MOST_BYTES:
            return frozenset()
        pairs = json.loads(file.read_bytes())["gone"]
        return frozenset((str(base_url), str(model)) for base_url, model in pairs)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return frozenset()


def keep_gone(base_url: str, model: str) -> None:
    """Remember it.

    Raises:
        OSError: it cannot be written.
    """
    known = sorted(gone_models() - {(base_url, model)})[: _MOST - 1]
    file = user_state_file(_FILE)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(file, json.dumps({"gone": [*known, (base_url, model)]}))
