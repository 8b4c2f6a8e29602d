"""What was listed last, for the shell's completion: it may neither ask a server nor open a card.

One small JSON file in the platform's state folder; it may be deleted at any time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from voicestream.files import read_bounded, write_state
from voicestream.settings.sources import user_state_file

_FILE = "seen.json"
_MOST_BYTES = 1 << 20
_MOST_LISTS = 16
_MOST_NAMES = 1000

Names = list[tuple[str, str]]
"""What can be named, and what is said of it."""


def keep_seen(what: str, names: Iterable[tuple[str, str]]) -> None:
    """Remember a list, instead of the one of the same kind; where it cannot be kept, it is not.

    Args:
        what: ``devices``, or ``voices`` and where they are.
    """
    lists = _read()
    lists.pop(what, None)
    recent = dict(list(lists.items())[1 - _MOST_LISTS :])
    kept = [list(pair) for pair in names][:_MOST_NAMES]
    try:
        write_state(
            user_state_file(_FILE),
            json.dumps({**recent, what: {"at": time.time(), "names": kept}}),
        )
    except OSError:
        return  # completion knows less then


def seen(what: str) -> tuple[Names, float]:
    """Return the list that was kept, and its age in seconds; empty and without end where there is
    none."""
    entry: Any = _read().get(what)
    try:
        names = [(str(name), str(told)) for name, told in entry["names"]]
        return names, max(time.time() - float(entry["at"]), 0.0)
    except (KeyError, TypeError, ValueError):
        return [], float("inf")


def _read() -> dict[str, Any]:
    try:
        found = json.loads(read_bounded(user_state_file(_FILE), _MOST_BYTES, wait_s=0.0))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
