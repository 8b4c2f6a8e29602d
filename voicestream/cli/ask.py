"""``ask``: a language model's answer, spoken while it is being written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from voicestream.cli.options import SayCall
from voicestream.cli.say import say
from voicestream.settings.table import Settings

if TYPE_CHECKING:
    from voicestream.session.script import Script


def ask(call: SayCall) -> int:
    """Ask ``call.text`` (or stdin), speak the answer; return the exit code."""
    return say(call, _answer, _pieces)


def _answer(call: SayCall, settings: Settings) -> Script:
    from voicestream.session.answers import answer_script, ask_early, question_of

    question = question_of(settings, _asked(call), call.system)
    return answer_script(
        settings, question, ask_early(settings, question), by_sentence=bool(call.subtitles)
    )


def _pieces(call: SayCall, settings: Settings) -> Iterator[str]:
    """Yield the answer as it is written."""
    from voicestream.session.answers import answer_pieces, ask_early, question_of

    question = question_of(settings, _asked(call), call.system)
    yield from answer_pieces(settings, question, ask_early(settings, question))


def _asked(call: SayCall) -> str:
    text = call.text or ""
    if call.text == "-" or (call.text is None and sys.stdin and not sys.stdin.isatty()):
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    return text.encode("utf-8", "replace").decode()  # arguments that are not UTF-8
