"""``python -m voicestream`` and the ``voicestream`` command."""

from __future__ import annotations

import sys

if __spec__ is not None and __name__ == "__main__" and not sys.flags.safe_path:
    # `python -m` puts the working folder first: a json.py in it would be ours from here on
    del sys.path[0]

import _signal  # type: ignore[import-not-found]  # is there already; `signal` takes its time
import gc
import os


def _interrupted(_number: int, _frame: object) -> None:
    """Ctrl-C until a command takes it over: an exception could end up in any import."""
    os._exit(130)


if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _interrupted)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _fill_descriptors()
    # Collecting while a hundred modules are loaded finds nothing and costs 10 ms.
    gc.disable()
    if _is_hook_event(sys.argv[1:]):
        if sys.platform != "win32":  # whose Python has no Unix sockets
            from voicestream.agents.deliver import deliver

            deliver(sys.argv[2:])
        _leave(0)
    code = None
    if sys.platform != "win32":
        from voicestream.cli.engine.front import run_in_engine

        code = run_in_engine(sys.argv[1:])
    if code is None:
        from voicestream.cli.entry import run

        code = run(sys.argv[1:])
    _leave(code)


def _is_hook_event(arguments: list[str]) -> bool:
    """Return whether an agent calls, which waits for us: not even the command line is loaded for
    it."""
    if arguments[:1] != ["hook"] or not {"-h", "--help", "--help-all"}.isdisjoint(arguments):
        return False
    if len(arguments) == 1:
        return not os.isatty(0)
    return arguments[-1].startswith("{") or (arguments[1].startswith("--") and not os.isatty(0))


def _fill_descriptors() -> None:
    """Open the null device where stdin, stdout or stderr is closed: a socket or a sound
    card that got descriptor 2 would be written on, or replaced."""
    try:
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(number)
    except OSError:
        return  # no descriptor to spare: what cannot work tells


def _leave(code: int) -> None:
    """End now: threads that wait for a server or a sound card must not hold the process."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # closed before we began
                stream.flush()
        except (OSError, ValueError):
            if stream is sys.stdout:  # what stderr was to tell, the exit code tells
                code = code or 141
    os._exit(code)


if __name__ == "__main__":
    main()
