"""What somebody said, written down by an OpenAI-compatible server (``/audio/transcriptions``)."""

from __future__ import annotations

import io
import json
import secrets
import wave
from typing import TYPE_CHECKING

from voicestream.errors import (
    EndpointError,
    KeyRefusedError,
    ModelGoneError,
    ReplyError,
    ResponseError,
)
from voicestream.pcm import PcmFormat
from voicestream.speech.chat import posted
from voicestream.speech.http.endpoint import HttpEndpoint
from voicestream.speech.http.stream import content

if TYPE_CHECKING:
    from voicestream.speech.http.config import EndpointConfig
    from voicestream.speech.retry import RetryPolicy

ROUTE = "/audio/transcriptions"
_MOST_BYTES = 1 << 20
"""Most bytes of an answer: more than anybody says in one turn."""


class Transcriber:
    """Asks a server what was said, over a connection that is kept. Used by one thread.

    Args:
        model: the one that listens.
        language: of what is said, as two letters; empty: it is for the server to find out.
    """

    def __init__(
        self, config: EndpointConfig, policy: RetryPolicy, model: str, language: str = ""
    ) -> None:
        self._endpoint = HttpEndpoint(config, route=ROUTE)
        self._policy = policy
        self._fields = {"model": model, "response_format": "json"}
        if language:
            self._fields["language"] = language

    def text_of(self, sound: bytes, pcm: PcmFormat) -> str:
        """Return the text of what was said; empty: nothing was understood.

        Args:
            sound: 16-bit frames of ``pcm``.

        Raises:
            EndpointError: it cannot be asked, or does not tell.
        """
        kind, body = _form(self._fields, _wav(sound, pcm))
        try:
            response = posted(self._endpoint, body, self._policy, kind)
            return self._text(content(response, self._endpoint.origin, _MOST_BYTES))
        except EndpointError as error:
            raise _hinted(error) from error.__cause__

    def _text(self, body: bytes) -> str:
        words = body.decode("utf-8", "replace").strip()
        if not words.startswith(("{", "<")):
            return words  # some servers send plain text, whatever they are asked for
        try:
            told = json.loads(words)
        except (ValueError, RecursionError):
            told = None
        text = told.get("text") if isinstance(told, dict) else None
        if not isinstance(text, str):
            from voicestream.speech.http.refusal import server_message

            raise ReplyError("the server does not tell what was said", server_message(body))
        return text.strip()

    def abort(self) -> None:
        """End what goes on, and let nothing begin. Any thread."""
        self._endpoint.abort()

    def close(self) -> None:
        self._endpoint.close()


def _wav(sound: bytes, pcm: PcmFormat) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(pcm.channels)
        file.setsampwidth(2)
        file.setframerate(pcm.rate_hz)
        file.writeframes(sound)
    return made.getvalue()


def _form(fields: dict[str, str], wav: bytes) -> tuple[str, bytes]:
    """Return a form of fields and a file: its content type, and the form itself."""
    boundary = secrets.token_hex(16)
    head = "".join(
        f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{held}\r\n'
        for name, held in fields.items()
    )
    head += f'--{boundary}\r\ncontent-disposition: form-data; name="file"; '
    head += 'filename="turn.wav"\r\ncontent-type: audio/wav\r\n\r\n'
    body = head.encode() + wav + f"\r\n--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def _hinted(error: EndpointError) -> EndpointError:
    if isinstance(error, ModelGoneError):
        error.hint = "Set --transcribe-model to a model that the server has."
    elif isinstance(error, ResponseError) and error.status in (404, 405):
        error.hint = (
            "Does this server listen, or only speak? Name one that does: "
            "--transcribe-base-url, --transcribe-model."
        )
    elif isinstance(error, KeyRefusedError):
        error.hint = "Is VOICESTREAM_API_KEY right for this endpoint?"
    elif isinstance(error, ResponseError) and error.status != 407 and error.repeatable is False:
        error.hint = "Check --transcribe-base-url and --transcribe-model."
    return error
