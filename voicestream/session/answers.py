"""A question's answer as the text of a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicestream.errors import EmptyTextError, UsageError
from voicestream.settings.endpoints import http_twin
from voicestream.settings.kinds import endpoint_kind, is_local
from voicestream.settings.table import Settings
from voicestream.speech.chat import ROUTE, Question, stream_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicestream.pcm import PcmFormat
    from voicestream.session.script import Script
    from voicestream.speech.http.config import EndpointConfig
    from voicestream.speech.http.request import EarlyRequest
    from voicestream.speech.realtime.transcribe import RealtimeTranscriber
    from voicestream.speech.transcribe import Transcriber

_HELD_S = 0.05
"""So much sound the conversion to another rate may hold back."""


def question_of(
    settings: Settings, text: str, system: str = "", before: tuple[dict[str, str], ...] = ()
) -> Question:
    """Return the question for the language model, once it is sure that it can be asked.

    Args:
        before: see :class:`Question`.

    Raises:
        EmptyTextError: there is no question.
        UsageError: no server is known that could answer.
    """
    if not text.strip():
        raise EmptyTextError(
            "there is nothing to ask", hint='Try: voicestream ask "Why is the sky blue?"'
        )
    if is_local(chat_url(settings)):
        raise UsageError(
            "no language model is known",
            "the embedded voice speaks but does not answer",
            "Set VOICESTREAM_API_KEY, or name a server with --chat-base-url.",
        )
    return Question(text, settings.chat_model, system, before)


def chat_url(settings: Settings) -> str:
    """Return the base URL of the language model that answers."""
    return settings.chat_base_url or http_twin(settings.base_url)


def ask_early(settings: Settings, question: Question) -> EarlyRequest | None:
    """Send the question while Python still imports; return None behind a proxy, which the early
    request does not know."""
    from voicestream.settings.proxy import proxy_url
    from voicestream.speech.http.request import EarlyRequest

    base_url = chat_url(settings)
    if proxy_url(base_url):
        return None
    wait_s = min(settings.connect_timeout_s, settings.timeout_s)
    headers = {} if settings.chat_base_url else settings.headers
    early = EarlyRequest(base_url, settings.api_key, wait_s, headers, ROUTE)
    early.send(question.body)
    early.start()
    return early


def answer_script(
    settings: Settings,
    question: Question,
    early: EarlyRequest | None = None,
    by_sentence: bool = False,
) -> Script:
    """Return a script of what a language model answers, as it is written. It is asked once the
    session starts, unless it was asked early."""
    from voicestream.session.script import Script

    answer = answer_pieces(settings, question, early)
    return Script(settings, rest=answer, by_sentence=by_sentence)


def answer_pieces(
    settings: Settings, question: Question, early: EarlyRequest | None = None
) -> Iterator[str]:
    """Return the same answer as it is written."""
    from voicestream.speech.retry import RetryPolicy

    policy = RetryPolicy(settings.retries, settings.retry_budget_s)
    return stream_answer(question, asked_at(settings, settings.chat_base_url), policy, early)


def asked_at(settings: Settings, base_url: str) -> EndpointConfig:
    """Return how to ask for something that is no speech.

    Args:
        base_url: where; empty: where speech is asked for.
    """
    from voicestream.speech.http.config import EndpointConfig

    return EndpointConfig(
        base_url=base_url or http_twin(settings.base_url),
        api_key=settings.api_key,
        key_source=settings.sources.get("api_key", "the program") if settings.api_key else "",
        timeout_s=settings.timeout_s,
        connect_s=settings.connect_timeout_s,
        headers={} if base_url else settings.headers,
    )


def transcriber_of(settings: Settings) -> Transcriber | RealtimeTranscriber:
    """Return who writes down what is said: over a WebSocket where the URL names one.

    Raises:
        UsageError: nobody is known who could.
    """
    from voicestream.speech.retry import RetryPolicy
    from voicestream.speech.transcribe import Transcriber

    config = asked_at(settings, settings.transcribe_base_url)
    if is_local(config.base_url):
        raise UsageError(
            "nobody is known who writes down what is said",
            "the embedded voice speaks but does not listen",
            "Set VOICESTREAM_API_KEY, or name a server with --transcribe-base-url.",
        )
    language = "" if settings.language == "auto" else settings.language.partition("-")[0]
    if endpoint_kind(config.base_url) == "realtime":
        from voicestream.listen.convert import to_mono
        from voicestream.speech.realtime.protocol import RATE_HZ
        from voicestream.speech.realtime.transcribe import RealtimeTranscriber

        def convert(sound: bytes, pcm: PcmFormat) -> bytes:
            held = bytes(pcm.s_to_frames(_HELD_S) * pcm.frame_bytes)
            return to_mono(pcm, RATE_HZ)(sound + held)

        return RealtimeTranscriber(config, settings.transcribe_model, language, convert)
    policy = RetryPolicy(settings.retries, settings.retry_budget_s)
    return Transcriber(config, policy, settings.transcribe_model, language)
