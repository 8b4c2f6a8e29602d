"""The process that the sound system's libraries were started in: they do not survive a fork."""

from __future__ import annotations

import os

from voicestream.errors import DeviceError

_started_in: set[int] = set()
"""Processes, this one and those that it was forked from."""


def refuse_after_fork() -> None:
    """To be called before the sound system is used.

    Raises:
        DeviceError: this is a child of a process that has used it.
    """
    if _started_in and os.getpid() not in _started_in:
        raise DeviceError(
            "a process that was forked from one that speaks cannot reach the sound card",
            "the sound system's libraries belong to its parent",
            "Speak in the parent, or start the child anew (multiprocessing: spawn).",
        )


def note_use() -> None:
    """The sound system was started by this process."""
    _started_in.add(os.getpid())
