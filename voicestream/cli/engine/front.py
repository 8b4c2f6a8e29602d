"""Lets the engine carry out a command line, where there is an engine."""

import os
import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

from voicestream.engine.front import Lost, hand_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTENER = 3
"""What an agent's speaker listens on, which whoever started it has made."""
_NOT_SPOKEN = frozenset(
    "back cache completion config devices doctor endpoints engine help hook mcp next pause play "
    "resume serve status stop talk tempo toggle trace voices volume "
    "_complete _spare -h --help --help-all -V --version".split()
)
"""First words of what speaks nothing. A test holds them to the commands."""


def run_in_engine(arguments: "Sequence[str]") -> "int | None":
    """Let the engine carry out a command that speaks.

    stdin, stdout, stderr, the working folder and the environment are this process's; signals are
    passed on. The speaker that a hook starts comes here, too.

    Args:
        arguments: after ``voicestream``, such as ``["say", "--now", "Hello."]``.

    Returns:
        The exit code; None where no engine took it: nothing has happened yet, and whoever calls
        speaks by itself, as if there were no engines.
    """
    if not arguments or arguments[0] in _NOT_SPOKEN:
        return None
    agent = arguments[0] == "_agent"
    ended = hand_over(arguments, os.environ, (_LISTENER,) if agent else ())
    if isinstance(ended, Lost):
        if agent:
            return None  # what was said is kept, and the socket is still ours
        from voicestream.cli.engine.rest import speak_rest

        return speak_rest(arguments, ended)
    return ended
