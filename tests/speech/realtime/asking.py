"""An endpoint, its server, and what is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.canary import KEY
from tests.support.realtime_events import Asked, Step, speak
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.limits import Limits
from voicestream.speech.realtime.endpoint import RealtimeEndpoint


def sound_of(text: str, size_bytes: int = 48_000) -> bytes:
    return bytes((sum(text.encode()) + place) % 251 for place in range(size_bytes))


def honest(asked: Asked) -> Iterator[Step]:
    yield from speak(asked, sound_of(asked.text))


def request(text: str = "Hello.", **more: Any) -> SpeechRequest:
    fields: dict[str, Any] = {"model": "gpt-realtime-x", "voice": "marin", "format": "pcm", **more}
    return SpeechRequest(text, **fields)


def endpoint_at(url: str, **more: Any) -> RealtimeEndpoint:
    fields: dict[str, Any] = {"timeout_s": 20.0, "limits": Limits(10.0, 60.0), **more}
    return RealtimeEndpoint(EndpointConfig(url, KEY, "the test", **fields))
