"""``python -m voicestream`` and the ``voicestream`` command."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _fill_descriptors()
    # Collecting while a hundred modules are loaded finds nothing and costs 10 ms.
    gc.disable()
    try:
        from voicestream.cli.entry import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    _leave(code)


def _fill_descriptors() -> None:
    """Open the null device where stdin, stdout or stderr is closed: a socket or a sound
    card that got descriptor 2 would be written on, or replaced."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)


def _leave(code: int) -> None:
    """End now: threads that wait for a server or a sound card must not hold the process."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # closed before we began
                stream.flush()
        except (OSError, ValueError):
            code = code or 141
    os._exit(code)


if __name__ == "__main__":
    main()
