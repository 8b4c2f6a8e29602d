"""The engine itself: has everything loaded, and one process forked ahead for the next call.

It has one thread, so that nothing is lost in a fork, and does nothing with what callers say:
that is the spare's business. So it cannot be confused, and never holds a key.
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # which has no fork(2)

import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence

from voicestream.control.lines import Message, encoded
from voicestream.engine.forked import Forked, Loader, code_stamp, listening
from voicestream.engine.locked import Lock
from voicestream.engine.place import VERSION, forwarded_path
from voicestream.engine.spare import Carry, Spare

MOST_CALLERS = 64
"""Speeches at a time; who comes then speaks by itself."""
MOST_FORWARDED = 8
"""Most of them for callers from elsewhere, who can be anybody."""
_SETTLE_S = 0.2
"""How much later the next spare is made, unless a caller waits: the one before is busy with its
call."""
_LOOK_S = 5.0
"""How often the engine looks whether it is still wanted."""
_SOON_S = 1.0
_MOST_FAILURES = 5


class _Ended(BaseException):
    """A signal ended the engine."""


class Engine:
    """Listens in a folder, until it is told to end, or the folder goes.

    Args:
        folder: made if it is not there; nobody else's engine may run in it.
        loader: loads what is to be there.
        carry: what a spare does with its call.
        linger_s: ends when nobody has called for so long; 0: never.
        spawn: the command of a spare, for the numbers of its three sockets (-1: it has none for
            callers from elsewhere); None: it is forked.

    Raises:
        UsageError: an engine runs there already.
        OSError: the folder cannot be used.
    """

    def __init__(
        self,
        folder: str,
        loader: Loader,
        carry: Carry,
        linger_s: float = 0.0,
        spawn: Callable[[int, int, int], Sequence[str]] | None = None,
    ) -> None:
        self._loader = loader
        self._carry = carry
        self._linger_s = linger_s
        self._spawn = spawn
        self._lock = Lock(folder)
        self._path = f"{folder}/local.sock"
        self._forwarded_path = forwarded_path(folder)
        self._spare: Forked | None = None
        self._busy: list[Forked] = []
        self._called_s = time.monotonic()
        self._calls = 0
        self._failures = 0
        self._wants_voice = False
        self._place: Message | None = None
        self._code = code_stamp()

    def run(self) -> int:
        """Load, listen and serve; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _end)
        try:
            self._loader.load()
            self._listen()
            self._make_spare()
            self._tell_state()
            while self._wanted():
                self._turn()
        except _Ended:
            pass
        finally:
            self._close()
        return 0 if self._failures < _MOST_FAILURES else 1

    def _listen(self) -> None:
        os.makedirs(os.path.dirname(self._forwarded_path), mode=0o700, exist_ok=True)
        self._forwarded = listening(self._forwarded_path)
        self._listener = listening(self._path)
        self._inode = os.stat(self._path).st_ino

    def _wanted(self) -> bool:
        """Return whether to go on: the folder is there, somebody has called lately, spares live."""
        if self._failures >= _MOST_FAILURES:
            return False
        try:
            there = os.stat(self._path).st_ino == self._inode
        except OSError:
            return False
        idle_s = time.monotonic() - self._called_s
        return there and not (self._linger_s and not self._busy and idle_s > self._linger_s)

    def _turn(self) -> None:
        """Wait for what happens next, and see to it."""
        settled = time.monotonic() - self._called_s > _SETTLE_S
        room = self._spare is None and len(self._busy) < MOST_CALLERS
        if room and settled:
            self._make_spare()
            room = False
        children = [*self._busy, *filter(None, [self._spare])]
        waited: list[Forked | socket.socket] = [*children]
        if room:
            waited.append(self._listener)
        look_s = min(_LOOK_S, self._linger_s or _LOOK_S)
        ready, _, _ = select.select(waited, [], [], _SETTLE_S if room else look_s)
        for child in children:
            if child in ready:
                self._hear(child)
        if self._listener in ready and self._spare is None:
            self._make_spare()
        if self._spare is not None and self._spare.elsewhere is not self._hears_elsewhere():
            self._drop_spare()  # the next one has an ear for callers from elsewhere again
        self._bury()
        if self._wants_voice and not self._loader.voice:
            self._loader.load_voice()
            self._drop_spare()
            self._tell_state()
        if not self._busy and code_stamp() != self._code:
            self._restart()

    def _hear(self, child: Forked) -> None:
        try:
            data = child.line.recv(65536)
            messages = child.lines.feed(data)
        except (OSError, ValueError):
            data, messages = b"", []
        for message in messages:
            self._note(child, message)
        if not data:
            child.line.close()
            if child is self._spare:  # it died without a call
                self._spare = None
                self._failures += time.monotonic() - child.since_s < _SOON_S
            else:
                self._busy.remove(child)
                self._called_s = time.monotonic()
                self._tell_state()

    def _note(self, child: Forked, message: Message) -> None:
        if message.get("taken") and child is self._spare:
            self._spare, self._failures = None, 0
            child.elsewhere = bool(message.get("forwarded"))
            self._busy.append(child)
            self._calls += 1
            self._called_s = time.monotonic()
            self._tell_state()
        elif message.get("asks"):
            self._answer(child, bool(message.get("stop")))
        elif "place" in message:
            self._place = message
            self._send_place()
        self._wants_voice = self._wants_voice or bool(message.get("voice"))

    def _answer(self, asker: Forked, stop: bool) -> None:
        """Tell a child how many speak for callers from elsewhere, after having ended them."""
        others = [child for child in self._busy if child.elsewhere and child is not asker]
        with contextlib.suppress(OSError):  # one that has just ended, or stands still
            asker.line.send(encoded({"elsewhere": len(others)}), socket.MSG_DONTWAIT)
        for child in others if stop else ():
            with contextlib.suppress(OSError):
                child.line.send(encoded({"stop": True}), socket.MSG_DONTWAIT)

    def _send_place(self) -> None:
        """Tell the spare, once there is one, where it may connect to ahead."""
        if self._spare is not None and self._place is not None:
            with contextlib.suppress(OSError):
                self._spare.line.send(encoded(self._place), socket.MSG_DONTWAIT)
            self._place = None

    def _hears_elsewhere(self) -> bool:
        """Return whether there may be another caller from elsewhere."""
        return sum(child.elsewhere for child in self._busy) < MOST_FORWARDED

    # processes

    def _make_spare(self) -> None:
        ours, theirs = socket.socketpair()
        elsewhere = self._hears_elsewhere()
        if self._spawn is not None:
            pid = self._spawned(theirs, elsewhere)
        else:
            gc.collect()
            gc.freeze()
            pid = os.fork()
            if pid == 0:
                self._become_spare(ours, theirs, elsewhere)
        theirs.close()
        self._spare = Forked(pid, ours, elsewhere)
        self._send_place()

    def _become_spare(self, ours: socket.socket, theirs: socket.socket, elsewhere: bool) -> None:
        """Be the spare, in the forked child; never returns."""
        try:
            os.setsid()  # a Ctrl-C on the engine's terminal is not for who speaks
            ours.close()
            for child in self._busy:
                child.line.close()
            self._lock.forget()
            if not elsewhere:
                self._forwarded.close()
            forwarded = self._forwarded if elsewhere else None
            Spare(self._listener, forwarded, theirs, self._carry, self._loader.connect).run()
        except _Ended:
            os._exit(0)
        finally:
            sys.excepthook(*sys.exc_info())
            os._exit(1)

    def _spawned(self, theirs: socket.socket, elsewhere: bool) -> int:
        assert self._spawn is not None
        forwarded = self._forwarded.fileno() if elsewhere else -1
        numbers = self._listener.fileno(), forwarded, theirs.fileno()
        process = subprocess.Popen(
            self._spawn(*numbers),
            pass_fds=[number for number in numbers if number >= 0],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        process.returncode = 0  # it is waited for here
        return process.pid

    def _drop_spare(self) -> None:
        """Let go of a spare that is out of date; a call that it has taken up is carried out."""
        if self._spare is not None:
            self._spare.line.close()
            self._spare = None

    def _bury(self) -> None:
        """Take note of the children that have ended."""
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue

    def _restart(self) -> None:
        """Go on as a new process image, of the program as it is now, with its memory given back."""
        self._close()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])

    def _tell_state(self) -> None:
        state = {
            "pid": os.getpid(),
            "version": VERSION,
            "voice": self._loader.voice,
            "speaking": len(self._busy),
            "calls": self._calls,
        }
        self._lock.write(json.dumps(state))

    def _close(self) -> None:
        self._drop_spare()
        with contextlib.suppress(OSError, AttributeError):
            if os.stat(self._path).st_ino == self._inode:
                os.unlink(self._path)
                os.unlink(self._forwarded_path)
        with contextlib.suppress(AttributeError):  # it was told to end while it loaded
            self._listener.close()
            self._forwarded.close()
        self._lock.release()


def _end(_number: int, _frame: object) -> None:
    raise _Ended
