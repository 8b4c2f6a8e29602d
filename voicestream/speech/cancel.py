"""One request on its way, which another thread may give up."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Call:
    """Ends the waiting of one request, whatever it waits for at the moment, when another thread
    gives it up.

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
        """Let ``end``, which returns at once, end the waiting from now on; call it now if that
        is given up already."""
        with self._lock:
            self._end = end
            if self._cancelled:
                end()

    def over(self) -> None:
        """Wait for nothing any more: a connection that is kept carries another's request."""
        with self._lock:
            self._end = None

    def cancel(self) -> None:
        """Give it up: the waiting ends with an error, and what is asked for later fails too."""
        with self._lock:
            self._cancelled = True
            if self._end is not None:
                self._end()
