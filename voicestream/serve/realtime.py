"""``/v1/realtime``: the embedded voice behind the Realtime protocol.

It reads what a response is given to say and answers nothing: of ``input``, or else of the
conversation, the last text of a user.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable
from itertools import count
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from voicestream.errors import VoicestreamError
from voicestream.serve.asked import ApiError, unspoken, voice_of
from voicestream.speech.embedded import EmbeddedEndpoint, Part
from voicestream.speech.neural import HEART

_PIECE_BYTES = 9600  # 200 ms
_LEAST_SPEED, _MOST_SPEED = 0.25, 1.5
_MOST_AT_ONCE = 8
_SUBPROTOCOL = "realtime"
"""Web pages ask for it, and give up where they do not get it."""
_READ = re.compile(r"<(read-*)>\n(.*)\n</\1>", re.S)
"""How voicestream marks what is to be read."""


class RealtimeSession:
    """One client's WebSocket.

    Args:
        parts: a text and a voice as what is made at once; may wait for the voice to be loaded.
    """

    def __init__(
        self,
        socket: WebSocket,
        endpoint: EmbeddedEndpoint,
        parts: Callable[[str, str], list[Part]],
    ) -> None:
        self._socket = socket
        self._endpoint = endpoint
        self._parts = parts
        self._voice = HEART.id
        self._numbers = count(1)
        self._speed = 1.0
        self._text = ""  # of the conversation, the last of a user
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Serve the client until it goes."""
        offered = self._socket.scope.get("subprotocols", [])
        await self._socket.accept(_SUBPROTOCOL if _SUBPROTOCOL in offered else None)
        await self._send("session.created", session=self._session())
        try:
            while True:
                await self._take(await self._socket.receive_text())
        except (WebSocketDisconnect, KeyError):  # a binary message has no text
            pass
        finally:
            for task in self._running.values():
                task.cancel()

    def _session(self) -> dict[str, Any]:
        output = {"format": {"type": "audio/pcm", "rate": 24000}, "voice": HEART.id}
        audio = {"output": {**output, "speed": self._speed}}
        return {"type": "realtime", "output_modalities": ["audio"], "audio": audio}

    async def _take(self, message: str) -> None:
        """One event of the client."""
        event_id = None
        try:
            event = _object(_parsed(message), "The event")
            event_id = event.get("event_id")
            await self._on_event(event)
        except ApiError as error:
            await self._send("error", error={**error.to_dict()["error"], "event_id": event_id})

    async def _on_event(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind == "session.update":
            self._update(_object(event.get("session"), "'session'"))
            await self._send("session.updated", session=self._session())
        elif kind == "conversation.item.create":
            item = _object(event.get("item"), "'item'")
            self._text = _text_of([item]) or self._text
            await self._send("conversation.item.added", item={"id": self._name("item"), **item})
        elif kind == "response.create":
            self._begin(_object(event.get("response") or {}, "'response'"))
            await asyncio.sleep(0)  # a task that is cancelled before it begins says nothing
        elif kind == "response.cancel":
            self._cancel(event.get("response_id"))
        else:
            raise ApiError(400, f"There is no event {str(kind)[:80]!r} here.", "type")

    def _update(self, session: dict[str, Any]) -> None:
        output = _object(_object(session.get("audio") or {}, "'audio'").get("output") or {}, "it")
        speed = output.get("speed", self._speed)
        if isinstance(speed, bool) or not isinstance(speed, int | float):
            raise ApiError(400, "'speed' must be a number.", "session.audio.output.speed")
        if not _LEAST_SPEED <= speed <= _MOST_SPEED:
            told = f"'speed' must be from {_LEAST_SPEED} to {_MOST_SPEED}."
            raise ApiError(400, told, "session.audio.output.speed")
        if output.get("voice") is not None:
            self._voice = voice_of(output)
        self._speed = float(speed)

    def _begin(self, response: dict[str, Any]) -> None:
        given = response.get("input")
        text = self._text if given is None else _text_of(given)
        if not text.strip():
            raise ApiError(400, "There is no text of a user to read.", "response.input")
        if len(self._running) >= _MOST_AT_ONCE:
            told = "Too many responses at once."
            raise ApiError(429, told, code="rate_limit_exceeded")
        name = self._name("resp")
        self._running[name] = asyncio.create_task(
            self._answer(name, text, response.get("metadata"))
        )

    def _cancel(self, response_id: Any) -> None:
        names = list(self._running) if response_id is None else [response_id]
        found = [task for name in names if (task := self._running.get(name)) is not None]
        if not found:
            raise ApiError(400, "There is no such response.", "response_id")
        for task in found:
            task.cancel()

    async def _answer(self, name: str, text: str, metadata: Any) -> None:
        try:
            await self._respond(name, text, metadata)
        except WebSocketDisconnect:
            pass  # nobody waits for it any more

    async def _respond(self, name: str, text: str, metadata: Any) -> None:
        response = {"id": name, "object": "realtime.response", "metadata": metadata, "output": []}
        item = {"id": self._name("item"), "type": "message", "role": "assistant", "content": []}
        at = {"response_id": name, "item_id": item["id"], "output_index": 0, "content_index": 0}
        status, details = "completed", None
        try:
            await self._send("response.created", response={**response, "status": "in_progress"})
            await self._send(
                "response.output_item.added", response_id=name, output_index=0, item=item
            )
            await self._send("response.content_part.added", **at, part={"type": "audio"})
            await self._speak(text, at)
        except asyncio.CancelledError:
            status, details = "cancelled", {"type": "cancelled", "reason": "client_cancelled"}
        except (ApiError, VoicestreamError) as error:
            known = error if isinstance(error, ApiError) else ApiError(500, str(error))
            told = known.to_dict()["error"]
            status, details = "failed", {"type": "failed", "error": told}
        finally:
            self._running.pop(name, None)
        done = {**response, "status": status, "status_details": details}
        await self._send("response.done", response=done)

    async def _speak(self, text: str, at: dict[str, Any]) -> None:
        said, some = "", False
        for part in await run_in_threadpool(self._parts, text, self._voice):
            sentence = part.text.strip()
            sound = await run_in_threadpool(self._sound, part)
            said += f" {sentence}" if said else sentence
            delta = sentence if said == sentence else f" {sentence}"
            await self._send("response.output_audio_transcript.delta", **at, delta=delta)
            for start in range(0, len(sound), _PIECE_BYTES):
                delta = base64.b64encode(sound[start : start + _PIECE_BYTES]).decode()
                await self._send("response.output_audio.delta", **at, delta=delta)
                await asyncio.sleep(0)  # lets it be known that the client has gone
            some = some or bool(sound)
        if not some:
            raise unspoken()
        await self._send("response.output_audio.done", **at)
        await self._send("response.output_audio_transcript.done", **at, transcript=said)

    def _sound(self, part: Part) -> bytes:
        return b"".join(self._endpoint.speak(part, self._speed))

    def _name(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers)}"

    async def _send(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "event_id": self._name("event"), **fields}
        try:
            await self._socket.send_text(json.dumps(event, ensure_ascii=False))
        except RuntimeError as error:  # it was closed meanwhile
            raise WebSocketDisconnect from error


def _parsed(message: str) -> Any:
    try:
        return json.loads(message)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"The event is not JSON: {error}") from error


def _object(found: Any, what: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ApiError(400, f"{what} must be a JSON object.")
    return found


def _text_of(items: Any) -> str:
    """Return the last text of a user among conversation items; what is marked to be read of it."""
    text = ""
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict) or item.get("role") != "user":
            continue
        parts = item.get("content")
        found = [
            part["text"]
            for part in (parts if isinstance(parts, list) else [])
            if isinstance(part, dict)
            and part.get("type") == "input_text"
            and isinstance(part.get("text"), str)
        ]
        text = " ".join(found) or text
    marked = _READ.fullmatch(text)
    return marked[2] if marked else text
