"""Events of a coding agent, in the shapes its documents show, as badly ordered as they may come."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
_STEP_S = 0.05
_THINKS_S = 0.5
"""Between two messages a tool runs, or the model thinks: nothing says which of two came first."""


@dataclass
class Stream:
    """The events of one turn of Claude Code.

    Attributes:
        words: all that is written, each word once.
        events: when each comes, in seconds, and the event; in the order they come.
        whole: nothing of it is lost.
    """

    words: list[str] = field(default_factory=list)
    events: list[tuple[float, Event]] = field(default_factory=list)
    whole: bool = True


def delta(message: str, index: int, text: str, final: bool) -> Event:
    return {
        "hook_event_name": "MessageDisplay",
        "session_id": "s",
        "turn_id": "t",
        "message_id": message,
        "index": index,
        "final": final,
        "delta": text,
    }


def stop(text: str) -> Event:
    return {"hook_event_name": "Stop", "session_id": "s", "last_assistant_message": text}


def random_stream(chance: random.Random, late_s: float = 0.4) -> Stream:
    """A turn of some messages; events late by up to ``late_s``, several times, or never."""
    stream = Stream()
    losing = chance.random() < 0.4
    sent: list[tuple[float, Event]] = []
    text = ""
    for number in range(chance.randint(1, 4)):
        lines = []
        for _ in range(chance.randint(1, 6)):
            words = [f"w{len(stream.words) + n}" for n in range(chance.randint(1, 5))]
            stream.words += words
            lines.append(" ".join(words) + chance.choice(["\n", "\n\n", ".\n"]))
        text = "".join(lines)
        for index, line in enumerate(lines):
            event = delta(f"m{number}", index, line, index == len(lines) - 1)
            lost = losing and chance.random() < 0.2
            stream.whole &= not lost
            copies = 0 if lost else chance.choice([1, 1, 1, 2, 3])
            at_s = len(sent) * _STEP_S + number * _THINKS_S
            sent += [(at_s + chance.random() * late_s, event) for _ in range(copies)]
    for _ in range(chance.choice([0, 1, 1, 2])):
        at_s = len(sent) * _STEP_S + number * _THINKS_S + chance.random() * late_s
        sent.append((at_s, stop(text.strip())))
    stream.events = sorted(sent, key=lambda pair: pair[0])
    return stream
