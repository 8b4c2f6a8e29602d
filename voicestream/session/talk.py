"""A conversation: what is said or typed, a language model's answer to it, spoken, and so on."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

from voicestream.errors import EmptyTextError, ReplyError, VoicestreamError
from voicestream.listen.convert import RATE_HZ
from voicestream.listen.hearing import Hearing, Wanted, require_libraries
from voicestream.metrics import Metrics
from voicestream.pcm import Frames16, PcmFormat
from voicestream.records import dataclass, field, replace
from voicestream.session.answers import answer_script, question_of, transcriber_of
from voicestream.session.conductor import Session
from voicestream.session.outputs import backend_of, make_sink, make_turn, prepare_in_background
from voicestream.session.pacing import kept_learnt
from voicestream.session.wiring import make_endpoint
from voicestream.settings.table import Settings
from voicestream.state import State

if TYPE_CHECKING:
    from voicestream.session.both_sides import BothSides
    from voicestream.session.script import Script
    from voicestream.session.wiring import Early

_TICK_S = 0.5
_LOST = "what you said was not understood: say it again, or type it"
Floor: TypeAlias = Literal["you", "thinking", "speaking", "listening", "deaf"]


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one side has said."""

    role: Literal["user", "assistant"]
    text: str
    """Of the answer: what was heard of it."""
    completed: bool = True
    after_ms: float | None = None
    """Of an answer: from when the question was there until its first sound."""


@dataclass(slots=True)
class _Turn:
    text: str = ""
    sound: Frames16 | None = None
    """What was said, where nothing was typed."""
    at_s: float = field(default_factory=time.monotonic)
    over: threading.Event = field(default_factory=threading.Event)


