"""``ask``: a language model's answer, spoken while it is being written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from voicestream.cli.options import SayCall
from voicestream.cli.say import say
from voicestream.settings.table import Settings

if TYPE_CHECKING:
    from voicestream.session.script import Script


def ask(call: SayCall) -> int:
    """Ask ``call.text`` (or stdin), speak the answer; return the exit code."""
    return say(call, _answer)


def _answer(call: SayCall, settings: Settings) -> Script:
    from voicestream.session.answers import answer_script, ask_early, question_of

    text = call.text or ""
    if call.text == "-" or (call.text is None and sys.stdin and not sys.stdin.isatty()):
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    text = text.encode("utf-8", "replace").decode()  # arguments that are not UTF-8
    question = question_of(settings, text, call.system)
    return answer_script(
        settings, question, ask_early(settings, question), by_sentence=bool(call.subtitles)
    )
