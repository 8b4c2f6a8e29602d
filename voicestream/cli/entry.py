"""The first thing that runs: the quick way for ``say``, the command-line library for the rest."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from voicestream.cli.report import EXIT_BROKEN_PIPE, report
from voicestream.cli.system_limits import shortage
from voicestream.cli.typed import as_command, help_asked
from voicestream.cli.verbs import VERBS, run_verb
from voicestream.errors import SaveError, UsageError


def run(arguments: Sequence[str]) -> int:
    """Carry out the command line; return its exit code."""
    try:
        code = _run(arguments)
    except (MemoryError, RuntimeError, OSError) as error:
        told = shortage(error)
        if told is None:
            raise
        code = report(told)
    try:
        if sys.stdout is not None:  # closed before we began
            sys.stdout.flush()
    except BrokenPipeError:
        return code or EXIT_BROKEN_PIPE
    except OSError as error:
        failure = SaveError("the output cannot be written", error.strerror or str(error))
        return code or report(failure)
    return code


def _run(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["_complete"]:
        from voicestream.cli.complete import run_complete

        return run_complete(arguments[1:])
    if arguments[:1] == ["_agent"]:
        from voicestream.cli.hook import run_speaker

        return run_speaker(arguments[1], arguments[2:])
    if arguments[:1] == ["_spare"] and sys.platform != "win32":
        from voicestream.cli.engine.command import run_spare

        run_spare(arguments[1:])
    try:
        arguments = as_command(arguments, _terminal_in())
    except UsageError as error:
        return report(error)
    if help_asked(arguments):
        from voicestream.cli.help import flag_help

        return flag_help(arguments)
    if arguments[0] in VERBS:
        return run_verb(arguments)
    if arguments[0] == "help":
        from voicestream.cli.lookup import run_help

        return run_help(arguments[1:])
    from voicestream.cli.options import make_sound, quick_say

    call = quick_say(arguments)
    if call is not None:
        return make_sound(arguments[0], call)
    from voicestream.cli.app import run_app

    return run_app(list(arguments))


def _terminal_in() -> bool:
    """Return whether nothing can be read from stdin but what a person types."""
    return sys.stdin is None or sys.stdin.isatty()
