"""What the hook events of coding agents say: one table, one adapter a kind of event.

An adapter makes of an event what the session's speaker is told (:mod:`voicestream.agents.speaker`):
an object whose ``do`` is

    delta    the lines ``text``, the ``index``-th of ``message``; ``final``: its last
    whole    all of a turn's last message, in ``text`` or, where that is None, in ``transcript``
    prompt   the user has said something: what was said before is of no interest any more
    note     ``text`` is for the user, now
    end      the session is over

and whose ``sub`` is true where a sub-agent says it.

Sources, as of November 2026: code.claude.com/docs/en/hooks (``MessageDisplay``, ``Stop``,
``SubagentStop``, ``UserPromptSubmit``, ``Notification``, ``SessionEnd``, and ``agent_id``, which
only events of sub-agents have); developers.openai.com/codex/hooks (``Stop``, ``SubagentStop``,
``UserPromptSubmit``, ``PermissionRequest``) and the ``notify`` program of Codex's configuration
(``agent-turn-complete``); geminicli.com/docs/hooks/reference (``BeforeAgent``, ``AfterAgent``,
``Notification``, ``SessionEnd``).

Loaded by each hook, whose time is the user's time: it imports nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Event = dict[str, Any]
    Told = dict[str, Any]


def _text(event: Event, *names: str) -> str | None:
    """Return the first of these fields that is a text."""
    found = (event.get(name) for name in names)
    return next((value for value in found if isinstance(value, str)), None)


def _delta(event: Event) -> Told | None:
    text, index = _text(event, "delta"), event.get("index")
    if text is None:
        return None
    return {
        "do": "delta",
        "message": _text(event, "message_id", "turn_id") or "",
        "index": index if type(index) is int and index >= 0 else None,
        "final": event.get("final") is True,
        "text": text,
    }


def _whole(event: Event) -> Told | None:
    text = _text(event, "last_assistant_message", "last-assistant-message", "prompt_response")
    return {
        "do": "whole",
        "text": text,
        "turn": _text(event, "turn_id", "turn-id") or "",
        "transcript": _text(event, "transcript_path"),
    }


def _sub_whole(event: Event) -> Told | None:
    text = _text(event, "last_assistant_message")
    path = _text(event, "agent_transcript_path")
    return {"do": "whole", "text": text, "transcript": path, "sub": True}


def _prompt(_event: Event) -> Told | None:
    return {"do": "prompt"}


def _note(event: Event) -> Told | None:
    text = _text(event, "message")
    return {"do": "note", "text": text} if text else None


def _permission(event: Event) -> Told | None:
    given = event.get("tool_input")
    what = _text(given, "description") if isinstance(given, dict) else None
    return {"do": "note", "text": f"May I? {what or _text(event, 'tool_name') or ''}"}


def _end(_event: Event) -> Told | None:
    return {"do": "end"}


ADAPTERS: dict[str, Callable[[Event], Told | None]] = {
    "MessageDisplay": _delta,
    "Stop": _whole,
    "SubagentStop": _sub_whole,
    "UserPromptSubmit": _prompt,
    "Notification": _note,
    "PermissionRequest": _permission,
    "SessionEnd": _end,
    "BeforeAgent": _prompt,
    "AfterAgent": _whole,
    "agent-turn-complete": _whole,
}
"""The name of an event -> what it says."""


def name_of(event: Event) -> str:
    """Return the name of an event; empty: it has none."""
    return _text(event, "hook_event_name", "type") or ""


def session_of(event: Event) -> str:
    """Return the agent's name for the session that an event belongs to."""
    return _text(event, "session_id", "thread-id") or ""


def told_by(event: Event) -> Told | None:
    """Return what the session's speaker is to be told; None: nothing."""
    adapter = ADAPTERS.get(name_of(event))
    told = adapter(event) if adapter is not None else None
    if told is not None and event.get("agent_id"):
        told["sub"] = True
    return told
