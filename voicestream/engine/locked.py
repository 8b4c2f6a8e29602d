"""The lock of the engine: one a folder, held as long as its process lives, and what it says."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # which has no flock(2)

import fcntl
import json
import os
import time
from typing import Any

from voicestream.errors import UsageError

_STATE_BYTES = 256
_TRIES, _RETRY_S = 10, 0.02


class Lock:
    """Held by the engine of a folder.

    Args:
        folder: made if it is not there.

    Raises:
        UsageError: another engine holds it.
        OSError: the folder cannot be used.
    """

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._file = os.open(f"{folder}/lock", os.O_RDWR | os.O_CREAT, 0o600)
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(self._file, 0)  # what the engine before was like
                return
            except BlockingIOError:
                time.sleep(_RETRY_S)  # somebody may just be looking
        os.close(self._file)
        raise UsageError("an engine runs already", hint="voicestream engine status")

    def write(self, state: str) -> None:
        """Say what the engine is like, for whoever asks."""
        os.pwrite(self._file, state.ljust(_STATE_BYTES).encode(), 0)  # in one piece for who reads

    def forget(self) -> None:
        """A child does not hold the lock: closing its copy leaves the engine's."""
        os.close(self._file)
        self._file = -1

    def release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def state_of(folder: str) -> dict[str, Any] | None:
    """Return what the engine of a folder says of itself; None: none runs there."""
    try:
        file = os.open(f"{folder}/lock", os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            found = json.loads(os.pread(file, _STATE_BYTES, 0))
        except ValueError:  # it has just begun
            return {}
        return found if isinstance(found, dict) else {}
    else:
        return None
    finally:
        os.close(file)
