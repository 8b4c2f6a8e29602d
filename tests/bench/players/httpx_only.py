"""The floor for a Python program's start: ask, and read the reply. Plays nothing."""

import sys

import httpx

_URL, _FORMAT = sys.argv[1:3]

with httpx.Client().stream(
    "POST", f"{_URL}/audio/speech", json={"input": "x", "response_format": _FORMAT}
) as reply:
    for _ in reply.iter_raw():
        pass
