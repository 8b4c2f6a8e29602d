"""What a server's refusal means to a person, in any of the shapes servers use."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from voicestream.errors import (
    EndpointError,
    KeyRefusedError,
    ModelGoneError,
    ResponseError,
    TooLongError,
)
from voicestream.patterns import lazy_pattern
from voicestream.printable import printable

MAX_MESSAGE_BYTES = 65536
_MAX_SHOWN_CHARS = 400
_SPENT = lazy_pattern(
    r"insufficient[_ ](account[_ ])?(quota|credit|balance|fund)|credit balance|current quota"
    r"|billing|(out of|no) credits|top up|余额不足|欠费",
    re.I,
)
_SPENT_NOT_KEY = lazy_pattern(r"\bquota[_ ]exceeded\b|\bexceed(s|ed) (your|the) quota\b", re.I)
"""Beside 401 or 403; beside 429 it may be a quota of this minute."""
_LOADING = lazy_pattern(
    r"\bloading\b|being loaded|warming up|cold.?start|starting up|initiali[sz]ing|not ready", re.I
)
_TOO_LONG = lazy_pattern(
    r"too (long|large|many)|at most|max(imum|_length|imal)|exceed|(long|short)er than|up to|limit"
    r"|(no|not) more than|(less|fewer) than|between \d+ and|\d+ ?([>/]|of) ?\d+|höchstens|zu lang"
    r"|trop long|au plus|dépasse|demasiado larg|máximo|слишком|не более|超过|超出|最多|过长|太长"
    r"|不能大于|長すぎ|以内|이하",
    re.I,
)
_OF_TEXT = lazy_pattern(
    r"\b(input|texte?o?|текст|characters?|chars|string|prompt|tokens?|length|Zeichen|caract\w*|символ\w*)\b"
    r"|字|文本|글자",
    re.I,
)
_MOST = lazy_pattern(
    r"(?:at most|max(?:imum)?(?:[ _][a-z]+){0,3}|limit[a-z]*(?: [a-z]+){0,2}|(?:long|short)er than"
    r"|(?:more|less|fewer) than|between \d+ and|\d ?[>/]|\d of|höchstens|maximal|au plus|不能大于"
    r"|up to|exceeds?(?: [a-z]+){0,4}|máximo(?: de)?|не более|超过|最多)\W{0,4}(\d{2,6})"
    r"(?! ?tokens)(?![A-Za-z\d])",
    re.I,
)
_TOLD_IN = (
    *("error", "errors", "message", "detail", "msg", "title", "reason", "description"),
    *("error_message", "error_msg", "errmsg", "status_msg", "base_resp"),
)
"""Where a JSON error says it to people, the likeliest first."""
_FLAGS = {
    "model": "--model",
    "voice": "--voice",
    "response_format": "--format",
    "speed": "--speed",
    "instructions": "--instructions",
    "stream_format": "--stream-format",
}
"""Field of a request -> the setting it comes from."""
_TEXT_FIELDS = frozenset({"input", "text", "prompt"})
_GONE_CODE = lazy_pattern(
    r"\bmodel_(not_found|not_available|deprecated|retired|decommissioned|shut_?down)\b"
    r"|\b(unknown|invalid|deprecated)_model\b|\bdeployment_?not_?found\b",
    re.I,
)
_GONE_WORDS = lazy_pattern(
    r"\bmodels?\b[^.\n]{0,120}\b(does not exist|not found|no longer (available|supported|exists)"
    r"|(is|was|has been) (deprecated|retired|removed|shut ?down|decommissioned|discontinued))\b"
    r"|\b(no such|unknown) model\b",
    re.I,
)

_MEANINGS = {
    300: (
        "{url} redirects",
        "Keys are not sent across a redirect: give the final address as --base-url.",
    ),
    400: ("the endpoint refused the request", "Check {blamed}."),
    404: (
        "{url} does not exist",
        "Check --base-url, which ends in /v1 for most servers, and --model.",
    ),
    407: (
        "the proxy wants to know who asks",
        "Name user and password in the proxy's URL: http://USER:PASSWORD@HOST:PORT.",
    ),
    426: (
        "{url} wants a WebSocket",
        "If it is a Realtime API, write its address with wss:// (or ws://).",
    ),
    429: (
        "the endpoint wants fewer requests",
        "Wait a moment and try again, or ask for less at once with --lookahead 0.",
    ),
    500: ("the endpoint failed", "Try again."),
}
"""Status -> what it means, and what to do; 300, 400 and 500 stand for what has no row."""


def refusal(
    status: int, url: str, body: bytes, location: str = "", key_source: str = ""
) -> EndpointError:
    """Return the error for an HTTP status that is no success."""
    said = server_message(body)
    if _is_spent(status, body):
        error = ResponseError(
            status,
            f"the account at the endpoint has nothing left to spend (status {status})",
            said,
            "Look at its plan and its bills; asking again does not help.",
        )
        error.repeatable = False
        return error
    if _model_is_gone(status, body):
        return ModelGoneError(
            status,
            f"{url} has no such model (status {status})",
            said,
            "Set --model to one that the endpoint has.",
        )
    fields = _fields_of(body)
    of_text = not fields or not _TEXT_FIELDS.isdisjoint(fields)
    if of_text and (too_long := _too_long(status, said)) is not None:
        return too_long
    if status in (401, 403):
        hint = (
            f"The key came from {key_source}: is it right for this endpoint?"
            if key_source
            else "No key was sent. Set VOICESTREAM_API_KEY, or use --api-key-file."
        )
        return KeyRefusedError(status, f"{url} refused the key (status {status})", said, hint)
    kind = 500 if status >= 500 else 300 if 300 <= status < 400 else 400
    if kind == 300:
        said = f"to {printable(location)}" if location else ""
    what, hint = _MEANINGS.get(status) or _MEANINGS[kind]
    error = ResponseError(
        status,
        f"{what.format(url=url)} (status {status})",
        said,
        hint.format(blamed=_blamed(fields)),
    )
    error.warming_up = status == 503 and bool(_LOADING.search(said))
    return error


def _is_spent(status: int, body: bytes) -> bool:
    """Return whether the account has nothing left to spend."""
    words = body.decode("utf-8", "replace")
    return (
        status == 402
        or (status in (400, 401, 403, 429) and _SPENT.search(words) is not None)
        or (status in (401, 403) and _SPENT_NOT_KEY.search(words) is not None)
    )


def _model_is_gone(status: int, body: bytes) -> bool:
    """Return whether a refusal says that the model does not exist, or was shut down.

    Known: status 404 or 403 with the code ``model_not_found``, 400 with
    ``model_not_available`` or ``deprecated``, 410, and sentences of all kinds.
    """
    if not 400 <= status < 500 or status in (401, 407, 408, 429):
        return False
    words = body.decode("utf-8", "replace")
    return _GONE_CODE.search(words) is not None or _GONE_WORDS.search(words) is not None


def _too_long(status: int, said: str) -> TooLongError | None:
    """Return the error where a refusal is about the length of the text."""
    about = _TOO_LONG.search(said) and _OF_TEXT.search(said)
    failed = status == 500 and "too long" in said.lower()
    if status != 413 and not ((status in (400, 422) or failed) and about):
        return None
    error = TooLongError(
        status,
        f"the endpoint takes only shorter texts (status {status})",
        said,
        "Name the longest that it takes: --max-chars.",
    )
    named = _MOST.search(said)
    error.most_chars = int(named.group(1)) if named else None
    return error


def _blamed(fields: list[str]) -> str:
    """Return the settings behind the fields that a refusal names; the likely ones if it names
    none."""
    named = [_FLAGS[name] for name in fields if name in _FLAGS]
    if named:
        return " and ".join(dict.fromkeys(named))
    return "--model, --voice, --format and --speed"


def _fields_of(body: bytes) -> list[str]:
    """Return the fields that FastAPI (``loc``) and OpenAI (``param``) name."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return []
    if not isinstance(value, dict):
        return []
    found: list[str] = []
    details = value.get("detail")
    for item in details if isinstance(details, list) else []:
        found += filter(None, [_field(item)])
    inner = value.get("error")
    for where in (value, inner if isinstance(inner, dict) else {}):
        if isinstance(param := where.get("param"), str):
            found.append(param)
    return found


