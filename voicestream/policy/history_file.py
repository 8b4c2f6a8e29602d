"""What was learnt about endpoints, kept between runs in the platform's state folder.

One JSON file of a few kilobytes. It is a convenience: a missing or damaged file
is an empty one, and is written anew at the end of the next reply.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from voicestream.files import read_bounded, write_state
from voicestream.policy.arrivals import HORIZONS_S
from voicestream.policy.history import NEED_SHARES, Knowledge
from voicestream.records import asdict
from voicestream.settings.sources import user_state_file

_VERSION = 1
_MOST_BYTES = 1 << 20
_MOST_ENDPOINTS = 32
_MOST_VALUES = 256
_MOST_REPLIES = 10**9
_FILE = "playout.json"


class Learnt:
    """Reads and writes the file. Used by one thread at a time.

    Args:
        file: instead of the user's.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.trouble = ""
        """Why the file could not be read or written, in words, to be said once; else empty."""

    @property
    def file(self) -> Path:
        if self._file is None:
            self._file = user_state_file(_FILE)
        return self._file

    def load(self, endpoint: str) -> Knowledge:
        """Return what is known of an endpoint, which may be nothing. Never raises."""
        entry = self._read().get(endpoint)
        if entry is None:
            return Knowledge()
        try:
            return _knowledge(entry)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            self.trouble = f"what was learnt about the endpoint is damaged and ignored: {error}"
            return Knowledge()

    def save(self, endpoint: str, knowledge: Knowledge) -> None:
        """Keep what is known of an endpoint; those unused for longest make room. Never raises
        ``OSError``."""
        entries = self._read()
        entries.pop(endpoint, None)
        entries[endpoint] = asdict(knowledge)
        kept = dict(list(entries.items())[-_MOST_ENDPOINTS:])
        content = json.dumps({"version": _VERSION, "endpoints": kept}, separators=(",", ":"))
        try:
            write_state(self.file, content)
        except OSError as error:
            self.trouble = f"what was learnt about the endpoint cannot be kept: {error.strerror}"

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(read_bounded(self.file, _MOST_BYTES, wait_s=0.0))
            if content["version"] != _VERSION:
                return {}
            entries: dict[str, Any] = dict(content["endpoints"])
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            self.trouble = f"{self.file.name} cannot be read and is ignored: {error.strerror}"
            return {}
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.trouble = f"{self.file.name} is damaged and ignored: {error}"
            return {}
        return entries


def _knowledge(entry: Any) -> Knowledge:
    """Return the knowledge in what may be anything that JSON can say."""
    replies = entry["replies"]
    if not isinstance(replies, int) or not 0 <= replies <= _MOST_REPLIES:
        raise ValueError(f"{replies!r} replies")
    if not replies:
        return Knowledge()
    found = Knowledge(
        replies=replies,
        seconds_per_char=_numbers([entry["seconds_per_char"]], 0.0, 10.0)[0],
        first_byte_s=_numbers([entry["first_byte_s"]], 0.0, 1e5)[0],
        rate=_numbers([entry["rate"]], 0.0, 1e6)[0],
        jitter_s=_numbers([entry["jitter_s"]], 0.0, 1e5)[0],
        first_needs=tuple(_numbers(row, -1e5, 1e5) for row in entry["first_needs"][:64]),
        needs=tuple(_numbers(row, -1e5, 1e5) for row in entry["needs"][:64]),
        phrase_s=_numbers([entry["phrase_s"]], 0.0, 1e5)[0],
        gaps=tuple(sorted(_numbers(entry["gaps"], 0.0, 1e5))),
    )
    full = len(found.needs) == len(HORIZONS_S) and bool(found.first_needs)
    even = all(len(row) == len(HORIZONS_S) for row in found.first_needs)
    if not (full and even and all(len(row) == NEED_SHARES for row in found.needs)):
        raise ValueError("rows of a wrong length")
    return found


def _numbers(values: Any, least: float, most: float) -> tuple[float, ...]:
    found = tuple(float(value) for value in values[:_MOST_VALUES])
    if not all(math.isfinite(value) and least <= value <= most for value in found):
        raise ValueError("a number out of bounds")
    return found
