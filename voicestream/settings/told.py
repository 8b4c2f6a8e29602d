"""What a person was told already, so that a notice comes once a day and not each time.

One small JSON file in the platform's state folder; missing or damaged, nothing was told.
"""

from __future__ import annotations

import json
import time

from voicestream.files import read_bounded, write_state
from voicestream.settings.sources import user_state_file

_FILE = "told.json"
_MOST_BYTES = 64 << 10
_MOST = 64


def first_today(notice: str) -> bool:
    """Return whether a notice is due: it was not told today. It counts as told from now on."""
    today = time.strftime("%Y-%m-%d")
    file = user_state_file(_FILE)
    try:
        told = json.loads(read_bounded(file, _MOST_BYTES, wait_s=0.0))
        recent = {str(name): str(day) for name, day in told.items() if day == today}
    except (OSError, ValueError, AttributeError, RecursionError):
        recent = {}
    if notice in recent:
        return False
    kept = dict(sorted(recent.items())[: _MOST - 1])
    try:
        write_state(file, json.dumps({**kept, notice: today}))
    except OSError:
        return True  # a folder that cannot be written makes it come each time
    return True
