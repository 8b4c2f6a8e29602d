"""One request on its way, which another thread may give up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_MADE: ContextVar[Call | None] = ContextVar("voicestream_call", default=None)


class Call:
    """Knows how to end what it waits for at the moment; that is told by whoever waits.

    ``made`` is entered by the thread that asks, ``cancel`` may be called by any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    @contextmanager
    def made(self) -> Iterator[None]:
        """What the calling thread waits for within is waited for on behalf of this call."""
        token = _MADE.set(self)
        try:
            yield
        finally:
            _MADE.reset(token)
            with self._lock:  # a connection that was kept carries another's request now
                self._end = None

    def wait_for(self, end: Callable[[], None]) -> None:
        """From now on ``end``, which returns at once, ends the waiting; now if given up already."""
        with self._lock:
            self._end = end
            if self._cancelled:
                end()

    def cancel(self) -> None:
        """Give it up. Whoever waits goes on with an error; what is asked for later fails too."""
        with self._lock:
            self._cancelled = True
            if self._end is not None:
                self._end()


def current_call() -> Call | None:
    """The call that the calling thread makes, if anybody may give it up."""
    return _MADE.get()
