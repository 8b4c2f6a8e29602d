"""The front of a speech that an engine makes: terminal, signals and exit code stay here.

The engine's spare process gets stdin, stdout and stderr themselves, the working folder and the
environment, and is from then on the very ``say`` that would have run here. What is left to do:
pass signals on, and die as it does. Whoever dies first takes the other along.

Nothing is imported that Python has not loaded to start: this is the way to the first sound.
"""

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import _signal  # type: ignore[import-not-found]  # what `signal` and `socket` wrap takes no time
import _socket
import os
import time
from _json import encode_basestring_ascii as _quoted

from voicestream.engine.place import MOST_BYTES, engine_folder, greeting, is_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_HELLO_S = 0.1
"""An engine that has not greeted by then hangs, or has more to do than it can."""
_HELLO_BYTES = 4096
_PATIENCE_S = 4.0
"""How long the speech may take to end after a signal; the engine's side takes 3 s."""
_PASSED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGTSTP", "SIGWINCH")
_ENDING = frozenset(int(getattr(_signal, name)) for name in _PASSED[:3])
_SHOW = b"\x1b[?25h\x1b[?7h"
"""Cursor visible, lines wrap."""


class Lost:
    """The engine's process ended in the middle.

    Args:
        text: what it had of the text, as it was to be spoken.
        heard_chars: how much of that was heard, to the last whole word.
        begun: it had begun to read the text.
    """

    def __init__(self, text: str, heard_chars: int, begun: bool) -> None:
        self.text = text
        self.heard_chars = heard_chars
        self.begun = begun


def hand_over(
    arguments: "Sequence[str]", environ: "Mapping[str, str]", more: "tuple[int, ...]" = ()
) -> "int | Lost | None":
    """Let the engine carry out a command line, if there is one that can.

    Args:
        arguments: after ``voicestream``.
        environ: this process's.
        more: descriptors that it needs besides the first three.

    Returns:
        The exit code; None where no engine took it, and nothing has happened; ``Lost`` where it
        died in the middle.
    """
    if environ.get("VOICESTREAM_ENGINE", ""):
        return None  # off, or an engine elsewhere, which is asked in another way
    found = _greeted(environ)
    if found is None:
        return None
    line, pid = found
    try:
        call = _call(arguments, environ)
        if len(call) > MOST_BYTES:
            line.close()
            return None
        descriptors = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2, *more))
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)]
        call = len(call).to_bytes(4, "big") + call
        sent = line.sendmsg([call], rights)
        line.sendall(call[sent:])
        line.settimeout(None)
    except OSError:
        line.close()  # before its last byte nothing is done with a call
        return None
    return _Front(line, pid).follow()


def _greeted(environ: "Mapping[str, str]") -> "tuple[_socket.socket, int] | None":
    """A connection to the engine, and the process that will speak; None: there is none."""
    folder = engine_folder(environ)
    if not is_private(folder):
        return None
    try:
        line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    except OSError:
        return None
    try:
        line.settimeout(_HELLO_S)
        line.connect(f"{folder}/local.sock")
        expected = greeting() + b" "
        hello = line.recv(_HELLO_BYTES)
        if hello.startswith(expected) and hello.endswith(b"\n"):
            return line, int(hello[len(expected) :])
    except (OSError, ValueError):
        pass  # it hangs, has just ended, or has enough to do
    line.close()
    return None


def _call(arguments: "Sequence[str]", environ: "Mapping[str, str]") -> bytes:
    """Return what the engine needs to take the place of this process.

    Raises:
        OSError: the working folder is gone.
    """
    mask = os.umask(0o077)
    os.umask(mask)
    streams = (
        [stream.encoding, stream.errors or "strict"] if stream is not None else []
        for stream in (sys.stdin, sys.stdout, sys.stderr)
    )
    pairs = [text for pair in environ.items() for text in pair]
    fields = {
        "arguments": _array(arguments),
        "program": _quoted(sys.argv[0]),
        "folder": _quoted(os.getcwd()),
        "environ": _array(pairs),
        "umask": str(mask),
        "groups": str([os.getegid(), *os.getgroups()]),
        "start_s": repr(time.monotonic() - time.process_time()),
        "streams": f"[{','.join(map(_array, streams))}]",
        "foreground": "true" if in_foreground() else "false",
    }
    return f"{{{','.join(f'{_quoted(name)}:{held}' for name, held in fields.items())}}}".encode()


