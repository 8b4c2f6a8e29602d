"""What a client asks for, checked, and what it is told when that cannot be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from voicestream.errors import UnspokenError
from voicestream.records import dataclass
from voicestream.settings.kinds import EMBEDDED_MODEL
from voicestream.speech.embedded import nearest_voice
from voicestream.speech.neural import HEART

SERVED_FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
"""What ``encode`` makes; the first unless it is said."""
MODEL = EMBEDDED_MODEL


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


def unspoken(words: Sequence[str] = ()) -> ApiError:
    """Return the refusal of a text: for ``words`` of it, or as a whole, there are no sounds."""
    error = UnspokenError(words)
    return ApiError(400, f"{error.what}: {error.why}.", "input")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for speech. The model that it names is not looked at: there is but one."""

    text: str
    voice: str
    format: str
    speed: float
    events: bool

    @classmethod
    def parse(cls, body: bytes) -> Asked:
        """
        Raises:
            ApiError: 400 for what cannot be done, 422 for a field of a wrong kind.
        """
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, f"The body is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise ApiError(422, "The body must be a JSON object.")
        _text(fields, "model", MODEL)
        return cls(
            text=_input(fields),
            voice=voice_of(fields),
            format=_choice(fields, "response_format", SERVED_FORMATS, "mp3"),
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
    if not text.strip():
        raise ApiError(400, "'input' holds nothing to speak.", "input")
    return text


def voice_of(fields: dict[str, Any]) -> str:
    """Return the voice that speaks: the one asked for, or the nearest."""
    wanted = fields.get("voice")
    if isinstance(wanted, dict):  # OpenAI's way to name voices of one's own
        return nearest_voice(_text(wanted, "id"))
    return nearest_voice(_text(fields, "voice", HEART.id))


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
