"""Server-sent events: the same events and the same sound however the bytes are cut."""

from __future__ import annotations

from collections.abc import Iterable

from tests.fuzz.pieces import cut, options_of
from tests.fuzz.texts import is_harmless
from voicestream.errors import ReplyError
from voicestream.speech.http.sse import EventParser, SpeechEvents


def spoken(pieces: Iterable[bytes]) -> tuple[bytes, str, SpeechEvents]:
    """The sound, and the error that ended it if one did."""
    events = SpeechEvents()
    sound = bytearray()
    try:
        for piece in pieces:
            for part in events.feed(piece):
                sound += part
    except ReplyError as error:
        return bytes(sound), str(error), events
    return bytes(sound), "", events


def check_sse(data: bytes) -> None:
    """The first byte tells how it is cut."""
    (seed,), body = options_of(data, 1)
    whole, parts = EventParser(), EventParser()
    told = whole.feed(body)
    assert told == [event for piece in cut(body, seed) for event in parts.feed(piece)]
    assert sum(len(event.data) for event in told) <= len(body)
    sound, error, events = spoken([body])
    again, other_error, others = spoken(cut(body, seed))
    assert (sound, error) == (again, other_error)
    assert (events.content_type, events.rate_hz) == (others.content_type, others.rate_hz)
    assert len(sound) <= len(body)
    assert len(error) < 1000
    assert is_harmless(error)
    assert "\n" not in error
