"""One reply from its first request to its last sample."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from voicestream.counters import Snapshot
from voicestream.decode.registry import preload
from voicestream.errors import RewordedError, VoicestreamError
from voicestream.metrics import Metrics
from voicestream.output.base import Recipient, Sink
from voicestream.playout.controls import Controls
from voicestream.records import replace
from voicestream.redact import forget_keys_in
from voicestream.session.bounded import run_bounded
from voicestream.session.ending import Ending
from voicestream.session.feeder import Feeder
from voicestream.session.fetchers import Fetchers, Segments
from voicestream.session.heard import HeardTeller
from voicestream.session.kept import Keeper
from voicestream.session.listener import Listener, OnEvent
from voicestream.session.loudness import Loudness
from voicestream.session.pacing import LearntStore, Pacing
from voicestream.session.playback import Playback
from voicestream.session.requests import Requests
from voicestream.session.result import Result, failures, make_result
from voicestream.session.speech_request import first_format
from voicestream.session.spool import LIMIT_BYTES
from voicestream.session.verbs import Verbs
from voicestream.settings.table import Settings
from voicestream.speech.base import Endpoint
from voicestream.state import State

if TYPE_CHECKING:
    from voicestream.session.barge_in import BargeIn
    from voicestream.session.outputs import AnyTurn

_CLOSE_S = 1.0


class Session:
    """Speaks the segments of one text, in order.

    Args:
        endpoint: where speech is asked for; closed at the end.
        segments: what to say.
        sink: where it is played; None to only save.
        saver: who else gets the sound, if anybody.
        learnt: where what is learnt of the endpoint is kept; None: nowhere.
        turn: waits until no other speaks; None: it speaks at once, and answers no verbs.
        on_event: called from the session's threads; must return quickly. What it
            raises becomes a warning. The end is waited for, but not by who is told of it.
        words: it is told of words, and of segments that were heard, too: a thread looks for them.
    """

    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        segments: Segments,
        sink: Sink | None,
        saver: Recipient | None = None,
        metrics: Metrics | None = None,
        on_event: OnEvent | None = None,
        learnt: LearntStore | None = None,
        turn: AnyTurn | None = None,
        words: bool = True,
    ) -> None:
        self._settings = settings
        self._turn = turn
        self.verbs = Verbs(self, settings.tempo)
        self.dropped = False
        """Ended before its end, and nobody is to blame: it came at the wrong time."""
        self._endpoint = endpoint
        self._errors: list[VoicestreamError] = []
        self.interrupted = False
        """Ended before its end, because somebody wished it."""
        self.metrics = metrics or Metrics()
        self._listener = Listener(on_event, self.metrics)
        self._ending = Ending(self._listener)
        self._describe(settings, endpoint)
        self._fetchers = self._make_fetchers(segments)
        self._pacing = Pacing(settings, self.metrics, self._fetchers.text_length, learnt)
        self._playback = self._make_playback(sink, saver)
        kept = learnt is not None or settings.is_set("loudness")
        self._loudness = Loudness(settings, endpoint.name, kept)
        self._feeder = Feeder(
            *(self._fetchers, self._playback, self._pacing, self.metrics, settings),
            self._loudness,
            self._listener.tell,
        )
        self.barge_in: BargeIn | None = None
        if settings.barge_in and sink is not None:
            from voicestream.session.barge_in import BargeIn

            self.barge_in = BargeIn(settings, self._playback, self.metrics, self.interrupt)
        self._heard: HeardTeller | None = None
        if words and on_event is not None and sink is not None:
            self._heard = HeardTeller(
                self.metrics, lambda: self._playback.heard_frames, self._listener.tell
            )
        self.metrics.notices.listen(self._noticed, settings.warnings)

    def _make_fetchers(self, segments: Segments) -> Fetchers:
        settings, notify = self._settings, self.metrics.notices.notify
        return Fetchers(
            self._endpoint,
            segments,
            Requests(settings, self.metrics.requests, notify, self._waiting_s),
            settings.lookahead,
            self.metrics,
            self._listener.tell,
            spool_bytes=LIMIT_BYTES if settings.streaming else 1 << 30,
            warn=notify,
            reworded=self._reworded,
            waiting_s=self._waiting_s,
            tempo=settings.tempo,
        )

    def _make_playback(self, sink: Sink | None, saver: Recipient | None) -> Playback:
        settings, turn = self._settings, self._turn
        return Playback(
            self.metrics,
            sink,
            saver,
            self._pacing,
            capacity_s=settings.max_buffer_s,
            on_start=lambda: self._listener.tell("playing"),
            device_named=bool(settings.device),
            underrun=settings.underrun,
            on_wake=turn.wake if turn else lambda: None,
            keeper=Keeper(turn.folder) if turn and settings.keep_last else None,
        )

    def _describe(self, settings: Settings, endpoint: Endpoint) -> None:
        self.metrics.endpoint = endpoint.name
        self._format: str = getattr(endpoint, "format", "") or first_format(settings)
        self.metrics.requests.format = self._format
        self.metrics.feeder.prebuffer_ms = settings.prebuffer_ms
        self.metrics.capacity_ms = 1000 * settings.max_buffer_s

    def _waiting_s(self) -> float:
        return self._playback.waiting_s

    def _noticed(self, text: str) -> None:
        self.metrics.endpoint = self._endpoint.name  # it may be another that speaks now
        self._listener.tell("warning", None, text)

    def _reworded(self, places: str) -> None:
        if self._settings.strict:
            self._errors.append(RewordedError("other words were said", places))
        else:
            self.metrics.notices.notify(f"other words were said: {places}")

    def keep_trace(self, file: str) -> None:
        """Keep the arrivals of the sound in ``file``. Call it before ``start``."""
        self._pacing.trace_file = file

    def start(self) -> None:
        """Start the threads; returns at once."""
        self._ending.begin()
        self.metrics.machine.advance(State.CONNECTING)
        self._fetchers.start()
        if self.barge_in is not None:
            self.barge_in.start()
        notify = self.metrics.notices.notify
        if self._turn is not None:
            self._turn.begin(self._playback, self.verbs.answer, self._drop, notify)
        if self._heard is not None:
            self._heard.start()  # before the feeder, which may end at once and with it this
        threading.Thread(target=self._run, name="feeder", daemon=True).start()

    def _run(self) -> None:
        self.metrics.machine.advance(State.PREBUFFERING)
        try:
            # the endpoint is still thinking; importing a codec later would delay the first sound
            self._attempt(lambda: preload(self._format))
            self._attempt(self._playback.prepare)
            self._attempt(self._pacing.load)
            self._attempt(self._loudness.load)
            self._attempt(self._feeder.run)
            self._attempt(self._fetchers.cancel)
            complete = not (self.interrupted or self._failures())
            self._attempt(lambda: self._playback.stop(complete))
            self._attempt(self._pacing.save_trace)
            self._attempt(self._playback.keep_said)
            if not (self.metrics.notices.stood_in or self.interrupted or self._failures()):
                if not any(figures.cached for figures in self.metrics.requests.segments):
                    self._attempt(self._pacing.keep)  # of the endpoint, not of this disk
                self._attempt(self._loudness.keep)
            if self._loudness.trouble:
                self.metrics.notices.notify_once(self._loudness.trouble)
        finally:
            self._conclude()

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except VoicestreamError as error:
            if not self.interrupted:
                self._errors.append(error)
        except BaseException as error:  # noqa: BLE001  a thread's entry: handed on to who waits
            self._errors.append(VoicestreamError.unforeseen("voicestream failed", error))

    def _conclude(self) -> None:
        self._errors = self._failures()
        for error in self._errors:
            forget_keys_in(error)
        self.metrics.timeline.mark("end")
        if self.interrupted:
            self.metrics.machine.finish(State.CANCELLED)
        elif self._errors:
            self.metrics.machine.finish(State.FAILED)
        else:
            self.metrics.machine.finish(State.DONE)
        try:
            if self.barge_in is not None:
                self.barge_in.finish()
            if self._turn is not None:
                self._turn.close()
            if wrong := run_bounded(self._endpoint.close, _CLOSE_S):
                self.metrics.notices.notify(f"the endpoint failed to close: {wrong!r}")
            if self._heard is not None:
                self._heard.finish(self._heard_in_all())
            self._listener.tell_end()
        finally:
            self._ending.reach()

    def _heard_in_all(self) -> int:
        whole = self.metrics.machine.state is State.DONE
        return self.metrics.play.played_frames if whole else self._playback.heard_frames

    def _failures(self) -> list[VoicestreamError]:
        return failures(self.metrics, self._feeder.errors + self._playback.errors + self._errors)

    def interrupt(self) -> None:
        """Fade out, stop reading the text, and end all requests. Any thread or signal handler may
        call it.

        Does nothing in a child process, whose sockets are its parent's.
        """
        if self._ending.is_ahead and not self.interrupted:
            self.interrupted = True
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
        """Pause, volume, tempo and the place to go on at; any thread may set them."""
        return self._playback.controls

    def skip(self, begun: int) -> None:
        """Leave out the rest of the last of the ``begun`` segments that have begun. Any thread."""
        self._feeder.skip(begun)

    @property
    def waits_for(self) -> str:
        """The speaker before us, ``PID-N``; empty: nobody."""
        return self._turn.waits_for if self._turn else ""

    def text_length(self) -> tuple[int, bool]:
        """Return characters of the text as far as it is known, and whether no more will come."""
        return self._fetchers.text_length()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end, ``timeout_s`` at most; return whether it has ended. See ``Ending``."""
        return self._ending.wait(timeout_s)

    def snapshot(self) -> Snapshot:
        chars, complete = self._fetchers.text_length()
        return replace(
            self.metrics.snapshot(),
            waits_for=self.waits_for,
            text_chars=chars,
            text_complete=complete,
        )

    def result(self) -> Result:
        """Return the figures of the reply, once it has ended."""
        return make_result(self.metrics, self._errors)
