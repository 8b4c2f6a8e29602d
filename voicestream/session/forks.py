"""What holds after a fork: who began a speech, and whether a process can still speak."""

from __future__ import annotations

import os

from voicestream.errors import UsageError

_speaking: set[tuple[int, int]] = set()
"""Process and session, while it speaks. A child of ``fork`` has its parent's as they were."""
_HINT = "Fork before or after it, or start the child anew (multiprocessing: spawn)."


class Owner:
    """The process that a session was begun in."""

    def __init__(self) -> None:
        self._process = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether this is that process, and no child of it."""
        return os.getpid() == self._process

    def begins(self) -> None:
        """Its threads are started."""
        _speaking.add((self._process, id(self)))

    def ends(self) -> None:
        """Its threads are about to end."""
        _speaking.discard((self._process, id(self)))

    def require(self) -> None:
        """Refuse to wait for threads that are in another process.

        Raises:
            UsageError: this is a child of the process that the session was begun in.
        """
        if not self.is_here:
            raise UsageError(
                "this speech belongs to another process", "it was begun before a fork", _HINT
            )


def refuse_amid_speech() -> None:
    """Refuse to speak in a child that was forked while its parent spoke.

    Raises:
        UsageError: locks that the parent's threads held at that moment are held here for ever.
    """
    if any(process != os.getpid() for process, _ in _speaking):
        raise UsageError("a process that was forked amid a speech cannot speak", hint=_HINT)
