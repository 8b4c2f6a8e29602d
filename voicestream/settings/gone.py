"""Models that an endpoint no longer has, kept between runs in the platform's state folder.

Known only from the endpoint's own words, never from a date. A missing or damaged file says
that nothing is gone; the file may be deleted at any time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from voicestream.files import read_bounded, write_state
from voicestream.settings.sources import user_state_file

_FILE = "gone-models.json"
_MOST_BYTES = 64 << 10
_MOST = 64

Gone = frozenset[tuple[str, str]]
"""Pairs of a base URL and a model."""


def gone_models(environ: Mapping[str, str] | None = None) -> Gone:
    """Return all that is known to be gone. Never raises."""
    file = user_state_file(_FILE, environ)
    try:
        pairs = json.loads(read_bounded(file, _MOST_BYTES, wait_s=0.0))["gone"]
        return frozenset((str(base_url), str(model)) for base_url, model in pairs)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return frozenset()


def keep_gone(base_url: str, model: str) -> None:
    """Remember it.

    Raises:
        OSError: it cannot be written.
    """
    known = sorted(gone_models() - {(base_url, model)})[: _MOST - 1]
    write_state(user_state_file(_FILE), json.dumps({"gone": [*known, (base_url, model)]}))
