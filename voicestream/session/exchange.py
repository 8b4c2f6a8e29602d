"""What is asked of a model that hears and speaks, and which of its answers is wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from voicestream.errors import EndpointError, EndpointTimeoutError, UsageError
from voicestream.records import replace
from voicestream.session.answers import asked_at
from voicestream.session.spoken_answer import SpokenAnswer
from voicestream.settings.kinds import KINDS, REALTIME_MODEL, is_local
from voicestream.settings.table import Settings
from voicestream.speech.realtime.dialogue import MAY_FAIL, PCM, Dialogue
from voicestream.speech.realtime.failures import reported
from voicestream.speech.realtime.protocol import LEAST_SPEED, MOST_SPEED, ServerEvent

_RENEWED_S = 60.0
"""A server that ends conversations sooner than this has another reason than their length."""
_ASK = "ask"
"""Identifies what asks for an answer."""


class Exchange:
    """Asks for one answer at a time, whoever asks. Any thread.

    Args:
        system: how to answer.
        by_hand: the server is told where a turn ends.
        take: see :class:`Dialogue`.
        over: the same.

    Raises:
        UsageError: no server is known.
    """

    def __init__(
        self,
        settings: Settings,
        system: str,
        by_hand: bool,
        take: Callable[[ServerEvent], None],
        over: Callable[[EndpointError], None],
    ) -> None:
        if is_local(settings.base_url):
            raise UsageError(
                "no Realtime API is known",
                "the embedded voice speaks but does not listen",
                "Set VOICESTREAM_API_KEY, or name a server with --base-url wss://...",
            )
        self._settings = settings
        self._system = system
        self._by_hand = by_hand
        self._take, self._over = take, over
        self._config = replace(asked_at(settings, ""), body=settings.body)
        chosen = settings.is_set("model") and not settings.auto_model
        self._model = settings.model if chosen else REALTIME_MODEL
        self._dialogue = self._new()
        self.expired = False
        """The server ends the conversation after a while, as it does: another one can go on."""
        self._opened_s = 0.0
        self.asked_s = 0.0
        """When the latest answer was asked for, or the turn ended that the server answers."""
        self._owed = False  # that answer has not begun
        self._lock = threading.Lock()
        # under the lock
        self._running = False  # the server makes an answer, or was asked for one
        self._again = False  # it is to be asked once that has ended

    def _new(self) -> Dialogue:
        return Dialogue(self._config, self._model, self._take, self._over)

    @property
    def name(self) -> str:
        return self._config.base_url

    @property
    def running(self) -> bool:
        """Whether an answer is being made, or was asked for."""
        return self._running

    def check(self) -> EndpointTimeoutError | None:
        """Return what is wrong where the server is there, but has not begun to answer for long.

        Raises:
            EndpointTimeoutError: it says nothing any more, though it must.
        """
        limit_s = self._settings.timeout_s
        if (silent_s := self._dialogue.silent_s) > limit_s:
            why = f"nothing has come for {silent_s:.0f} s"
            raise EndpointTimeoutError(f"{self.name} does not answer any more", why)
        if not self._owed or time.monotonic() - self.asked_s < limit_s:
            return None
        why = f"it is there, but has not begun to answer for {limit_s:.0f} s"
        return EndpointTimeoutError(f"{self.name} does not answer this", why)

    def expect(self, answer: bool) -> None:
        """Note whether the server is to answer what it has heard so far."""
        self._owed = answer
        if answer:
            self.asked_s = time.monotonic()

    def open(self, messages: Iterable[Mapping[str, str]]) -> None:
        """Connect, anew where it was open, and tell what was said so far.

        Raises:
            EndpointError: it cannot be reached, or refuses.
        """
        self._dialogue.close()
        dialogue = self._new()
        with self._lock:
            self._running = self._again = False
        self._dialogue, self.expired = dialogue, False
        dialogue.open(self._session())
        self._opened_s = time.monotonic()
        for message in messages:
            self.write(message["role"], message["content"])

    def close(self) -> None:
        self._dialogue.close()

    def _session(self) -> Mapping[str, Any]:
        """Return how to converse, in the words of ``session.update``."""
        settings = self._settings
        language = "" if settings.language == "auto" else settings.language.partition("-")[0]
        written = {"model": settings.transcribe_model}
        turns = {"type": "server_vad", "silence_duration_ms": round(settings.turn_end_ms)}
        speed = min(max(settings.speed, LEAST_SPEED), MOST_SPEED)
        paced = {"speed": speed} if speed != 1.0 else {}
        voice = settings.voice if settings.is_set("voice") else KINDS["realtime"].voice
        return {
            "type": "realtime",
            "output_modalities": ["audio"],
            "instructions": "\n\n".join(filter(None, (self._system, settings.instructions))),
            "audio": {
                "input": {
                    "format": PCM,
                    "transcription": written | ({"language": language} if language else {}),
                    "turn_detection": None if self._by_hand else turns,
                },
                "output": {"format": PCM, "voice": voice} | paced,
            },
        }

    def hear(self, pcm: bytes) -> None:
        """Let the model hear this."""
        self._dialogue.send_sound(pcm)

    def begin_turn(self) -> None:
        """Somebody begins to speak: is the server still there?"""
        self.expect(False)
        self._dialogue.ping()

    def end_turn(self) -> None:
        """Take what was heard for a turn, and answer it."""
        self._dialogue.send("input_audio_buffer.commit", MAY_FAIL)
        self.ask()

    def forget_turn(self) -> None:
        """What was heard was nothing to the server either."""
        self._dialogue.send("input_audio_buffer.clear", MAY_FAIL)

    def write(self, role: str, text: str) -> None:
        """Note what one side has said."""
        content = {"type": "input_text" if role == "user" else "output_text", "text": text}
        item = {"type": "message", "role": role, "content": [content]}
        self._dialogue.send("conversation.item.create", item=item)

    def ask(self) -> None:
        """Have it answer, once what it is saying is ended."""
        self.expect(True)
        with self._lock:
            self._again = running = self._running
            self._running = True
        if running:
            self._dialogue.send("response.cancel", MAY_FAIL)
        else:
            self._dialogue.ping()
            self._dialogue.send("response.create", _ASK)

    def cancel(self, answer: SpokenAnswer) -> None:
        """Have no more made of an answer."""
        if self._running:
            self._dialogue.send("response.cancel", MAY_FAIL, response_id=answer.response_id)

    def tell_heard(self, answer: SpokenAnswer, until_s: float) -> None:
        """Tell of how much of an answer the end was not heard."""
        for item_id, part, heard_ms in answer.unheard(until_s):
            self._dialogue.send(
                *("conversation.item.truncate", MAY_FAIL),
                item_id=item_id,
                content_index=part,
                audio_end_ms=heard_ms,
            )

    def begun(self, response_id: str) -> SpokenAnswer:
        """Return the answer that begins."""
        settings, self._owed = self._settings, False
        answer = SpokenAnswer(self.name, response_id, settings.timeout_s, settings.stall_timeout_s)
        with self._lock:
            self._running = True
            answer.unwanted = self._again
        return answer

    def ended(self, event: ServerEvent, answer: SpokenAnswer | None) -> None:
        """Note the end of an answer, and ask again where that was wished."""
        with self._lock:
            again, self._again = self._again, False
            self._running = again
        if again:
            self._dialogue.send("response.create", _ASK)
        error: EndpointError | None = None
        if event.trouble is not None:
            error = reported(self._config, self._model, event.trouble)
        elif event.status == "incomplete":
            error = EndpointError("the answer breaks off", f"the server says: {event.reason}")
        if answer is not None:
            answer.end(error, whole=event.status == "completed")

    def refused(self, event: ServerEvent) -> EndpointError | None:
        """Return the error that the server reports; None where it is of no interest."""
        trouble = event.trouble or {}
        if event.ends_session and time.monotonic() - self._opened_s > _RENEWED_S:
            self.expired = True  # its end follows
            return None
        if event.key == _ASK:
            with self._lock:
                # it had begun one by itself
                self._running = self._again = "active_response" in str(trouble.get("code"))
            if self._again:
                return None
        return None if event.key == MAY_FAIL else reported(self._config, self._model, trouble)
