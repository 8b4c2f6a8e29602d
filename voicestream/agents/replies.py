"""Speaks what an agent writes: one text after the other, each while it is being written."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from voicestream.agents.ordering import END
from voicestream.errors import EmptyTextError, VoicestreamError
from voicestream.settings.table import Settings
from voicestream.state import State

if TYPE_CHECKING:
    from voicestream.api import Handle

_QUIET_S = 0.8
"""What was written has become a request by then: longer than ``writer_pause_s``."""
_STALLED_S = 10.0
"""A message to which nothing was added for this time gives the floor away."""
_NEARLY_MS = 300.0
_TICK_S = 0.1
_IDLE_TICK_S = 0.5


class Replies:
    """One text after the other; a text takes what is written until it has been heard. One thread.

    Args:
        settings: how it is spoken.
        log: told what goes wrong.
    """

    def __init__(self, settings: Settings, log: Callable[[str], None]) -> None:
        self._settings = settings
        self._log = log
        self._handle: Handle | None = None
        self._text: queue.SimpleQueue[str | None] | None = None  # of the handle; None: it is closed
        self._waiting: list[str] = []  # for the next
        self._message = ""  # as far as it was said
        self._said_s = 0.0
        self._silenced = False
        self._muted = False  # the user has stopped it: what belongs to it is not wanted either

    @property
    def silent(self) -> bool:
        """Whether nothing is being spoken."""
        return self._handle is None and not self._waiting

    @property
    def tick_s(self) -> float:
        """How soon ``go_on`` wants to be called again."""
        return _IDLE_TICK_S if self.silent else _TICK_S

    def prepare(self) -> None:
        """Load what speaks, before there is anything to say."""
        import voicestream.api  # noqa: F401

    def say(self, pieces: list[str]) -> None:
        """Speak these after all that was said before."""
        if self._muted:
            return
        for piece in pieces:
            self._said_s = time.monotonic()
            self._message += piece
            if piece is END:
                # code that nobody ended must not swallow the next message
                if self._message.count("```") % 2:
                    piece = f"\n```{END}"
                self._message = ""
            (self._waiting.append if self._text is None else self._text.put)(piece)
        if self._waiting:
            self.go_on(True)

    def silence(self) -> None:
        """Fall silent, and forget what waits: the next text is another reply's."""
        self._waiting.clear()
        self._message = ""
        self._muted = False
        if self._handle is not None:
            self._silenced = True
            self._handle.cancel()
            self._close()

    def go_on(self, unfinished: bool) -> None:
        """Begin the next text where the one before has ended; end the one that was heard.

        Args:
            unfinished: more of the message that is being spoken will come.
        """
        if self._handle is not None and self._handle.wait(0.0):
            self._conclude(self._handle)
        if self._handle is None and self._waiting:
            self._begin()
        elif self._text is not None and self._is_heard(unfinished):
            self._close()

    def _begin(self) -> None:
        from voicestream.api import start

        text: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        pieces, self._waiting = self._waiting, []
        for piece in pieces:
            text.put(piece)
        try:
            self._handle = start(_written(text), self._settings)
        except VoicestreamError as error:
            self._log(f"error: {error}")
            return
        self._text = text

    def _is_heard(self, unfinished: bool) -> bool:
        assert self._handle is not None
        quiet_s = time.monotonic() - self._said_s
        if quiet_s < (_STALLED_S if unfinished else _QUIET_S):
            return False
        seen = self._handle.snapshot()
        return seen.fill_ms < _NEARLY_MS and all(one.status.ended for one in seen.segments)

    def _close(self) -> None:
        if self._text is not None:
            self._text.put(None)
        self._text = None

    def _conclude(self, handle: Handle) -> None:
        seen = handle.snapshot()
        self._muted = seen.state is State.CANCELLED and not self._silenced
        self._close()  # nobody reads it any more
        self._handle, self._silenced = None, False
        if self._muted:
            self._waiting.clear()
        try:
            errors = handle.result().errors
        except VoicestreamError as failure:
            errors = (failure,)
        for error in errors:
            if not isinstance(error, EmptyTextError):
                self._log(f"error: {error}")


def _written(text: queue.SimpleQueue[str | None]) -> Iterator[str]:
    while (piece := text.get()) is not None:
        yield piece
