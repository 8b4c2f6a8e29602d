"""``ask``: a language model's answer, spoken while it is being written."""

from __future__ import annotations

import sys
from functools import partial

from voicestream.cli.options import SayCall
from voicestream.cli.say import say
from voicestream.session.script import Script
from voicestream.settings.table import Settings


def ask(call: SayCall, system: str) -> int:
    """Ask ``call.text`` (or stdin), speak the answer; return the exit code."""
    return say(call, partial(_answer, system=system))


def _answer(call: SayCall, settings: Settings, system: str) -> Script:
    from voicestream.session.answers import answer_script

    question = call.text or ""
    if call.text == "-" or (call.text is None and sys.stdin and not sys.stdin.isatty()):
        question = sys.stdin.buffer.read().decode("utf-8", "replace")
    question = question.encode("utf-8", "replace").decode()  # arguments that are not UTF-8
    return answer_script(settings, question, system)
