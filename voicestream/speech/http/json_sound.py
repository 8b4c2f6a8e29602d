"""Sound that comes as text inside JSON: base64, or hexadecimal digits, with what is said of it."""

from __future__ import annotations

import binascii
import json
import re
from typing import Any

from voicestream.patterns import lazy_pattern
from voicestream.records import dataclass, replace
from voicestream.speech.http.sniff import shows_sound

SOUND_KEYS = ("audio", "delta", "audio_data", "data")
_MORE_KEYS = ("audio_base64", "audioContent", "audio_content", "b64_json", "base64", "content")
RATE_KEYS = ("sample_rate", "sampling_rate", "rate")
_TYPE_KEYS = ("mimeType", "mime_type", "content_type", "contentType")
_DEPTH = 5
_LEAST_CHARS = 64
"""Shorter texts under these names are messages, or identifiers."""
_BEGINS = re.compile(rb'\s*(?:[\[{"]|data:audio/|[A-Za-z0-9+/=_-]{64})')
_DATA_URL = lazy_pattern(r"data:([\w.+/-]*)[^,]{0,100};base64,", re.I)


@dataclass(frozen=True, slots=True)
class JsonSound:
    """The sound of a JSON reply.

    Attributes:
        content_type: as far as it is told; else empty.
        rate_hz: of raw PCM, if told.
    """

    data: bytes
    content_type: str = ""
    rate_hz: int | None = None


def decoded(text: str) -> bytes:
    """Decode base64, also without its padding, or in the alphabet of URLs.

    Raises:
        ValueError: it is none.
    """
    plain = text.translate({0x2D: "+", 0x5F: "/"}).rstrip("=")
    return binascii.a2b_base64(plain + "=" * (-len(plain) % 4))


def told_rate(fields: dict[str, Any]) -> int | None:
    """Return the sample rate that an object names."""
    for name in RATE_KEYS:
        rate = fields.get(name)
        if isinstance(rate, int) and not isinstance(rate, bool) and rate > 0:
            return rate
    return None


def sound_of(body: bytes) -> JsonSound | None:
    """Return the sound in a whole JSON reply; None if there is none.

    Known: base64 (or hexadecimal digits, or a ``data:`` URL), alone or under any of the names
    in use, in objects in objects, each maybe the only one of a list; or a piece of it in each
    line.
    """
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("data:") or text[:1].isalnum():
        return _sound_in({SOUND_KEYS[0]: text}, 0)
    try:
        found = [json.loads(text)]
    except (ValueError, RecursionError):
        found = _lines(text)
    sounds = [it for value in found if (it := _sound_in({SOUND_KEYS[0]: value}, _DEPTH))]
    return replace(sounds[0], data=b"".join(it.data for it in sounds)) if sounds else None


def _lines(text: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return []


def may_hold_sound(head: bytes) -> bool:
    """Return whether a body that begins like this is no message for people."""
    return _BEGINS.match(head) is not None


def _sound_in(fields: dict[str, Any], depth: int) -> JsonSound | None:
    for name in (*SOUND_KEYS, *_MORE_KEYS):
        text = fields.get(name)
        if not isinstance(text, str) or len(text) < _LEAST_CHARS:
            continue
        kind, url = "", _DATA_URL.match(text)
        if url:
            kind, text = url.group(1), text[url.end() :]
        data = _bytes_of("".join(text.split()))
        if data:
            return JsonSound(data, kind or _told_type(fields), told_rate(fields))
    for inner in fields.values() if depth else ():
        if isinstance(inner, list) and len(inner) == 1:
            inner = inner[0]
        if isinstance(inner, dict) and (sound := _sound_in(inner, depth - 1)):
            return JsonSound(sound.data, sound.content_type, sound.rate_hz or told_rate(fields))
    return None


def _told_type(fields: dict[str, Any]) -> str:
    said = (fields.get(name) for name in _TYPE_KEYS)
    return next((it for it in said if isinstance(it, str) and it.startswith("audio/")), "")


def _bytes_of(text: str) -> bytes:
    if len(text) % 2 == 0 and re.fullmatch(r"[0-9a-fA-F]+", text):
        data = bytes.fromhex(text)  # which is base64, too, but of nothing
        if shows_sound(data):
            return data
    if not re.fullmatch(r"[A-Za-z0-9+/_-]+=*", text):
        return b""
    try:
        return decoded(text)
    except ValueError:
        return b""