def _array(texts: "Sequence[str]") -> str:
    return f"[{','.join(map(_quoted, texts))}]"


def in_foreground() -> bool:
    """Return whether this process is in the terminal's foreground; True where there is none."""
    for descriptor in (2, 0):
        try:
            return os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:
            continue
    return True


class _Front:
    """Follows what the engine's process does with a call."""

    def __init__(self, line: "_socket.socket", pid: int) -> None:
        self._line = line
        self._pid = pid
        self._before: dict[int, Any] = {}
        self._ending = 0
        self._restore: list[Callable[[], None]] = []
        self._text: list[str] = []
        self._heard_chars = 0
        self._begun = False

    def follow(self) -> "int | Lost | None":
        """Wait until the call has ended; return what ``hand_over`` returns."""
        self._install()
        try:
            self._note_terminal()
            return self._read()
        finally:
            self._line.close()
            for number, handler in self._before.items():
                _signal.signal(number, handler)

    def _read(self) -> "int | Lost | None":
        waiting = b""
        while True:
            try:
                data = self._line.recv(65536)
            except OSError:
                data = b""
            if not data:
                return self._died()
            *lines, waiting = (waiting + data).split(b"\n")
            for line in lines:
                ended, code = self._obey(line)
                if ended:
                    return code

    def _obey(self, line: bytes) -> "tuple[bool, int | None]":
        """Do what a message says; return whether it was the last one, and the exit code."""
        import json

        message = json.loads(line)
        if "exit" in message:
            return True, int(message["exit"])
        if "declined" in message:
            return True, None
        if "stopped" in message:
            self._stop()
        if "begins" in message:  # the next file of several
            self._begun = True
            self._text, self._heard_chars = [], 0
        self._text.append(message.get("text", ""))
        self._heard_chars = message.get("heard", self._heard_chars)
        return False, None

    def _died(self) -> "int | Lost":
        """Return what ``follow`` returns where the connection ended without an exit code."""
        for restore in self._restore:
            restore()
        if self._ending:
            return 128 + self._ending
        return Lost("".join(self._text), self._heard_chars, self._begun)

    # signals

    def _install(self) -> None:
        for name in (*_PASSED, "SIGCONT", "SIGALRM"):
            number = int(getattr(_signal, name))
            before = _signal.getsignal(number)
            if before != _signal.SIG_IGN:  # nohup, a shell without job control
                self._before[number] = before
                other = {"SIGALRM": self._give_up, "SIGCONT": self._go_on}
                _signal.signal(number, other.get(name, self._pass_on))

    def _pass_on(self, number: int, _frame: object) -> None:
        if number in _ENDING:
            self._ending = self._ending or number
            _signal.setitimer(_signal.ITIMER_REAL, _PATIENCE_S)
        self._kill(number)

    def _kill(self, number: int) -> None:
        try:
            os.kill(self._pid, number)
        except OSError:
            return  # it has ended, which is seen where it is listened to

    def _give_up(self, _number: int, _frame: object) -> None:
        """End with a speech that did not end when it was told to; a handler of SIGALRM."""
        self._died()
        self._kill(int(_signal.SIGKILL))
        os._exit(128 + self._ending)

    def _stop(self) -> None:
        """Stop this process, as Ctrl-Z asked: the speech is stopped by now. Both go on together."""
        number = int(_signal.SIGTSTP)
        if number in self._before:
            _signal.signal(number, _signal.SIG_DFL)
            _signal.raise_signal(number)
            _signal.signal(number, self._pass_on)
        self._go_on()

    def _go_on(self, _number: int = 0, _frame: object = None) -> None:
        """Tell the speech to go on, after ``fg`` or ``bg``, and whose the terminal is now."""
        self._kill(int(_signal.SIGCONT))
        told = b'{"foreground":true}\n' if in_foreground() else b'{"foreground":false}\n'
        try:
            self._line.sendall(told)
        except OSError:
            return  # it has ended, which is seen where it is listened to

    def _note_terminal(self) -> None:
        """Note the terminal's modes, in case the engine dies before it restores them."""
        if not (os.isatty(0) or os.isatty(2)):
            return
        import termios

        number = 0 if os.isatty(0) else 2
        try:
            modes = termios.tcgetattr(number)
        except termios.error:  # it was hung up just now
            return

        def restore() -> None:
            try:
                termios.tcsetattr(number, termios.TCSANOW, modes)
                os.write(number, _SHOW)
            except (OSError, termios.error):
                return  # the terminal is gone

        self._restore.append(restore)
