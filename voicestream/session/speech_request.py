"""From settings and a segment to what is asked of the endpoint."""

from __future__ import annotations

from typing import Protocol

from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest

_AUTO_BEGINS = "pcm"
"""The first rung of the ladder. Not imported: the first request waits for every import."""


class Speakable(Protocol):
    """A segment: what one request will speak."""

    @property
    def text(self) -> str: ...

    @property
    def voice(self) -> str | None: ...

    @property
    def language(self) -> str: ...


def first_format(settings: Settings) -> str:
    """Return the format that the first request asks for."""
    if settings.pcm_only:
        return "pcm"  # whatever was asked for
    return _AUTO_BEGINS if settings.format == "auto" else settings.format


def lighter_may_follow(settings: Settings, form: str) -> bool:
    """Return whether the next request may ask for a lighter format, should the network not carry
    this one's."""
    return settings.format == "auto" and not settings.pcm_only and form == _AUTO_BEGINS


def speech_request(settings: Settings, segment: Speakable, form: str = "") -> SpeechRequest:
    """Return the request for one segment, in the first format unless another is given."""
    language = segment.language or ("" if settings.language == "auto" else settings.language)
    text = segment.text.strip()
    if settings.replace:
        from voicestream.text.respell import respeller

        text = respeller(settings.replace, language)(text)
    return SpeechRequest(
        text=text,
        model=settings.model,
        voice=segment.voice or settings.voice_of(language) or settings.voice,
        format=form or first_format(settings),
        speed=settings.speed,
        instructions=settings.instructions,
        stream_format=settings.stream_format,
        language=language,
    )
