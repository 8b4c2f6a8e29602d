"""What a client asks for, checked, and what it is told when that cannot be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from voicestream.speech.embedded import VOICES

MAX_CHARS = 4096
FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
"""What ``encode`` makes; the first unless it is said."""
MODEL = "hibari"
_OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
_REALTIME_MODELS = ("gpt-realtime", "gpt-4o-realtime", "gpt-4o-mini-realtime")
_OPENAI_VOICES = (
    *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin"),
    *("nova", "onyx", "sage", "shimmer", "verse"),
)
"""Clients send these unasked. Here they mean the one voice that there is."""


class ApiError(Exception):
    """An answer that is no speech, in OpenAI's shape."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code

    def to_dict(self) -> dict[str, Any]:
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {
            "error": {
                "message": self.message,
                "type": kind,
                "param": self.param,
                "code": self.code or None,
            }
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for speech."""

    text: str
    voice: str
    format: str
    speed: float
    events: bool

    @classmethod
    def parse(cls, body: bytes) -> Asked:
        """
        Raises:
            ApiError: 400 for what cannot be done, 404 for an unknown model, 422 for a field of a
                wrong kind.
        """
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, f"The body is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise ApiError(422, "The body must be a JSON object.")
        _check_model(_text(fields, "model", MODEL))
        return cls(
            text=_input(fields),
            voice=voice_of(fields),
            format=_choice(fields, "response_format", FORMATS, "mp3"),
            speed=_speed(fields),
            events=_choice(fields, "stream_format", ("audio", "sse"), "audio") == "sse",
        )


def _text(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    found = fields.get(name)
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        said = "is missing" if found is None else "must be text"
        raise ApiError(422, f"'{name}' {said}.", name)
    return found


def _input(fields: dict[str, Any]) -> str:
    text = _text(fields, "input")
    if len(text) > MAX_CHARS:
        raise ApiError(
            400, f"'input' has {len(text)} characters; at most {MAX_CHARS} are allowed.", "input"
        )
    if not text.strip():
        raise ApiError(400, "'input' holds nothing to speak.", "input")
    return text


def _check_model(model: str) -> None:
    if model != MODEL and not model.startswith(_OPENAI_MODELS):
        raise ApiError(
            404, f"There is no model {model!r}; it is called {MODEL!r}.", "model", "model_not_found"
        )


def check_realtime_model(model: str | None) -> None:
    """
    Raises:
        ApiError: it is none that is served here.
    """
    if model is not None and model != MODEL and not model.startswith(_REALTIME_MODELS):
        _check_model(model)


def voice_of(fields: dict[str, Any]) -> str:
    voice = _text(fields, "voice", VOICES[0])
    if voice in VOICES:
        return voice
    if voice in _OPENAI_VOICES:
        return VOICES[0]
    raise ApiError(400, f"There is no voice {voice!r}; there is {', '.join(VOICES)}.", "voice")


def _choice(fields: dict[str, Any], name: str, known: tuple[str, ...], default: str) -> str:
    found = _text(fields, name, default)
    if found not in known:
        raise ApiError(400, f"'{name}' must be one of {', '.join(known)}, not {found!r}.", name)
    return found


def _speed(fields: dict[str, Any]) -> float:
    found = fields.get("speed")
    if found is None:
        return 1.0
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ApiError(422, "'speed' must be a number.", "speed")
    if not 0.25 <= found <= 4.0:
        raise ApiError(400, f"'speed' must be from 0.25 to 4, not {found}.", "speed")
    return float(found)
