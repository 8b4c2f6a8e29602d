"""The first thing that runs: the quick way for ``say``, the command-line library for the rest."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from voicestream.cli.report import EXIT_BROKEN_PIPE, report
from voicestream.cli.verbs import VERBS, run_verb
from voicestream.errors import SaveError


def run(arguments: Sequence[str]) -> int:
    """Carry out the command line; return its exit code."""
    code = _run(arguments)
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
    if arguments and arguments[0] in VERBS and not {"-h", "--help"} & set(arguments):
        return run_verb(arguments)
    from voicestream.cli.options import quick_say

    call = None if "_VOICESTREAM_COMPLETE" in os.environ else quick_say(arguments)
    if call is not None:
        from voicestream.cli.say import say

        return say(call)
    from voicestream.cli.app import run_app

    return run_app(list(arguments))
