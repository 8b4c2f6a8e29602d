"""One request on its way, which another thread may give up."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Call:
    """Knows how to end what is waited for at the moment; that is told by the thread that waits.

    A request carries it to the endpoint. ``cancel`` may be called by any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def wait_for(self, end: Callable[[], None]) -> None:
        """From now on ``end``, which returns at once, ends the waiting; now if given up already."""
        with self._lock:
            self._end = end
            if self._cancelled:
                end()

    def over(self) -> None:
        """Nothing is waited for any more: a connection that is kept carries another's request."""
        with self._lock:
            self._end = None

    def cancel(self) -> None:
        """Give it up: the waiting ends with an error, and what is asked for later fails too."""
        with self._lock:
            self._cancelled = True
            if self._end is not None:
                self._end()
