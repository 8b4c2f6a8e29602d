"""What is left to say when an engine's process died in the middle."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from voicestream.cli.options import SayCall, quick_say
from voicestream.cli.report import report, warn
from voicestream.cli.typed import as_command
from voicestream.errors import UsageError, VoicestreamError

if TYPE_CHECKING:
    from voicestream.engine.front import Lost
    from voicestream.session.script import Script
    from voicestream.settings.table import Settings


def speak_rest(arguments: Sequence[str], lost: Lost) -> int | None:
    """Speak what was not heard, nothing twice; where that cannot be, name it.

    Returns:
        The exit code; None: nothing has happened yet, and the call can be made as it is.
    """
    try:
        words = as_command(arguments, sys.stdin is None or sys.stdin.isatty())
    except UsageError as error:
        return report(error)
    call = quick_say(words)
    piped = call is not None and not call.file and call.text in (None, "-")
    rest = lost.text[lost.heard_chars :]
    if not lost.begun and not piped:
        return None
    made = call is None or any((call.output, call.save, call.subtitles, call.trace, call.json))
    if call is None or words[0] != "say" or made or not lost.begun or len(call.file) > 1:
        return report(VoicestreamError("the engine's process ended", _unheard(rest)))
    if not rest.strip() and not piped:
        return 0
    warn("the engine's process ended; speaking on without it")
    return _say_rest(call, rest, piped)


def _unheard(rest: str) -> str:
    return f'not heard: "{" ".join(rest.split())}"' if rest.strip() else "nothing was heard"


def _say_rest(call: SayCall, rest: str, piped: bool) -> int:
    from voicestream.cli.say import say

    def script_of(_call: SayCall, settings: Settings) -> Script:
        from voicestream.session.script import Script

        if not piped:
            return Script(settings, rest)
        streams: list[BinaryIO] = [io.BytesIO(rest.encode("utf-8", "replace"))]
        if sys.stdin is not None:
            streams.append(sys.stdin.buffer)
        return Script.piped(settings, streams, warn)

    return say(call, script_of, None)
