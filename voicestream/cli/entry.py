"""The first thing that runs: the quick way for ``say``, the command-line library for the rest."""

from __future__ import annotations

import os
from collections.abc import Sequence

from voicestream.cli.options import quick_say


def run(arguments: Sequence[str]) -> int:
    """Carry out the command line; return its exit code."""
    call = None if "_VOICESTREAM_COMPLETE" in os.environ else quick_say(arguments)
    if call is not None:
        from voicestream.cli.say import say

        return say(call)
    from voicestream.cli.app import run_app

    return run_app(list(arguments))
