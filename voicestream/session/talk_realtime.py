"""A conversation speech to speech: the model hears the person, and speaks itself."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from voicestream.errors import EndpointError, KeyRefusedError, ModelGoneError
from voicestream.pcm import Frames16
from voicestream.records import replace
from voicestream.session.conductor import Session
from voicestream.session.conversation import Conversation, Tell, Utterance
from voicestream.session.exchange import Exchange
from voicestream.session.open_turns import OpenTurns, Typed
from voicestream.session.overheard import Overheard
from voicestream.session.play_sources import AS_IT_IS
from voicestream.session.spoken_answer import SpokenAnswer, heard_of
from voicestream.settings.table import Settings
from voicestream.speech.realtime.protocol import RATE_HZ, ServerEvent

if TYPE_CHECKING:
    from voicestream.session.both_sides import BothSides

_LOOK_S = 0.25
_UNWRITTEN = "what you say is heard, but not written down"
_RENEWED = "the server has ended the conversation, as it does after a while; it goes on in another"


class RealtimeTalk(Conversation):
    """Holds a conversation over one socket. The server decides where a turn ends; whoever speaks
    or types while an answer is heard ends it, and the model is told how much of it was heard.

    Args:
        system: how to answer.

    Raises:
        UsageError: what listens is not installed, or no server is known.
    """

    def __init__(
        self,
        settings: Settings,
        tell: Tell,
        system: str = "",
        by_hand: bool = False,
        both: BothSides | None = None,
    ) -> None:
        super().__init__(settings, tell, by_hand, both, stream=True)
        self._hearing.on_sound = self._heard
        self._played = replace(self._settings, **AS_IT_IS, loudness="off", underrun="wait")
        self._exchange = Exchange(self._settings, system, by_hand, self._take, self._over)
        self._by_hand = by_hand
        self._connected = threading.Event()
        self._overheard = Overheard(self._exchange.hear, RATE_HZ)
        self._turns = OpenTurns()
        # the thread that reads the socket
        self._latest: SpokenAnswer | None = None
        # the thread that hears
        self._noticed = False  # by the server, too
        # the thread that answers
        self._lost = False  # nothing was heard of the latest answer

    def _abort(self) -> None:
        self._exchange.close()

    def type(self, text: str) -> threading.Event:
        typed = self._turns.type(text.strip())
        if typed.text and not self._ended.is_set():
            self._stop_answer()
            self._waiting.put(typed)
        else:
            self._turns.answer((typed,))
        return typed.over

    @property
    def speaking(self) -> str:
        """The sentence that is being heard; empty: none."""
        session, answer = self._session, self._latest
        if session is None or answer is None:
            return ""
        return answer.sentence(heard_of(session.metrics, self._settings.tempo)[0])

    # the thread that hears

    def _spoken_to(self, _sound: Frames16) -> None:
        if self._is_to_us():
            self._connected.wait()
            self._speaks, self._noticed = True, False
            self._stop_answer()
            self._exchange.begin_turn()
            self._overheard.begin()

    def _heard(self, sound: Frames16) -> None:
        if self._overheard.hear(sound):
            self._end_turn()

    def _said(self, sound: Frames16) -> None:
        self._speaks = False
        self._overheard.end()
        if not len(sound) or self._not_to_us:
            return
        if self._both is not None:
            self._both.person(sound)
        if self._by_hand:
            self._end_turn()
        elif not self._noticed:  # it was no speech to the server
            self._exchange.forget_turn()
            if self._lost:
                self._exchange.ask()

    def _end_turn(self) -> None:
        self._busy = True
        self._exchange.end_turn()

    def _stop_answer(self) -> None:
        if (answer := self._latest) is not None:
            answer.unwanted = True
            super()._stop_answer()
            self._exchange.cancel(answer)

    def _end_with(self, error: EndpointError) -> None:
        """End it because of this, once what has come was heard."""
        if not (self.interrupted or self.failure):
            self.failure = error
        self._wake()

    def _wake(self) -> None:
        """Let the thread that answers see what has become of the connection."""
        if self._latest is not None:
            self._latest.give_up()
        self._connected.set()
        self._waiting.put(None)

    # the thread that reads the socket

    def _take(self, event: ServerEvent) -> None:
        latest = self._latest
        answer = latest if latest and latest.response_id == event.response_id else None
        if event.kind == "created":
            self._begin_answer(event.response_id)
        elif event.kind == "sound" and answer is not None:
            answer.hear(event.item_id, event.part, event.sound or b"")
        elif event.kind == "words" and answer is not None:
            answer.read(event.item_id, event.part, event.words, event.whole)
        elif event.kind == "done":
            self._end_answer(event, answer)
        elif event.kind == "error":
            self._take_error(event)
        else:
            self._take_turn(event)

    def _take_turn(self, event: ServerEvent) -> None:
        if event.kind == "speech":
            self._noticed = self._overheard.theirs = True
            self._exchange.expect(False)
            self._stop_answer()
        elif event.kind == "silence":
            self._overheard.theirs = False
            self._busy = True
            self._exchange.expect(True)
        elif event.kind == "turn":
            # the answer may begin before our ears have waited for long enough
            self._overheard.theirs = self._speaks = False
            self._turns.expect(event.item_id)
        elif event.kind in ("written", "unwritten"):
            if event.trouble is not None:
                self._warn((f"{_UNWRITTEN}: {event.trouble.get('message', '')}",))
            self._turns.written(event.item_id, event.words)
            self._waiting.put(None)

    def _begin_answer(self, response_id: str) -> None:
        self._latest = answer = self._exchange.begun(response_id)
        answer.unwanted |= self._speaks
        if answer.unwanted:
            self._exchange.cancel(answer)
        self._waiting.put(answer)

    def _end_answer(self, event: ServerEvent, answer: SpokenAnswer | None) -> None:
        if event.status == "cancelled" and answer is not None:
            answer.unwanted = True
            Conversation._stop_answer(self)
        self._exchange.ended(event, answer)

    def _take_error(self, event: ServerEvent) -> None:
        error = self._exchange.refused(event)
        if error is None:
            return
        if event.about_session or isinstance(error, KeyRefusedError | ModelGoneError):
            self._end_with(error)
        else:
            self._fail(error)
        if not self._exchange.running:
            self._give_up()

    def _give_up(self) -> None:
        """Wait for no answer any more."""
        self._exchange.expect(False)
        self._busy = False
        self._turns.answer(self._turns.typed)

    def _over(self, error: EndpointError) -> None:
        if self._exchange.expired:
            self._wake()
        else:
            self._end_with(error)

    # the thread that answers

    def _run(self) -> None:
        try:
            self._open()
            while not (self.interrupted or self.failure):
                if self._closing and not (self._turns.typed or self._busy):
                    break
                self._next()
        except EndpointError as error:
            self._end_with(error)
        except Exception as error:  # noqa: BLE001  a thread's entry: told, and the end
            self._fail(error)
        finally:
            self._connected.set()
            self._hearing.stop()
            self._exchange.close()
            if self._both is not None:
                self._both.close()
            self._ended.set()
            self._turns.answer(self._turns.typed)

    def _open(self) -> None:
        self._exchange.open(list(self.messages))
        self._connected.set()

    def _tell_written(self, items: frozenset[str]) -> None:
        """Note what the person has said in these turns, as far as it is known as text."""
        for words in self._turns.take_written(items):
            self._add("user", words)
            self._tell(Utterance("user", words))

    def _next(self) -> None:
        self._tell_written(self._turns.spoken)
        try:
            what = self._waiting.get(timeout=_LOOK_S)
        except queue.Empty:
            if (unanswered := self._exchange.check()) is not None:
                self._give_up()
                self._fail(unanswered)
            return
        if isinstance(what, Typed):
            self._tell(Utterance("user", what.text))
            self._add("user", what.text)
            self._exchange.write("user", what.text)
            what.sent = True
            self._busy = True
            self._exchange.ask()
        elif what is not None:
            self._answer(what)
        elif self._exchange.expired:
            self._renew()

    def _renew(self) -> None:
        """Go on in another conversation, which is told what was said so far."""
        self._tell(_RENEWED)
        self._open()
        if self._turns.typed:
            self._exchange.ask()

    def _answer(self, answer: SpokenAnswer) -> None:
        asked = tuple(typed for typed in self._turns.typed if typed.sent)
        before = self._turns.spoken
        start_s = self._exchange.asked_s or answer.sent_at_s
        session = self._session_for(self._played, answer, start_s, lambda _notices: answer)
        self._session = session
        if answer.unwanted or self.interrupted:
            session.interrupt()
        self._play(session, lambda: self._tell_written(before))
        self._conclude(answer, session, before)
        self._busy = self._exchange.running
        self._turns.answer(asked)

    def _conclude(self, answer: SpokenAnswer, session: Session, before: frozenset[str]) -> None:
        """Tell the server and the person how much was heard of an answer."""
        result = session.result()
        until_s, pauses = heard_of(session.metrics, self._settings.tempo)
        if not result.completed:
            self._exchange.tell_heard(answer, until_s)
        if not self.interrupted:
            self._turns.await_written(before)
        self._tell_written(before)
        heard = answer.transcript if result.completed else answer.heard(until_s, pauses)
        self._lost = session.interrupted and not until_s
        if heard:
            self._add("assistant", heard)
            after_ms = result.snapshot.timeline_ms["first_sound"]
            self._tell(Utterance("assistant", heard, result.completed, after_ms))
        self._warn(result.snapshot.warnings)
        if not self.failure:
            for error in dict.fromkeys(result.errors):
                self._tell(error)