class Talk:
    """Holds a conversation. Turns come from the microphone and from who types; each is answered
    by a thread of its own. Whoever speaks or types while an answer is heard ends it, and the model
    is told what was heard of it.

    Args:
        tell: called in any thread with what was said, a warning, or what failed.
        system: how to answer.
        by_hand: it is said when the person speaks.
        both: keeps what both sides say.
        connect: called when a turn has ended: makes a connection to where speech is asked for.

    Raises:
        UsageError: what listens is not installed, or nobody could answer or write down.
    """

    def __init__(
        self,
        settings: Settings,
        tell: Callable[[Utterance | str | VoicestreamError], None],
        system: str = "",
        by_hand: bool = False,
        both: BothSides | None = None,
        connect: Callable[[], Early | None] = lambda: None,
    ) -> None:
        require_libraries()
        self._settings = replace(settings, barge_in=False)  # it is listened to all the time
        self._tell = tell
        self._system = system
        self._both = both
        self._connect = connect
        question_of(self._settings, "?")  # it can be asked
        self._transcriber = transcriber_of(self._settings)
        wanted = Wanted(
            backend_of(settings.backend),
            settings.microphone,
            settings.barge_in_sure,
            settings.barge_in_ms,
            settings.turn_end_ms,
            by_hand,
        )
        self._hearing = Hearing(wanted, self._spoken_to, tell)
        self._hearing.on_turn = self._said
        if by_hand:
            self._hearing.wish = False
        if both is not None:
            self._hearing.on_sent = both.voice
        self._turns: queue.SimpleQueue[_Turn | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self.interrupted = False
        """Ended before its end, because somebody wished it."""
        # the thread that answers; read by any
        self.messages: list[dict[str, str]] = []
        """The conversation so far, as the model is told it."""
        self._session: Session | None = None
        self._busy = self._owed = False
        self._told: set[str] = set()
        self._closing = False
        self._lock = threading.Lock()
        # the thread that hears
        self._speaks = self._not_to_us = False

    def start(self) -> None:
        """Listen; returns at once."""
        self._hearing.start()
        threading.Thread(target=self._run, name="talk", daemon=True).start()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end of the conversation; return whether it has come."""
        return self._ended.wait(timeout_s)

    def interrupt(self) -> None:
        """End it, now. Any thread or signal handler."""
        self.interrupted = True
        session = self._session
        if session is not None:
            session.interrupt()
        self._turns.put(None)
        threading.Thread(target=self._transcriber.abort, name="cancel", daemon=True).start()

    def end(self) -> None:
        """End it once what was asked is answered. Any thread."""
        self._closing = True
        self._turns.put(None)

    def type(self, text: str) -> threading.Event:
        """Take ``text`` for what the person says, now; return what is set when it is answered."""
        turn = _Turn(text.strip())
        if turn.text:
            self._stop_answer()
            self._turns.put(turn)
        else:
            turn.over.set()
        return turn.over

    def toggle(self) -> None:
        """Let the person speak, or have spoken, where that is said by hand. Any thread."""
        self._hearing.wish = not self._hearing.wish

    @property
    def recording(self) -> bool:
        """Whether what the microphone hears counts."""
        return self._hearing.open and self._hearing.wish is not False

    @property
    def floor(self) -> Floor:
        """Who is heard now."""
        session = self._session
        if self._speaks:
            return "you"
        if session is not None and session.metrics.machine.state in (State.PLAYING, State.DRAINING):
            return "speaking"
        if self._busy:
            return "thinking"
        return "listening" if self._hearing.open else "deaf"

    @property
    def speaking(self) -> str:
        """The sentence that is being heard; empty: none."""
        session = self._session
        return "" if session is None else session.metrics.snapshot().speaking

    def _spoken_to(self, _sound: Frames16) -> None:
        session = self._session
        # while we give way, another voice is heard
        self._not_to_us = session is not None and session.controls.yielded
        if not self._not_to_us:
            self._speaks = True
            self._stop_answer()

    def _said(self, sound: Frames16) -> None:
        to_us = len(sound) and not self._not_to_us
        with self._lock:
            self._speaks = False
            if to_us:
                self._turns.put(_Turn(sound=sound))
        if to_us and self._both is not None:
            self._both.person(sound)

    def _stop_answer(self) -> None:
        session = self._session
        if session is not None:
            session.metrics.timeline.mark("barge_in")
            session.interrupt()

    @property
    def _goes_on(self) -> bool:
        """Whether the person has more to say before they are answered."""
        with self._lock:
            return self._speaks or self._turns.qsize() > self._closing

    def _run(self) -> None:
        try:
            while (turn := self._turns.get()) is not None and not self.interrupted:
                self._busy = True
                try:
                    self._take(turn)
                except Exception as error:  # noqa: BLE001  the conversation goes on without it
                    if not self.interrupted:
                        if not isinstance(error, VoicestreamError):
                            error = VoicestreamError.unforeseen("this turn failed", error)
                        self._tell(error)
                finally:
                    self._busy = False
                    turn.over.set()
        finally:
            self._hearing.stop()
            self._transcriber.close()
            if self._both is not None:
                self._both.close()
            self._ended.set()

    def _take(self, turn: _Turn) -> None:
        early = self._connect()
        if early is not None:
            early.send(None)
        try:
            text = turn.text if turn.sound is None else self._written(turn.sound)
            if text:
                self._tell(Utterance("user", text))
                self._add("user", text)
            if self._goes_on or not (text or self._owed):
                self._owed |= bool(text)
                return
            taken, early = early, None
            self._answer(turn, taken)
        finally:
            if early is not None:
                early.abandon()

    def _written(self, sound: Frames16) -> str:
        """Return what was said, as text."""
        try:
            return self._transcriber.text_of(sound.tobytes(), PcmFormat(RATE_HZ))
        except VoicestreamError:
            if not self.interrupted:
                self._tell(_LOST)
            raise

    def _add(self, role: str, text: str) -> None:
        """Note what was said. What nobody answered is one with what was said after it: some
        models take turns only."""
        last = self.messages[-1] if self.messages else {"role": ""}
        if last["role"] == role:
            self.messages[-1] = {"role": role, "content": f"{last['content']}\n{text}"}
        else:
            self.messages.append({"role": role, "content": text})

    def _answer(self, turn: _Turn, early: Early | None) -> None:
        self._owed = False
        *before, last = self.messages
        question = question_of(self._settings, last["content"], self._system, tuple(before))
        session = self._session_for(answer_script(self._settings, question), turn.at_s, early)
        self._session = session
        if self._goes_on or self.interrupted:  # since we looked
            session.interrupt()
        try:
            session.start()
            while not session.wait(_TICK_S):
                continue
        finally:
            self._session = None
        self._conclude(session)

    def _session_for(self, script: Script, start_s: float, early: Early | None) -> Session:
        settings = self._settings
        metrics = Metrics(start_s)
        endpoint = make_endpoint(settings, metrics.notices, early)
        sink = make_sink(settings, metrics)
        prepare_in_background(sink)
        turn = make_turn(settings, start_s, metrics.notices)
        session = Session(
            *(settings, endpoint, script, sink, None, metrics, None, kept_learnt()), turn
        )
        session.controls.sent = self._hearing.reply()
        return session

    def _conclude(self, session: Session) -> None:
        """Note what was heard of an answer, and tell how it went."""
        result = session.result()
        if heard := result.spoken.strip():
            self._add("assistant", heard)
            after_ms = result.snapshot.timeline_ms["first_sound"]
            self._tell(Utterance("assistant", heard, result.completed, after_ms))
        elif session.interrupted:
            self._owed = True
        for warning in result.snapshot.warnings:
            if warning not in self._told:
                self._told.add(warning)
                self._tell(warning)
        for error in dict.fromkeys(result.errors):
            empty = isinstance(error, EmptyTextError)
            self._tell(ReplyError("the model answered nothing") if empty else error)