def _field(item: Any) -> str:
    """Return the last name of ``loc``."""
    where = item.get("loc") if isinstance(item, dict) else None
    names = [name for name in where if isinstance(name, str)] if isinstance(where, list) else []
    return names[-1] if names and names[-1] != "body" else ""


def asked_wait_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Return how long ``Retry-After`` asks to wait: seconds, or a date; None if it says neither.

    Args:
        now_s: seconds since 1970.
    """
    milliseconds = headers.get("retry-after-ms", "").strip()
    if milliseconds.isdecimal():
        return int(milliseconds[:9]) / 1000
    asked = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d*)?", asked):
        return float(asked)
    from email.utils import parsedate_to_datetime

    try:
        return max(parsedate_to_datetime(asked).timestamp() - now_s, 0.0)
    except (ValueError, OverflowError):  # no date either
        return None


def server_message(body: bytes) -> str:
    """Return the server's own words, on one line, harmless to a terminal.

    Known: ``{"error": {"message": ..}}``, ``{"error": ".."}``, ``{"detail": {..}}``,
    ``{"detail": [{"msg": ..}]}``, ``{"message": ..}``, HTML, plain text.
    """
    if _binary(body):
        return f"{len(body)} bytes that are no text"
    text = body.decode("utf-8", "replace").strip()
    try:
        found = _words(json.loads(text))
    except (ValueError, RecursionError):
        found = ""
    if not found:
        found = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", text, flags=re.S | re.I)
    return printable(found, _MAX_SHOWN_CHARS)


def _binary(body: bytes) -> bool:
    """Return whether this is no text in any encoding that a message may have."""
    head = body[:4096]
    odd = sum(byte < 9 or (13 < byte < 32 and byte != 27) for byte in head)
    return odd > len(head) // 20


def _words(value: Any) -> str:
    """Return the part of a JSON error that is meant for people."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_words, value[:5])))
    if isinstance(value, dict):
        told = {str(name).lower(): item for name, item in value.items()}
        for name in _TOLD_IN:
            if name in told and (words := _words(told[name])):
                field = _field(value)
                return f"{field}: {words}" if field else words
    return ""
