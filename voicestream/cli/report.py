"""What a person is told: errors, warnings and notices, on stderr, one line each."""

from __future__ import annotations

import sys

from voicestream.errors import VoicestreamError
from voicestream.printable import printable

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def say_line(text: str) -> None:
    """One line on stderr; nothing of a stranger's text can steer the terminal."""
    if sys.stderr is None:  # closed before we began
        return
    try:
        sys.stderr.write(" ".join(printable(text).split()) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # nobody reads it; the exit code still tells


def report(error: VoicestreamError) -> int:
    """Tell of an error; return the exit code it has."""
    say_line(f"voicestream: {error}")
    return error.exit_code


def warn(text: str) -> None:
    say_line(f"voicestream: warning: {text}")


def notice(text: str) -> None:
    say_line(text)
