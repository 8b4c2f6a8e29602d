"""What models write for machines: reasoning, tool calls, the marks of their chat templates.

Each function takes ``(text, at, stop, known)`` as the inline constructs do.
"""

from __future__ import annotations

import re

from voicestream.patterns import lazy_pattern
from voicestream.text.found import NOTHING, Found

HIDDEN = frozenset(
    (
        "think thinking thought thoughts reasoning reflection scratchpad analysis antthinking "
        "antml:thinking seed:think tool_call tool_calls tool_use tool_result tool_response "
        "function_call function_calls function_results antml:function_calls minimax:tool_call "
        "seed:tool_call invoke system-reminder script style"
    ).split()
)
"""Tags whose content is not for the listener."""
TOKENS = frozenset("eos bos pad unk eot eod end_of_turn start_of_turn end_of_utterance".split())
"""Marks of chat templates that look like tags."""

_SPECIAL = lazy_pattern(r"<[|｜]([^|｜<>\s]{1,40})[|｜]>")
_SPECIAL_BEGUN = lazy_pattern(r"<(?:[|｜](?:[^|｜<>\s]{0,40}[|｜]?)?)?\Z")
_ROLE = lazy_pattern(r"(?:system|developer|user|assistant|model|tool)(?=[\n<])")
_ROLE_BEGUN = lazy_pattern(r"[a-z]{0,9}\Z")
_ROLE_OPENERS = frozenset(("start", "im_start", "start_header_id", "start_of_role"))
# github.com/openai/harmony: a channel, whom it is for, and the message.
_HEADER = lazy_pattern(r"([^<\n]{0,120}(?:<\|constrain\|>[^<\n]{0,40})?)<\|message\|>")
_HEADER_BEGUN = lazy_pattern(
    r"[^<\n]{0,120}(?:<(?:\|[a-z]{0,10}(?:\|(?:>[^<\n]{0,40}(?:<(?:\|[a-z]{0,8}\|?)?)?)?)?)?)?\Z"
)
_MESSAGE_END = r"<\|(?:end|call|return)\|>|(?=<\|(?:start|channel)\|>)"
_FRAMED = lazy_pattern(r"◁/?([a-z_]{1,30})▷")
_FRAMED_BEGUN = lazy_pattern(r"◁/?[a-z_]{0,30}\Z")
_INNER = ("think", "thought", "tool", "reason")


def special_token(text: str, at: int, stop: int, known: bool) -> Found | None:
    """``<|im_end|>`` -> nothing; what some of them open is hidden."""
    token = _SPECIAL.match(text, at, stop)
    if token is None:
        return None if not known and _SPECIAL_BEGUN.match(text, at, stop) else NOTHING
    name, end = token[1].lower(), token.end()
    if name in _ROLE_OPENERS:
        return role(text, end, stop, known)
    if name == "channel":
        return _channel(text, end, stop, known)
    if name == "python_tag":
        return Found(end, "", "skip", r"(?=\n|<\|)")
    if any(part in name for part in _INNER):
        for begin, finish in (("begin", "end"), ("start", "end")):
            if begin in name:
                closing = re.escape(token[0].lower()).replace(begin, finish)
                return Found(end, "", "hide", f"(?i:{closing})")
        if name in HIDDEN:
            return Found(end, "", "hide", rf"<\|/{re.escape(name)}\|>")
    return Found(end, "", "gone")


def role(text: str, end: int, stop: int, known: bool) -> Found | None:
    """Return a mark that ended at ``end``, and the role that it names."""
    if not known and _ROLE_BEGUN.match(text, end, stop):
        return None
    named = _ROLE.match(text, end, stop)
    return Found(named.end() if named else end, "", "gone")


def _channel(text: str, end: int, stop: int, known: bool) -> Found | None:
    header = _HEADER.match(text, end, stop)
    if header is None:
        begun = not known and _HEADER_BEGUN.match(text, end, stop)
        return None if begun else Found(end, "", "gone")
    for_listener = header[1].startswith(("final", "commentary")) and "to=" not in header[1]
    if for_listener:
        return Found(header.end(), "", "gone")
    return Found(header.end(), "", "hide", _MESSAGE_END)


def framed(text: str, at: int, stop: int, known: bool, hides: bool) -> Found | None:
    """``◁think▷`` and the other marks of a template that puts them between triangles."""
    mark = _FRAMED.match(text, at, stop)
    if mark is None:
        return None if not known and _FRAMED_BEGUN.match(text, at, stop) else NOTHING
    if hides and mark[1] in HIDDEN:
        return Found(mark.end(), "", "hide", f"◁/{mark[1]}▷")
    return Found(mark.end(), "", "gone")


def bracketed(text: str, at: int, stop: int, line_start: bool) -> Found:
    """``[THINK]`` and the other marks of a template that puts them in brackets."""
    if line_start and text.startswith("[THINK]", at, stop):
        return Found(at + 7, "", "hide", r"\[/THINK\]")
    if text.startswith("[TOOL_CALLS]", at, stop):
        return Found(at + 12, "", "skip", r"(?=\n)")
    for mark in ("[/THINK]", "[INST]", "[/INST]"):
        if text.startswith(mark, at, stop):
            return Found(at + len(mark), "", "gone")
    return NOTHING
