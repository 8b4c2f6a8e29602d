"""``stop``, ``pause``, ``next`` and the like: verbs to whoever speaks."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from voicestream.cli.report import print_text, report, say_line
from voicestream.errors import UsageError, VoicestreamError

VERBS = {
    "stop": "silence whoever speaks; --all: those who wait, too",
    "pause": "fall silent, to go on at the very sample",
    "resume": "go on after a pause",
    "toggle": "pause or go on",
    "next": "go on with the next sentence",
    "back": "say the sentence again, or the one before",
    "tempo": "speak faster or slower: 1.2, +0.1, -0.1",
    "volume": "set the volume: 0.5, +0.1, -0.1",
    "status": "tell who speaks, what, how much of it was heard, and who waits",
}
"""Each verb, and what it does."""

WITH_VALUE = ("tempo", "volume")
TO_ALL = ("stop",)


def run_verb(arguments: Sequence[str]) -> int:
    """Carry out ``voicestream VERB ...``; return the exit code."""
    try:
        return _run(arguments[0], list(arguments[1:]))
    except VoicestreamError as error:
        return report(error)


def _cannot_tell(_verb: str, _value: str | None, _everybody: bool) -> list[dict[str, Any]]:
    raise UsageError("Windows has no control socket", hint="Press Ctrl-C where it speaks.")


def _told_elsewhere() -> list[dict[str, Any]]:
    """What an engine at the end of a forwarded socket answers, where there is one and it spoke."""
    from voicestream.settings.table import load

    path = load({}).engine
    if path.startswith("/") and sys.platform != "win32":
        from voicestream.cli.engine.elsewhere import ask_elsewhere

        answer = ask_elsewhere(path, "stop")
        return [{"who": path, **answer}] if answer.get("stopped") else []
    return []


def _run(verb: str, words: list[str]) -> int:
    if sys.platform != "win32":
        from voicestream.control.client import tell
    else:
        tell = _cannot_tell

    as_json = _taken(words, "--json")
    everybody = verb == "status" or (verb in TO_ALL and _taken(words, "--all"))
    value = words.pop(0) if words and verb in WITH_VALUE else None
    if words or (value is None and verb in WITH_VALUE):
        takes = " takes a value" if verb in WITH_VALUE else " takes nothing more"
        spoken = words and not words[0].startswith("-")  # `voicestream back in a minute`
        told = f" To have the words spoken: voicestream say {verb} ..." if spoken else ""
        raise UsageError(f"{verb}{takes}", hint=f"`voicestream {verb} -h` shows how.{told}")
    answers = tell(verb, value, everybody) or (_told_elsewhere() if verb == "stop" else [])
    if as_json:
        unread = print_text(json.dumps(answers) + "\n")
        if unread:
            return unread
    if not answers:
        if not as_json:
            say_line("voicestream: nothing is being spoken")
        return 1
    failed = [answer for answer in answers if not answer.get("ok")]
    for answer in failed:
        say_line(f"voicestream: {answer.get('error', 'it failed')}")
    if verb == "status" and not as_json:
        known = [answer for answer in answers if answer.get("ok")]
        unread = print_text("".join(_status_line(answer) + "\n" for answer in known))
        if unread:
            return unread
    return 1 if failed else 0


def _taken(words: list[str], flag: str) -> bool:
    """Return whether a flag is among the words, and take it out."""
    found = flag in words
    if found:
        words.remove(flag)
    return found


def _status_line(answer: dict[str, object]) -> str:
    from voicestream.printable import printable

    state = "paused" if answer.get("paused") else str(answer.get("state", ""))
    said = printable(str(answer.get("speaking", "")))
    place = f"{answer.get('heard_chars', 0)}/{answer.get('text_chars', 0)}"
    if not answer.get("text_complete", True):
        place += "+"
    played_s = answer.get("played_s")
    played = f"{played_s:.1f} s" if isinstance(played_s, int | float) else ""
    who = printable(str(answer["who"]))
    return f"{who:>10}  {printable(state):<12} {played:>8}  {printable(place):>9}  {said}"
