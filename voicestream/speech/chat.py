"""A language model's answer, as it is being written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voicestream.errors import (
    EndpointError,
    IncompleteReplyError,
    KeyRefusedError,
    ModelGoneError,
    ResponseError,
)
from voicestream.speech.openai_errors import foreign_error

_KEYLESS = "none"
"""The ``openai`` package wants a key; servers of one's own mostly do not."""


def stream_answer(
    base_url: str, api_key: str, model: str, question: str, system: str, timeout_s: float
) -> Iterator[str]:
    """The answer of an OpenAI-compatible server (``/chat/completions``), token by token.

    Nothing is asked or imported before the first piece is wanted: the ``openai``
    package takes half a second to load.

    Raises:
        EndpointError: there is no answer, or it breaks off.
    """
    import openai

    messages: list[Any] = [{"role": "user", "content": question}]
    if system:
        messages.insert(0, {"role": "system", "content": system})
    begun = False
    with openai.OpenAI(base_url=base_url, api_key=api_key or _KEYLESS, timeout=timeout_s) as client:
        try:
            stream = client.chat.completions.create(model=model, messages=messages, stream=True)
            for chunk in stream:
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    begun = True
                    yield text
        except Exception as error:  # foreign boundary: openai and the HTTP library under it
            if begun:
                reason = str(error) or repr(error)
                raise IncompleteReplyError("the answer broke off", reason) from error
            raise _refused(error, base_url) from error


def _refused(error: Exception, base_url: str) -> EndpointError:
    ours = foreign_error(error, base_url, "/chat/completions")
    if isinstance(ours, KeyRefusedError):
        ours.hint = "Is VOICESTREAM_API_KEY right for this endpoint?"
    elif isinstance(ours, ModelGoneError):
        ours.hint = "Set --chat-model (VOICESTREAM_CHAT_MODEL) to a model that the server has."
    elif isinstance(ours, ResponseError):
        ours.hint = "Check --chat-base-url and --chat-model."
    return ours
