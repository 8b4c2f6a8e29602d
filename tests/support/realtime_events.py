"""What a Realtime server is asked, and the events of its answer."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from voicestream.pcm import Samples, to_int16

End = Literal["close", "reset", "stall", "expire"]


Step = tuple[float, "dict[str, Any] | bytes | End"]
"""Seconds to wait, then what to send: an event, bytes on the socket as they are, or an end."""


@dataclass
class Asked:
    """One ``response.create``.

    Attributes:
        connection: number of the WebSocket, from 0.
        attempt: how often this text was asked for, from 1.
        voice: of the session.
        event: as it came.
        cancelled_s: when the client cancelled it.
        client_gone_s: when the connection was found to be gone while it was answered.
    """

    connection: int
    attempt: int
    text: str
    voice: str
    speed: float
    event: dict[str, Any]
    at_s: float
    response_id: str
    cancelled: threading.Event = field(default_factory=threading.Event)
    cancelled_s: float | None = None
    sent_bytes: int = 0
    first_delta_s: float | None = None
    end_s: float | None = None

    @property
    def response(self) -> dict[str, Any]:
        found: dict[str, Any] = self.event["response"]
        return found


def speak(
    asked: Asked,
    sound: bytes,
    words: str | None = None,
    *,
    delay_s: float = 0.0,
    rate_bytes_per_s: float | None = None,
    piece_bytes: int = 4800,
    status: str = "completed",
    reason: str = "",
    error: dict[str, Any] | None = None,
    words_late: bool = False,
) -> Iterator[Step]:
    """A response as OpenAI sends it.

    Args:
        sound: PCM at 24 kHz.
        words: the transcript; None: the text itself.
        words_late: the transcript comes after the sound, not before it.
    """
    told = asked.text if words is None else words
    base = {"response_id": asked.response_id, "item_id": f"item_{asked.response_id}"}
    part = {**base, "output_index": 0, "content_index": 0}
    yield delay_s, _response_event("response.created", asked, "in_progress")
    yield (
        0.0,
        {
            "type": "rate_limits.updated",
            "rate_limits": [
                {"name": "tokens", "limit": 1000, "remaining": 900, "reset_seconds": 0.1}
            ],
        },
    )
    item = {"id": base["item_id"], "type": "message", "role": "assistant", "content": []}
    yield 0.0, {"type": "response.output_item.added", **base, "output_index": 0, "item": item}
    yield 0.0, {"type": "response.content_part.added", **part, "part": {"type": "audio"}}
    spoken = list(_words(part, told))
    sounds = list(_sounds(part, sound, rate_bytes_per_s, piece_bytes))
    yield from [*sounds, *spoken] if words_late else [*spoken, *sounds]
    yield 0.0, {"type": "response.output_audio.done", **part}
    yield 0.0, {"type": "response.output_audio_transcript.done", **part, "transcript": told}
    content = {"type": "audio", "transcript": told}
    yield 0.0, {"type": "response.content_part.done", **part, "part": content}
    done = {**item, "content": [{**content, "type": "output_audio"}]}
    yield 0.0, {"type": "response.output_item.done", **base, "output_index": 0, "item": done}
    yield 0.0, _response_event("response.done", asked, status, reason, error)


def _words(part: dict[str, Any], told: str) -> Iterator[Step]:
    for word in re.findall(r"\s*\S+\s*$|\s*\S+", told):
        yield 0.0, {"type": "response.output_audio_transcript.delta", **part, "delta": word}


def _sounds(
    part: dict[str, Any], sound: bytes, rate: float | None, piece_bytes: int
) -> Iterator[Step]:
    for start in range(0, len(sound), piece_bytes):
        piece = sound[start : start + piece_bytes]
        delta = base64.b64encode(piece).decode()
        wait_s = piece_bytes / rate if rate and start else 0.0
        yield wait_s, {"type": "response.output_audio.delta", **part, "delta": delta}


def _response_event(
    kind: str,
    asked: Asked,
    status: str,
    reason: str = "",
    error: dict[str, Any] | None = None,
) -> dict[str, Any]:
    response: dict[str, Any] = {
        "id": asked.response_id,
        "object": "realtime.response",
        "status": status,
        "metadata": asked.response.get("metadata"),
        "output": [],
    }
    if reason or error:
        response["status_details"] = {"type": status, "reason": reason or None, "error": error}
    return {"type": kind, "response": response}


def pcm(samples: Samples) -> bytes:
    return to_int16(samples).tobytes()
