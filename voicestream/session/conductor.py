"""One reply from its first request to its last sample."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from voicestream.decode.registry import preload
from voicestream.errors import RewordedError, VoicestreamError
from voicestream.metrics import Metrics, SegmentFigures, Snapshot
from voicestream.notices import Notify
from voicestream.output.base import Sink
from voicestream.output.save import Saver
from voicestream.playout.controls import Controls
from voicestream.session.adapt import Requests
from voicestream.session.feeder import Feeder
from voicestream.session.fetchers import Fetchers, Segments
from voicestream.session.pacing import Keeping, Pacing
from voicestream.session.playback import Playback
from voicestream.session.requests import first_format
from voicestream.session.result import Event, Result, make_result
from voicestream.session.spool import LIMIT_BYTES
from voicestream.session.verbs import Verbs
from voicestream.settings.table import Settings
from voicestream.speech.base import Endpoint
from voicestream.state import State

OnEvent = Callable[[Event], None]


class AnyTurn(Protocol):
    """What a session asks of its :class:`~voicestream.session.turn.Turn`, which Windows lacks."""

    @property
    def waits_for(self) -> str: ...

    def begin(
        self,
        speaker: Playback,
        answer: Callable[[dict[str, Any]], dict[str, Any]],
        drop: Callable[[str], None],
        warn: Notify,
    ) -> None: ...

    def wake(self) -> None: ...

    def close(self) -> None: ...


class Session:
    """Speaks the segments of one text, in order.

    Args:
        endpoint: where speech is asked for; closed at the end.
        segments: what to say.
        sink: where it is played; None to only save.
        saver: where it is kept, if anywhere.
        learnt: where what is learnt of the endpoint is kept; None: nowhere.
        turn: waits until no other speaks; None: it speaks at once, and answers no verbs.
        on_event: called from the session's threads; must return quickly. What it
            raises becomes a warning.
    """

    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        segments: Segments,
        sink: Sink | None,
        saver: Saver | None = None,
        metrics: Metrics | None = None,
        on_event: OnEvent | None = None,
        learnt: Keeping | None = None,
        turn: AnyTurn | None = None,
    ) -> None:
        self._settings = settings
        self._turn = turn
        self.verbs = Verbs(self)
        self.dropped = False
        """Ended before its end, and nobody is to blame: it came at the wrong time."""
        self._endpoint = endpoint
        self._on_event = on_event
        self._ended = threading.Event()
        self._errors: list[VoicestreamError] = []
        self._interrupted = False
        self.metrics = metrics or Metrics()
        self._describe(settings, endpoint)
        notify = self.metrics.notices.notify

        def waiting_s() -> float:
            return self._playback.waiting_s

        self._fetchers = Fetchers(
            endpoint,
            segments,
            Requests(settings, self.metrics.requests, notify, waiting_s),
            settings.lookahead,
            self.metrics,
            lambda kind, figures: self._announce(kind, figures),
            spool_bytes=LIMIT_BYTES if settings.streaming else 1 << 30,
            warn=notify,
            reworded=self._fail_reworded if settings.strict else self._warn_reworded,
            waiting_s=waiting_s,
            tempo=settings.tempo,
        )
        self._pacing = Pacing(settings, self.metrics, self._fetchers.text_length, learnt)
        self._playback = Playback(
            self.metrics,
            sink,
            saver,
            self._pacing,
            capacity_s=settings.max_buffer_s,
            on_start=lambda: self._announce("playing", None),
            device_named=bool(settings.device),
            underrun=settings.underrun,
            on_wake=turn.wake if turn else lambda: None,
        )
        self._feeder = Feeder(
            self._fetchers, self._playback, self.metrics, settings, self._announce
        )
        self.metrics.notices.listen(self._noticed, settings.warnings)

    def _describe(self, settings: Settings, endpoint: Endpoint) -> None:
        self.metrics.endpoint = endpoint.name
        self.metrics.requests.format = first_format(settings)
        self.metrics.feeder.prebuffer_ms = settings.prebuffer_ms
        self.metrics.capacity_ms = 1000 * settings.max_buffer_s

    def _noticed(self, text: str) -> None:
        self.metrics.endpoint = self._endpoint.name  # it may be another that speaks now
        self._announce("warning", None, text)

    def _warn_reworded(self, places: str) -> None:
        self.metrics.notices.notify(f"other words were said: {places}")

    def _fail_reworded(self, places: str) -> None:
        self._errors.append(RewordedError("other words were said", places))

    def keep_trace(self, file: str) -> None:
        """Before ``start``: when the sound arrived will be kept there."""
        self._pacing.trace_file = file

    def start(self) -> None:
        """Begin; returns at once."""
        self.metrics.machine.advance(State.CONNECTING)
        self._fetchers.start()
        notify = self.metrics.notices.notify
        if self._turn is not None:
            self._turn.begin(self._playback, self.verbs.answer, self._drop, notify)
        threading.Thread(target=self._run, name="feeder", daemon=True).start()

    def _run(self) -> None:
        self.metrics.machine.advance(State.PREBUFFERING)
        try:
            # the endpoint is still thinking; importing a codec later would delay the first sound
            self._attempt(lambda: preload(first_format(self._settings)))
            self._attempt(self._pacing.load)
            self._attempt(self._feeder.run)
            self._give_back(self._fetchers.cancel)
            self._attempt(self._playback.stop)
            self._attempt(self._pacing.save_trace)
            if not (self.metrics.notices.stood_in or self._interrupted or self._failures()):
                self._attempt(self._pacing.keep)
        finally:
            self._conclude()

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except VoicestreamError as error:
            if not self._interrupted:
                self._errors.append(error)
        except Exception as error:  # noqa: BLE001  a thread's entry: handed on to who waits
            self._errors.append(VoicestreamError.unforeseen("voicestream failed", error))

    def _conclude(self) -> None:
        self._errors = self._failures()
        self.metrics.timeline.mark("end")
        if self._interrupted:
            self.metrics.machine.finish(State.CANCELLED)
        elif self._errors:
            self.metrics.machine.finish(State.FAILED)
        else:
            self.metrics.machine.finish(State.DONE)
        try:
            if self._turn is not None:
                self._turn.close()
            self._give_back(lambda: self._endpoint.close())
            self._announce("end", None)
        finally:
            self._ended.set()

    def _give_back(self, step: Callable[[], None]) -> None:
        """Run a step that ends the endpoint. What it raises or lacks keeps nobody waiting."""
        try:
            step()
        except BaseException as error:  # noqa: BLE001  an endpoint of the caller's own
            self.metrics.notices.notify(f"the endpoint failed to close: {error!r}")

    def _failures(self) -> list[VoicestreamError]:
        return self._feeder.errors + self._playback.errors + self._errors

    def interrupt(self) -> None:
        """From any thread or signal handler: fade out, stop reading, end all requests."""
        if not self._ended.is_set() and not self._interrupted:
            self._interrupted = True
            self._feeder.cancel()
            self._playback.cancel()
            # locks are taken below this line, which a signal handler must not do
            threading.Thread(target=self._fetchers.cancel, name="cancel", daemon=True).start()

    def _drop(self, why: str) -> None:
        self.dropped = True
        self.metrics.notices.notify(f"not spoken: {why}")
        self.interrupt()

    @property
    def controls(self) -> Controls:
        """Pause, volume and where to go on; any thread."""
        return self._playback.controls

    def skip(self, begun: int) -> None:
        """Any thread: leave out the rest of the last of the segments begun so far.

        Args:
            begun: how many these were.
        """
        self._feeder.skip(begun)

    @property
    def waits_for(self) -> str:
        """Who speaks before us, ``PID-N``; empty: nobody."""
        return self._turn.waits_for if self._turn else ""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until the end or the timeout; whether it has ended."""
        return self._ended.wait(timeout_s)

    @property
    def interrupted(self) -> bool:
        return self._interrupted

    def snapshot(self) -> Snapshot:
        return replace(self.metrics.snapshot(), waits_for=self.waits_for)

    def result(self) -> Result:
        """The figures, once it has ended."""
        return make_result(self.metrics, self._errors)

    def _announce(self, kind: str, figures: SegmentFigures | None, text: str = "") -> None:
        if self._on_event is None:
            return
        at_ms = 1000.0 * (time.monotonic() - self.metrics.timeline.process_start)
        index = None if figures is None else figures.index
        said = text or ("" if figures is None else figures.text)
        try:
            self._on_event(Event(kind, at_ms, index, said))
        except BaseException as error:  # noqa: BLE001  the caller's code must not end the sound
            self.metrics.notices.warnings.append(f"on_event failed: {error!r}")
