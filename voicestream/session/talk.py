"""A conversation: what is said or typed, a language model's answer to it, spoken, and so on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from voicestream.errors import EmptyTextError, ReplyError, VoicestreamError
from voicestream.listen.convert import RATE_HZ
from voicestream.pcm import Frames16, PcmFormat
from voicestream.records import dataclass, field
from voicestream.session.answers import answer_script, question_of, transcriber_of
from voicestream.session.conductor import Session
from voicestream.session.conversation import Conversation, Tell, Utterance
from voicestream.session.pacing import kept_learnt
from voicestream.session.wiring import make_endpoint
from voicestream.settings.table import Settings

if TYPE_CHECKING:
    from voicestream.session.both_sides import BothSides
    from voicestream.session.wiring import Early

_LOST = "what you said was not understood: say it again, or type it"


@dataclass(slots=True)
class _Turn:
    text: str = ""
    sound: Frames16 | None = None
    """What was said, where nothing was typed."""
    at_s: float = field(default_factory=time.monotonic)
    over: threading.Event = field(default_factory=threading.Event)


class Talk(Conversation):
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
        tell: Tell,
        system: str = "",
        by_hand: bool = False,
        both: BothSides | None = None,
        connect: Callable[[], Early | None] = lambda: None,
    ) -> None:
        super().__init__(settings, tell, by_hand, both)
        self._system = system
        self._connect = connect
        question_of(self._settings, "?")  # it can be asked
        self._transcriber = transcriber_of(self._settings)
        self._owed = False

    def _abort(self) -> None:
        self._transcriber.abort()

    def type(self, text: str) -> threading.Event:
        turn = _Turn(text.strip())
        if turn.text:
            self._stop_answer()
            self._waiting.put(turn)
        else:
            turn.over.set()
        return turn.over

    def _spoken_to(self, _sound: Frames16) -> None:
        if self._is_to_us():
            self._speaks = True
            self._stop_answer()

    def _said(self, sound: Frames16) -> None:
        to_us = len(sound) and not self._not_to_us
        with self._lock:
            self._speaks = False
            if to_us:
                self._waiting.put(_Turn(sound=sound))
        if to_us and self._both is not None:
            self._both.person(sound)

    @property
    def _goes_on(self) -> bool:
        """Whether the person has more to say before they are answered."""
        with self._lock:
            return self._speaks or self._waiting.qsize() > self._closing

    def _run(self) -> None:
        try:
            while (turn := self._waiting.get()) is not None and not self.interrupted:
                self._busy = True
                try:
                    self._take(turn)
                except Exception as error:  # noqa: BLE001  the conversation goes on without it
                    self._fail(error)
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

    def _answer(self, turn: _Turn, early: Early | None) -> None:
        self._owed = False
        *before, last = self.messages
        question = question_of(self._settings, last["content"], self._system, tuple(before))
        session = self._session_for(
            self._settings,
            answer_script(self._settings, question),
            turn.at_s,
            lambda notices: make_endpoint(self._settings, notices, early),
            kept_learnt(),
        )
        self._session = session
        if self._goes_on or self.interrupted:  # since we looked
            session.interrupt()
        self._play(session)
        self._conclude(session)

    def _conclude(self, session: Session) -> None:
        """Note what was heard of an answer, and tell how it went."""
        result = session.result()
        if heard := result.spoken.strip():
            self._add("assistant", heard)
            after_ms = result.snapshot.timeline_ms["first_sound"]
            self._tell(Utterance("assistant", heard, result.completed, after_ms))
        elif session.interrupted:
            self._owed = True
        self._warn(result.snapshot.warnings)
        for error in dict.fromkeys(result.errors):
            empty = isinstance(error, EmptyTextError)
            self._tell(ReplyError("the model answered nothing") if empty else error)
