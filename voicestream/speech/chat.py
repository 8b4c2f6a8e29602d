"""A language model's answer, as it is being written (``/chat/completions``)."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from voicestream.errors import (
    EndpointError,
    IncompleteReplyError,
    KeyRefusedError,
    ModelGoneError,
    ReplyError,
    ResponseError,
)
from voicestream.records import dataclass

if TYPE_CHECKING:
    from voicestream.speech.http.config import EndpointConfig
    from voicestream.speech.http.endpoint import HttpEndpoint
    from voicestream.speech.http.request import EarlyRequest
    from voicestream.speech.http.transport import HttpResponse
    from voicestream.speech.retry import RetryPolicy

ROUTE = "/chat/completions"
_MOST_BYTES = 4 << 20
"""Most bytes of an answer that does not stream: more than anybody listens to."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a language model.

    Attributes:
        system: how to answer; empty for nothing.
        before: the messages of the conversation so far, each with ``role`` and ``content``.
    """

    text: str
    model: str
    system: str = ""
    before: tuple[dict[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        """The JSON of the request."""
        messages = [*self.before, {"role": "user", "content": self.text}]
        if self.system:
            messages.insert(0, {"role": "system", "content": self.system})
        fields = {"messages": messages, "model": self.model, "stream": True}
        return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")


def stream_answer(
    question: Question,
    config: EndpointConfig,
    policy: RetryPolicy,
    early: EarlyRequest | None = None,
) -> Iterator[str]:
    """Yield the answer of an OpenAI-compatible server, token by token.

    Args:
        early: the request, sent already.

    Raises:
        EndpointError: there is no answer, or it breaks off.
    """
    from voicestream.speech.http.endpoint import HttpEndpoint

    endpoint = HttpEndpoint(config, early, ROUTE)
    begun = False
    try:
        response = posted(endpoint, question.body, policy)
        try:
            for text in _texts(endpoint, response):
                begun = True
                yield text
        finally:
            response.close()
    except EndpointError as error:
        if begun:
            reason = f"{error.what}: {error.why}" if error.why else error.what
            raise IncompleteReplyError("the answer broke off", reason, error.hint) from error
        raise _hinted(error) from error.__cause__
    finally:
        endpoint.close()


def posted(
    endpoint: HttpEndpoint, body: bytes, policy: RetryPolicy, kind: str = ""
) -> HttpResponse:
    """Return a reply that is no refusal, asked for as often as the policy allows.

    Args:
        kind: the content type of ``body``, where it is no JSON.
    """
    began_s, tried = time.monotonic(), 0
    while True:
        try:
            return endpoint.post(body, kind)
        except EndpointError as error:
            tried += 1
            wait_s = policy.wait_s(tried, error.retry_after_s, random.random())
            late = time.monotonic() - began_s + wait_s > policy.budget_s
            if not error.repeatable or tried > policy.retries or late:
                raise
        time.sleep(wait_s)


def _texts(endpoint: HttpEndpoint, response: HttpResponse) -> Iterator[str]:
    from voicestream.speech.http.sniff import is_events

    pieces = response.iter_raw()
    head = b""
    while not head.strip():
        piece = next(pieces, None)
        if piece is None:
            return  # nothing was said
        head += piece
    if is_events(response.headers.get("content-type", "")) or head.lstrip()[:1] in b"de:":
        yield from _events(endpoint, response, head, pieces)
    else:
        yield _whole(endpoint, response, head, pieces)


def _events(
    endpoint: HttpEndpoint, response: HttpResponse, head: bytes, pieces: Iterator[bytes]
) -> Iterator[str]:
    """Yield the texts of a stream of events. Comments and pings are no sign of life."""
    from voicestream.speech.http.sse import EventParser

    parser = EventParser()
    patience_s = endpoint.config.timeout_s
    until_s = time.monotonic() + patience_s
    finished = False
    piece: bytes | None = head
    while piece is not None:
        for event in parser.feed(piece):
            if event.data.strip() == b"[DONE]":
                return
            chunk = _chunk(endpoint, event.data)
            if chunk.get("choices"):
                until_s = time.monotonic() + patience_s
            text, ended = _spoken(chunk)
            finished |= ended
            if text:
                yield text
                until_s = time.monotonic() + patience_s
        response.allow(max(until_s - time.monotonic(), 0.0))
        try:
            piece = next(pieces, None)
        except IncompleteReplyError as error:
            if finished:
                return  # all was said; how the connection ends is nothing to us
            if time.monotonic() < until_s:
                raise
            raise IncompleteReplyError(
                f"the server wrote nothing for {patience_s:g} s",
                hint="Raise --timeout if the model thinks for so long.",
            ) from error


def _chunk(endpoint: HttpEndpoint, data: bytes) -> dict[str, Any]:
    """Return one event as an object; an empty one if it is none.

    Raises:
        ReplyError: the server tells of an error.
    """
    from voicestream.speech.http.refusal import server_message

    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    if found.get("error"):
        words = server_message(endpoint.origin.without_key(data))
        raise ReplyError("the server reports an error in its answer", words)
    return found


def _spoken(chunk: dict[str, Any]) -> tuple[str, bool]:
    """Return the text of a chunk, and whether it is the last."""
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or choice.get("index") not in (0, None):
        return "", False
    said = choice.get("delta") or choice.get("message") or {}
    text = ""
    if isinstance(said, dict):
        text = _plain(said.get("content")) or _plain(said.get("refusal"))
    return text or _plain(choice.get("text")), bool(choice.get("finish_reason"))


def _plain(content: Any) -> str:
    """Return the text, or the text among the parts of a message."""
    if isinstance(content, list):
        return "".join(_plain(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _whole(
    endpoint: HttpEndpoint, response: HttpResponse, head: bytes, pieces: Iterator[bytes]
) -> str:
    """Return the text of an answer that comes at once, although a stream was asked for."""
    body = bytearray(head)
    for piece in pieces:
        body += piece
        if len(body) > _MOST_BYTES:
            raise ReplyError(f"the answer has more than {_MOST_BYTES >> 20} MB, and goes on")
    chunk = _chunk(endpoint, bytes(body))
    text, _ = _spoken(chunk)
    if not text and not chunk.get("choices"):
        from voicestream.speech.http.refusal import server_message

        kind = response.headers.get("content-type", "").split(";")[0] or "something else"
        words = server_message(endpoint.origin.without_key(body))
        raise ReplyError(f"the server answered with {kind}, not with a language model's", words)
    return text


def _hinted(error: EndpointError) -> EndpointError:
    if isinstance(error, KeyRefusedError):
        error.hint = "Is VOICESTREAM_API_KEY right for this endpoint?"
    elif isinstance(error, ModelGoneError):
        error.hint = "Set --chat-model (VOICESTREAM_CHAT_MODEL) to a model that the server has."
    elif isinstance(error, ResponseError) and error.status in (404, 405):
        error.hint = (
            "Does this server answer, or only speak? Name one with a language model: "
            "--chat-base-url, --chat-model."
        )
    elif isinstance(error, ResponseError) and error.status != 407 and error.repeatable is False:
        error.hint = "Check --chat-base-url and --chat-model."
    elif isinstance(error, ReplyError):
        error.hint = error.hint or "Check --chat-base-url: it ends in /v1 for most servers."
    return error
