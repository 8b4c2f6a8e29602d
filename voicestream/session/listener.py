"""The caller's ``on_event``: told what happens, and kept from breaking or holding up anything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from voicestream.counters import SegmentFigures
from voicestream.metrics import Metrics
from voicestream.session.bounded import run_bounded
from voicestream.session.result import Event

OnEvent = Callable[[Event], None]

_LAST_EVENT_S = 5.0


class Listener:
    """Calls ``on_event`` from whichever thread has something to tell.

    Args:
        on_event: None if nobody listens. What it raises becomes a warning, once.
    """

    def __init__(self, on_event: OnEvent | None, metrics: Metrics) -> None:
        self._on_event = on_event
        self._metrics = metrics
        self._telling: dict[int, str] = {}  # thread -> kind of the event it tells of

    @property
    def telling(self) -> str:
        """The kind of event that this thread is telling of; empty: none."""
        return self._telling.get(threading.get_ident(), "")

    def tell(self, kind: str, figures: SegmentFigures | None = None, text: str = "") -> None:
        """Call ``on_event``, and return when it does."""
        if self._on_event is None:
            return
        at_ms = 1000.0 * (time.monotonic() - self._metrics.timeline.process_start)
        index = None if figures is None else figures.index
        said = text or ("" if figures is None else figures.text)
        thread, outer = threading.get_ident(), self.telling
        self._telling[thread] = kind
        try:
            self._on_event(Event(kind, at_ms, index, said))
        except BaseException as error:  # noqa: BLE001  the caller's code must not end the sound
            self._metrics.notices.note_once(f"on_event failed: {error!r}")
        finally:
            self._telling[thread] = outer

    def tell_end(self) -> None:
        """Tell of the end, and wait for ``on_event``, but not longer than 5 s."""
        if self._on_event is not None:
            run_bounded(lambda: self.tell("end"), _LAST_EVENT_S)
