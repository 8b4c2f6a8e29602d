"""What any conversation has: who listens, who is heard, and what was said."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from voicestream.errors import VoicestreamError
from voicestream.listen.hearing import Hearing, Wanted, require_libraries
from voicestream.metrics import Metrics
from voicestream.pcm import Frames16
from voicestream.records import dataclass, replace
from voicestream.session.conductor import Session
from voicestream.session.outputs import (
    backend_of,
    make_sink,
    make_turn,
    prepare_in_background,
)
from voicestream.settings.table import Settings
from voicestream.state import State

if TYPE_CHECKING:
    from voicestream.notices import Notices
    from voicestream.session.both_sides import BothSides
    from voicestream.session.fetchers import Segments
    from voicestream.session.pacing import LearntStore
    from voicestream.speech.base import Endpoint

_TICK_S = 0.2
_MOST_CHARS = 32_000
"""Of what a model is told of the conversation: some 8000 tokens, and half an hour of speech."""
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


Tell: TypeAlias = Callable[[Utterance | str | VoicestreamError], None]


class Conversation:
    """Holds what all conversations share; how an answer comes about is for the others.

    Args:
        tell: called in any thread with what was said, a warning, or what failed.
        by_hand: it is said when the person speaks.
        both: keeps what both sides say.
        stream: what is heard is wanted at once, and not only once a turn is over.

    Raises:
        UsageError: what listens is not installed.
    """

    def __init__(
        self,
        settings: Settings,
        tell: Tell,
        by_hand: bool,
        both: BothSides | None,
        stream: bool = False,
    ) -> None:
        require_libraries()
        self._settings = replace(settings, barge_in=False)  # it is listened to all the time
        self._tell = tell
        self._both = both
        wanted = Wanted(
            backend_of(settings.backend),
            settings.microphone,
            settings.barge_in_sure,
            settings.barge_in_ms,
            settings.turn_end_ms,
            by_hand,
            stream,
        )
        self._hearing = Hearing(wanted, self._spoken_to, tell)
        self._hearing.on_turn = self._said
        if by_hand:
            self._hearing.wish = False
        if both is not None:
            self._hearing.on_sent = both.voice
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        """For the thread that answers; None: to look around."""
        self._closing = False
        self._ended = threading.Event()
        self.interrupted = False
        """Ended before its end, because somebody wished it."""
        self.failure: VoicestreamError | None = None
        """What ended it, if anything did that nobody wished."""
        # the thread that answers; read by any
        self.messages: deque[dict[str, str]] = deque()
        """The conversation so far, as the model is told it."""
        self._session: Session | None = None
        self._busy = False
        self._told: set[str] = set()
        self._lock = threading.Lock()
        # the thread that hears
        self._speaks = self._not_to_us = False

    def start(self) -> None:
        """Listen; returns at once."""
        self._hearing.start()
        threading.Thread(target=self._run, name="talk", daemon=True).start()

    def interrupt(self) -> None:
        """End it, now. Any thread or signal handler."""
        self.interrupted = True
        session = self._session
        if session is not None:
            session.interrupt()
        self._waiting.put(None)
        threading.Thread(target=self._abort, name="cancel", daemon=True).start()

    def _abort(self) -> None:
        """End what goes on elsewhere."""
        raise NotImplementedError

    def end(self) -> None:
        """End it once what was asked is answered. Any thread."""
        self._closing = True
        self._waiting.put(None)

    def type(self, text: str) -> threading.Event:
        """Take ``text`` for what the person says, now; return what is set when it is answered."""
        raise NotImplementedError

    def _run(self) -> None:
        """Answer until the end, and clean up."""
        raise NotImplementedError

    def _spoken_to(self, sound: Frames16) -> None:
        """Somebody has begun to speak."""
        raise NotImplementedError

    def _said(self, sound: Frames16) -> None:
        """Somebody has said this."""
        raise NotImplementedError

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end of the conversation; return whether it has come."""
        return self._ended.wait(timeout_s)

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

    def _is_to_us(self) -> bool:
        """Whether who begins to speak now speaks to us: while we give way, another voice is
        heard."""
        session = self._session
        self._not_to_us = session is not None and session.controls.yielded
        return not self._not_to_us

    def _stop_answer(self) -> None:
        session = self._session
        if session is not None:
            session.metrics.timeline.mark("barge_in")
            session.interrupt()

    def _session_for(
        self,
        settings: Settings,
        segments: Segments,
        start_s: float,
        endpoint_of: Callable[[Notices], Endpoint],
        learnt: LearntStore | None = None,
    ) -> Session:
        """Return what speaks an answer, or plays it.

        Args:
            start_s: when the question was there.
            endpoint_of: makes what is asked for the sound, given what it may tell.
            learnt: see :class:`Session`.
        """
        metrics = Metrics(start_s)
        endpoint = endpoint_of(metrics.notices)
        sink = make_sink(settings, metrics)
        prepare_in_background(sink)
        turn = make_turn(settings, start_s, metrics.notices)
        session = Session(*(settings, endpoint, segments, sink, None, metrics, None, learnt), turn)
        session.controls.sent = self._hearing.reply()
        return session

    def _play(self, session: Session, tick: Callable[[], None] = lambda: None) -> None:
        """Let an answer be heard to its end, and call ``tick`` now and then meanwhile."""
        try:
            session.start()
            while not session.wait(_TICK_S):
                tick()
        finally:
            self._session = None

    def _add(self, role: str, text: str) -> None:
        """Note what was said. What nobody answered is one with what was said after it: some
        models take turns only. What was said longest ago is forgotten once it is too much."""
        if self.messages and self.messages[-1]["role"] == role:
            text = f"{self.messages.pop()['content']}\n{text}"
        self.messages.append({"role": role, "content": text})
        size = sum(len(message["content"]) for message in self.messages)
        while size > _MOST_CHARS and len(self.messages) > 1:
            size -= len(self.messages.popleft()["content"])
        # some models want the person to begin
        while len(self.messages) > 1 and self.messages[0]["role"] != "user":
            self.messages.popleft()

    def _fail(self, error: Exception) -> None:
        """Tell what failed, unless it is of no interest any more."""
        if not self.interrupted:
            if not isinstance(error, VoicestreamError):
                error = VoicestreamError.unforeseen("this turn failed", error)
            self._tell(error)

    def _warn(self, warnings: tuple[str, ...]) -> None:
        """Tell each of them, once in the conversation."""
        for warning in warnings:
            if warning not in self._told:
                self._told.add(warning)
                self._tell(warning)
