"""What to ask for instead, where an endpoint refuses the format that was asked for."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

from voicestream.formats import FORMATS
from voicestream.patterns import lazy_pattern
from voicestream.records import replace
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http.request import OTHER_ROUTES

_STATUSES = frozenset({400, 406, 415, 422, 500, 501, 502})
_OF_FORMAT = frozenset({406, 415})
"""What they mean, whatever their words."""
_UNASKED = ("", "mp3", "wav")
"""Formats to try where the refusal names none; empty leaves the choice to the server."""
_ABOUT_FORMAT = lazy_pattern(
    r"response_?format"
    r"|\b(audio|output|file|media|encoding)[ _-]?(format|type)\b"
    r"|\b(unsupported|invalid|unknown|unrecognized)\b[^.\n]{0,30}\bformat\b"
    r"|\bformat\b[^.\n]{0,60}\b(support|invalid|unknown|allowed|permit|available|must be|one of)"
    r"|\b(codec|encoder)\b[^.\n]{0,60}\b(support|implement|install|found|unknown|available)"
    r"|\b(unsupported|invalid|unknown)\b[^.\n]{0,30}\b(codec|encoder)\b"
    r"|\bonly (supports )?(mp3|wav|opus|flac|aac|pcm)\b",
    re.I,
)
_ABOUT_CODEC = lazy_pattern(
    r"support|implement|allow|valid|one of|must be|should be|expect|only|available", re.I
)
_ECHOES = frozenset({"input", "body", "request", "ctx", "url", "traceback"})
"""Fields in which servers repeat what they were sent, which proves nothing."""


class Agreement:
    """Knows what one endpoint has refused so far. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._instead: dict[str, str] = {}
        self._plain_stream = False

    def adapt(self, request: SpeechRequest) -> SpeechRequest:
        """Return the request with what was refused before replaced by what is asked for instead."""
        with self._lock:
            stream_format = "audio" if self._plain_stream else request.stream_format
            wanted = self._instead.get(request.format, request.format)
        return replace(request, format=wanted, stream_format=stream_format)

    def learn(self, asked: SpeechRequest, status: int, body: bytes) -> bool:
        """Take a refusal in; return whether there is something else to ask for.

        Args:
            asked: what was refused, as sent.
            body: of the refusal.
        """
        if asked.stream_format in OTHER_ROUTES and status in (404, 405):  # no such route
            with self._lock:
                self._plain_stream = True
            return True
        if status not in _STATUSES:
            return False
        words = " ".join(_words(body))
        if "stream_format" in words and asked.stream_format != "audio":
            with self._lock:
                self._plain_stream = True
            return True
        if status not in _OF_FORMAT and not _about_format(words, asked.format):
            return False
        named = [name for name in FORMATS if _names(words, name)]
        with self._lock:
            refused = {asked.format, *self._instead}
            left = [name for name in [*named, *_UNASKED] if name not in refused]
            if not left:
                return False
            for name in refused:
                self._instead[name] = left[0]
        return True


def _about_format(words: str, asked: str) -> bool:
    if _ABOUT_FORMAT.search(words):
        return True
    return bool(asked and _names(words, asked) and _ABOUT_CODEC.search(words))


def _names(words: str, form: str) -> bool:
    return re.search(rf"(?<![\w/]){form}(?!\w)", words, re.I) is not None


def _words(body: bytes) -> Iterator[str]:
    """Yield all text of a refusal but what it repeats of the request."""
    try:
        yield from _strings(json.loads(body))
    except (ValueError, RecursionError):
        yield body.decode("utf-8", "replace")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in _ECHOES:
                yield from _strings(item)
