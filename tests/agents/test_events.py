"""What is made of the events in the documents of each agent."""

from __future__ import annotations

import json

import pytest

from tests.support.agents import RECORDED
from voicestream.agents.events import session_of, told_by
from voicestream.agents.ordering import Ordering


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        (
            "codex",  # whose `notify` brings once more what its hook has brought
            "May I? Build it to see whether it compiles. Renamed it. The build succeeds.",
        ),
        ("gemini", "Tool wants to read a file It is a parser. It has one bug."),
    ],
)
def test_each_agent_is_understood(name: str, spoken: str) -> None:
    ordering, pieces = Ordering(), []
    rows = [json.loads(line) for line in (RECORDED / f"{name}.jsonl").read_text().splitlines()]
    assert len({session_of(row["event"]) for row in rows}) == 1
    for row in rows:
        told = told_by(row["event"]) or {"do": "nothing"}
        if told["do"] == "prompt":
            ordering.prompt()
        elif told["do"] == "note":
            pieces += ordering.note(told["text"])
        elif told["do"] == "whole":
            pieces += ordering.whole(told["text"], told["turn"], row["at_s"])
    assert " ".join("".join(pieces).split()) == spoken


def test_what_a_sub_agent_says_is_marked() -> None:
    event = {"hook_event_name": "MessageDisplay", "delta": "x", "agent_id": "a"}
    assert (told_by(event) or {})["sub"] is True
