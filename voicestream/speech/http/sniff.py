"""What the reply to a speech request says it is, and whether it is speech at all."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from voicestream.errors import EndpointError, IncompleteReplyError, ReplyError
from voicestream.formats import hinted_by, shown_by
from voicestream.patterns import lazy_pattern
from voicestream.speech.http.refusal import server_message

_RATE_HEADER = lazy_pattern(r"(^|[-_])(sampl(e|ing)[-_]?rate|(audio|pcm)[-_]rate)[-_]?(hz|hertz)?$")
_CHANNEL_HEADER = lazy_pattern(r"^(x|audio|x[-_]audio)[-_](num[-_])?channels$")
_RATE_PARAMETER = lazy_pattern(r"[;,]\s*(rate|sampl(e|ing)[-_]?rate)\s*=[^;,]*", re.I)
_RATE = lazy_pattern(r"(\d+)(?:\.0+)?\s*(k?)(?:hz)?", re.I)
_NOT_SPEECH = lazy_pattern(
    r"(text/(?!event-stream)|application/(problem\+|x-)?(json|ndjson|xml|xhtml))", re.I
)
_EVENTS = lazy_pattern(r"text/event-stream", re.I)
_TELLTALES = (
    *(b'{"error"', b'{"detail"', b'{"message"', b"<!doctype html", b"<html"),
    *(b"\x89png\r\n", b"gif89a", b"%pdf-1.", b"pk\x03\x04\x14\x00"),
    *(b"\xff\xd8\xff\xe0\x00\x10jfif", b"\x1f\x8b\x08\x00\x00\x00\x00\x00", b"\x7felf\x02\x01\x01"),
    *("\ufeff<html".encode("utf-16-le"), "\ufeff<!doc".encode("utf-16-le")),
)
"""Messages, pictures, documents and programs, in lower case. No sound begins like this: 48 bits of
chance and more."""
_HEAD_BYTES = 64
"""This many bytes of text are no samples; a shorter reply is none if it is made of words."""
_FEW_SIGNS = 8
"""Samples that do not change may look like so few."""
_WORDS = lazy_pattern(r"[^\W\d_]{2,}[,:;'\"]?\s+(?:\S+\s+)*[^\W\d_]{2,}")


def is_events(content_type: str) -> bool:
    """Return whether the speech, if any, is wrapped in server-sent events."""
    return bool(_EVENTS.match(content_type))


def is_speech(content_type: str) -> bool:
    """Return whether the content type is not one of something that is meant to be read."""
    return not _NOT_SPEECH.match(content_type)


def shows_sound(head: bytes) -> bool:
    """Return whether these first bytes are of a container of sound, whatever they are called."""
    # a frame of MP3 or AAC: 0xFF begins no text
    return shown_by(head) is not None or hinted_by(head) is not None


def told_rate_hz(headers: Any) -> int | None:
    """Return the sample rate of raw PCM that the headers (a mapping in lower case) name."""
    return _number(headers, _RATE_HEADER)


def without_rate(content_type: str) -> str:
    """Return the content type without what it says of the sample rate."""
    return _RATE_PARAMETER.sub("", content_type)


def is_bounded(headers: Any) -> bool:
    """Return whether headers tell where the body ends; else whoever sends it just closes."""
    return "content-length" in headers or "transfer-encoding" in headers


def told_channels(headers: Any) -> int | None:
    """Return the channels of raw PCM that the headers name."""
    return _number(headers, _CHANNEL_HEADER)


def _number(headers: Any, wanted: re.Pattern[str]) -> int | None:
    for name in headers:
        found = _RATE.fullmatch(headers[name].strip()) if wanted.search(name.lower()) else None
        if found is not None and len(found.group(1)) < 10:
            return int(found.group(1)) * (1000 if found.group(2) else 1)
    return None


def checked(
    sound: Iterator[bytes], error: Callable[[bytes, Iterator[bytes]], ReplyError]
) -> Iterator[bytes]:
    """Yield the same pieces, unless they begin like the error messages that some servers call
    audio.

    Args:
        error: what to raise then, made of what has been read and what has not.
    """
    head = b""
    pieces = iter(sound)
    while True:
        try:
            piece = next(pieces, None)
        except IncompleteReplyError:
            if head and not _are_words(head):
                yield head  # what came is heard
            raise
        if piece is None:
            break
        head += piece
        seen = head[:_HEAD_BYTES].lower()
        if any(seen.startswith(sign) for sign in _TELLTALES):
            raise error(head, pieces)
        may_be = any(sign.startswith(seen) for sign in _TELLTALES) or _text(seen)
        if may_be and len(seen) == _HEAD_BYTES and len(set(seen)) > _FEW_SIGNS:
            raise error(head, pieces)
        if not may_be or len(seen) == _HEAD_BYTES:
            yield head
            yield from pieces
            return
    if _are_words(head):
        raise error(head, pieces)
    if head:
        yield head


def _text(head: bytes) -> str:
    """Return the text that these first bytes are; empty: they are none."""
    try:
        # a character may be cut at the end
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return ""
    return text if all(char.isprintable() or char in "\t\r\n" for char in text) else ""


def _are_words(head: bytes) -> bool:
    """Return whether this is written for people: most of it letters, in words."""
    text = _text(head)
    letters = sum(char.isalpha() or char == " " for char in text)
    return letters > 0.5 * len(text) and _WORDS.search(text) is not None


def not_speech(content_type: str, body: bytes, hint: str = "") -> ReplyError:
    """Return the error for a body that is a message."""
    kind = content_type.split(";")[0].strip()
    what = "a message" if is_speech(kind) and not is_events(kind) else kind
    words = server_message(body)
    if (names := shape_of(body)) and words.startswith("{"):
        words = f"JSON with {names}, and no sound in base64 under any name known here"
    return ReplyError(f"the endpoint answered with {what}, not with speech", words, hint)


def shape_of(body: bytes) -> str:
    """Return the names in a JSON reply, for people who wonder what it is; empty if it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    return ", ".join(f'"{name}"' for name in list(found)[:8])


def beginning(pieces: Iterator[bytes], limit_bytes: int) -> bytes:
    """Read ``limit_bytes`` of a message, about, with what kept the rest from coming as its last
    words."""
    found = bytearray()
    try:
        for piece in pieces:
            found += piece
            if len(found) > limit_bytes:
                break
    except EndpointError as error:
        found += f" ({error})".encode()
    return bytes(found)
