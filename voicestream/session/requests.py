"""From settings and a segment to what is asked of the endpoint."""

from __future__ import annotations

from typing import Protocol

from voicestream.settings import Settings
from voicestream.speech.base import SpeechRequest


class Speakable(Protocol):
    """A segment: what one request will speak."""

    @property
    def text(self) -> str: ...

    @property
    def voice(self) -> str | None: ...


def speech_request(settings: Settings, segment: Speakable) -> SpeechRequest:
    """The request for one segment."""
    return SpeechRequest(
        text=segment.text.strip(),
        model=settings.model,
        voice=segment.voice or settings.voice,
        format=settings.format,
        speed=settings.speed,
        instructions=settings.instructions,
        stream_format=settings.stream_format,
    )
