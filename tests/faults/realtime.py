"""Every fault a Realtime API can have, and what it may do to speech."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults.stage import ONE, TEN, body
from tests.support.realtime_events import Asked, End, Step, speak

Behave = Callable[[Asked], Iterator[Step]]

_REFUSAL = "I'm sorry, but I can't help you with that request today."


def good(asked: Asked, **more: Any) -> Iterator[Step]:
    return speak(asked, body(asked.text, "pcm"), **more)


def in_bytes(asked: Asked) -> Iterator[Step]:
    """The first 2 kB of the sound a byte an event, the rest in odd pieces: a message for each
    byte of a sentence would only show how busy the machine is."""
    pieces = 0
    for delay_s, what in good(asked, piece_bytes=97):
        if not isinstance(what, dict) or not _is_sound(what) or pieces == 20:
            yield delay_s, what
            continue
        pieces += 1
        for byte in base64.b64decode(what["delta"]):
            yield delay_s, {**what, "delta": base64.b64encode(bytes([byte])).decode()}


def _first(asked: Asked, share: float) -> list[Step]:
    """The steps up to a share of the sound."""
    steps = list(good(asked, piece_bytes=999))
    sounds = [place for place, (_, what) in enumerate(steps) if _is_sound(what)]
    return steps[: sounds[round(share * (len(sounds) - 1))]]


def _is_sound(what: object) -> bool:
    return isinstance(what, dict) and what["type"] == "response.output_audio.delta"


def ends(how: End, share: float) -> Behave:
    return lambda asked: iter([*_first(asked, share), (0.02, how)])


def ends_at_once(how: End) -> Behave:
    return lambda _: iter([(0.0, how)])


def sends(data: dict[str, Any] | bytes, share: float = 0.5) -> Behave:
    def behave(asked: Asked) -> Iterator[Step]:
        named = {**data, "response_id": asked.response_id} if isinstance(data, dict) else data
        return iter([*_first(asked, share), (0.0, named), (0.0, "stall")])

    return behave


def over(status: str, reason: str = "", **error: str) -> Behave:
    def behave(asked: Asked) -> Iterator[Step]:
        *_, last = good(asked, status=status, reason=reason, error=error or None)
        return iter([*_first(asked, 0.6), last])

    return behave


def failed_at_once(**error: str) -> Behave:
    return lambda asked: speak(asked, b"", status="failed", error=error)


def strays(asked: Asked) -> Iterator[Step]:
    """Events that are unknown, of others, too late, or out of order."""
    delta = {"type": "response.output_audio.delta", "delta": base64.b64encode(b"x" * 99).decode()}
    first, *rest = good(asked, piece_bytes=999)
    yield from rest[:7]
    yield first
    for wait_s, what in rest[7:]:
        yield 0.0, {"type": "response.telepathy.delta", "response_id": asked.response_id}
        yield 0.0, {**delta, "response_id": "resp_of_nobody"}
        yield wait_s, what
    yield 0.0, {**delta, "response_id": asked.response_id}


def else_said(asked: Asked) -> Iterator[Step]:
    return speak(asked, b"\x01" * 4800, words=_REFUSAL)


def once(bad: Behave) -> Behave:
    return lambda asked: bad(asked) if asked.attempt == 1 else good(asked)


def twice(first: Behave, second: Behave) -> Behave:
    by_attempt = {1: first, 2: second}
    return lambda asked: by_attempt.get(asked.attempt, good)(asked)


BAD_DELTA = {"type": "response.output_audio.delta", "delta": "%%%"}

MENDED: dict[str, Behave] = {
    "nothing": good,
    "closed without a word": once(ends_at_once("close")),
    "reset without a word": once(ends_at_once("reset")),
    "silent": once(ends_at_once("stall")),
    "slow to begin": lambda asked: good(asked, delay_s=0.3),
    "closed in the middle": once(ends("close", 0.5)),
    "reset in the middle": once(ends("reset", 0.5)),
    "silent in the middle": once(ends("stall", 0.5)),
    "the session ends": once(ends("expire", 0.7)),
    "cut twice": twice(ends("close", 0.3), ends("reset", 0.7)),
    "no base64": once(sends(BAD_DELTA)),
    "closed with a reason": once(sends(b"\x88\x0c\x03\xf3try again.")),
    "cancelled by the server": once(over("cancelled", "turn_detected")),
    "failed in the middle": once(over("failed", code="server_error", message="Oh.")),
    "failed at once": once(failed_at_once(code="server_error", message="Oh.")),
    "too many requests": once(failed_at_once(code="rate_limit_exceeded", message="Slow.")),
    "no event": once(sends(b"\x81\x05[1,2]")),
    "no frame": once(sends(b"\xff\xff\xff\xff")),
    "strays and disorder": strays,
    "transcript late": lambda asked: good(asked, words_late=True),
    "pieces of one byte": in_bytes,
    "a refusal": once(else_said),
}
"""All is heard, to the sample."""

NAMED: dict[str, Behave] = {
    "always closed": ends_at_once("close"),
    "always cut": ends("close", 0.5),
    "always no base64": sends(BAD_DELTA),
    "filtered": over("incomplete", "content_filter"),
    "no sound": lambda asked: speak(asked, b""),
}
"""One sentence cannot be had; it is named, and what came of it is heard."""


@dataclass(frozen=True)
class Cell:
    """One fault and text."""

    fault: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.fault}-{'one' if self.text == ONE else 'ten'}"

    @property
    def is_named(self) -> bool:
        return self.fault in NAMED

    def hits(self, text: str) -> bool:
        """Of one sentence, it; of ten, some that come when others are playing."""
        words = ("Delta",) if self.is_named else ("Alpha", "Charlie", "Foxtrot", "Juliet")
        return self.text == ONE or text.startswith(words)

    def behave(self, asked: Asked) -> Iterator[Step]:
        if not self.hits(asked.text):
            return good(asked)
        return (MENDED | NAMED)[self.fault](asked)


CELLS = [Cell(fault, text) for fault in MENDED | NAMED for text in (ONE, TEN)]
