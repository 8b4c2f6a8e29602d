"""A Realtime API that converses as scripted: it hears turns, takes text, answers in sound."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from websockets.http11 import Request

from tests.support.realtime_events import Asked
from tests.support.realtime_server import Answer, RealtimeServer, _Wire

_LOUD = 300
_BYTES_PER_MS = 48


class DialogueServer(RealtimeServer):
    """Takes turns as ``server_vad`` does, by how loud it is.

    Args:
        answer: the steps of each answer; ``Asked.text`` is what was said or typed last.
        words: what is written down of each turn; None: that fails.
    """

    def __init__(
        self,
        answer: Answer,
        words: Callable[[int], str | None] = lambda number: f"Turn {number}.",
        *,
        on_session: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda _: None,
        refuse: Callable[[Request], tuple[int, bytes] | None] = lambda _: None,
    ) -> None:
        self.turns: list[bytes] = []
        """The sound of each turn, PCM at 24 kHz."""
        self.stopped_s: list[float] = []
        """When the silence that ends each of them was there."""
        self.deaf = False
        """It takes nothing for speech."""
        self._words = words
        self._buffer = bytearray()
        self._speaks = False
        self._silent_ms = 0.0
        self._typed = ""
        super().__init__(answer, on_session=on_session, refuse=refuse)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The events of clients of one kind, in order."""
        return [event for event in self.events if event["type"] == kind]

    def tell(self, event: dict[str, Any]) -> None:
        """Say this to the latest client."""
        self._latest.send(event)

    def cut(self) -> None:
        """End the connection of the latest client without a word."""
        self._latest.cut()

    def expire(self) -> None:
        """End it as after the longest time of a conversation."""
        self._end("expire", self._latest)

    def _on_event(
        self, event: dict[str, Any], wire: _Wire, session: dict[str, Any], number: int
    ) -> None:
        kind = event["type"]
        self._latest = wire
        if kind == "session.update" and event["session"]["type"] == "transcription":
            self.events.append(event)
            self.sessions.append(event)
        elif kind in ("session.update", "response.cancel"):
            super()._on_event({"response_id": "", **event}, wire, session, number)
            if kind == "response.cancel" and "response_id" not in event:
                self._cancel_running()
        else:
            self.events.append(event)
        if kind == "input_audio_buffer.append":
            self._hear(base64.b64decode(event["audio"]), wire, session, number)
        elif kind == "input_audio_buffer.commit":
            self._commit(wire)
        elif kind == "input_audio_buffer.clear":
            self._buffer.clear()
            self._speaks = False
        elif kind == "conversation.item.create":
            self._typed = event["item"]["content"][0]["text"]
        elif kind == "response.create":
            self._begin(event, wire, session, number)
        with self._changed:
            self._changed.notify_all()

    def _running(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.end_s is None]

    def _cancel_running(self) -> None:
        for asked in self._running():
            self._cancel(asked.response_id)

    def _begin(
        self, event: dict[str, Any], wire: _Wire, session: dict[str, Any], number: int
    ) -> None:
        if any(not asked.cancelled.is_set() for asked in self._running()):
            error = {"code": "conversation_already_has_active_response", "type": "invalid"}
            wire.send({"type": "error", "error": {**error, "event_id": event.get("event_id")}})
            return
        with self._changed:
            name = f"resp_{number}_{len(self.asked)}"
            voice = session.get("voice", "")
            event = {"response": {}, **event}
            asked = Asked(number, 1, self._typed, voice, 1.0, event, time.monotonic(), name)
            self.asked.append(asked)
        threading.Thread(target=self._respond, args=(asked, wire), daemon=True).start()

    def _hear(self, pcm: bytes, wire: _Wire, session: dict[str, Any], number: int) -> None:
        self._buffer += pcm
        turns = self.sessions[-1]["session"]["audio"]["input"]["turn_detection"]
        if turns is None or self.deaf:
            return
        samples = np.frombuffer(pcm, "<i2").astype(np.float64)
        if len(samples) and np.sqrt(np.mean(samples**2)) > _LOUD:
            self._silent_ms = 0.0
            if not self._speaks:
                self._speaks = True
                self._cancel_running()
                wire.send({"type": "input_audio_buffer.speech_started"})
        elif self._speaks:
            self._silent_ms += len(pcm) / _BYTES_PER_MS
            if self._silent_ms >= turns["silence_duration_ms"]:
                self._speaks = False
                self.stopped_s.append(time.monotonic())
                wire.send({"type": "input_audio_buffer.speech_stopped"})
                self._commit(wire)
                self._begin({"type": "by itself"}, wire, session, number)

    def _commit(self, wire: _Wire) -> None:
        number = len(self.turns)
        self.turns.append(bytes(self._buffer))
        self._buffer.clear()
        item = {"item_id": f"turn_{number}", "content_index": 0}
        wire.send({"type": "input_audio_buffer.committed", **item})
        words = self._words(number)
        self._typed = words or ""
        written = "conversation.item.input_audio_transcription"
        if words is None:
            wire.send({"type": f"{written}.failed", **item, "error": {"message": "too quiet"}})
        else:
            wire.send({"type": f"{written}.completed", **item, "transcript": words})
