"""A question's answer as the text of a reply."""

from __future__ import annotations

from voicestream.errors import EmptyTextError, UsageError
from voicestream.session.script import Script
from voicestream.settings.endpoints import http_twin
from voicestream.settings.table import EMBEDDED_URL, Settings
from voicestream.speech.chat import stream_answer


def answer_script(settings: Settings, question: str, system: str = "") -> Script:
    """What a language model answers, as it writes it. It is asked once the session starts.

    Raises:
        EmptyTextError: there is no question.
        UsageError: no server is known that could answer.
    """
    if not question.strip():
        raise EmptyTextError(
            "there is nothing to ask", hint='Try: voicestream ask "Why is the sky blue?"'
        )
    base_url = settings.chat_base_url or http_twin(settings.base_url)
    if base_url == EMBEDDED_URL:
        raise UsageError(
            "no language model is known",
            "the embedded voice speaks but does not answer",
            "Set VOICESTREAM_API_KEY, or name a server with --chat-base-url.",
        )
    answer = stream_answer(
        base_url, settings.api_key, settings.chat_model, question, system, settings.timeout_s
    )
    return Script(settings, rest=answer)
