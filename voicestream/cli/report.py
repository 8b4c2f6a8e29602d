"""What a person is told: errors, warnings and notices, on stderr, one line each."""

from __future__ import annotations

import os
import sys

from voicestream.errors import VoicestreamError
from voicestream.printable import printable

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def own_stderr() -> None:
    """Give Python's stderr a descriptor of its own.

    While the sound system starts, descriptor 2 leads elsewhere to keep the noise
    of C libraries off the screen; nothing of ours may be lost with it.
    """
    try:
        mine = os.dup(2)
    except OSError:  # closed by whoever started us
        return
    encoding = sys.stderr.encoding if sys.stderr else "utf-8"
    sys.stderr = open(  # noqa: SIM115  lives as long as the process
        mine, "w", buffering=1, encoding=encoding, errors="backslashreplace"
    )


def say_line(text: str) -> None:
    """One line on stderr; nothing of a stranger's text can steer the terminal."""
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
