"""The end of a session, and who may wait for it."""

from __future__ import annotations

import threading

from voicestream.errors import UsageError
from voicestream.session.forks import Owner
from voicestream.session.listener import Listener

_TICK_S = 0.5


class Ending:
    """Is reached when the session's threads have done all that is theirs."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._owner = Owner()
        self._reached = threading.Event()

    @property
    def is_ahead(self) -> bool:
        """Whether the session goes on, in this process."""
        return self._owner.is_here and not self._reached.is_set()

    def begin(self) -> None:
        """Note that the session's threads are started."""
        self._owner.begins()

    def reach(self) -> None:
        """Let all go on who wait."""
        self._owner.ends()
        self._reached.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait ``timeout_s`` at most; return whether it has been reached.

        Raises:
            UsageError: it would never return: this is a child process, which has none of the
                threads that speak, or ``on_event``, which they wait for.
        """
        kind = self._listener.telling
        if kind == "end" or self._reached.is_set():
            return True
        self._owner.require()
        if kind and timeout_s is None:
            raise UsageError("on_event cannot wait for the speech", "which waits for on_event")
        if kind or timeout_s is not None:
            return self._reached.wait(0.0 if kind else timeout_s)
        # a wait without an end may miss a signal that comes just before it
        while not self._reached.wait(_TICK_S):
            continue
        return True
