"""The engine's end of the connection to a front: who calls, and whether it is still there."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import io
import json
import os
import signal
import socket
import threading
import time
from typing import Any, NoReturn

from voicestream.clock import set_process_start
from voicestream.control.lines import Lines, Message, encoded
from voicestream.engine.place import MOST_BYTES

_CALL_S = 2.0
"""A front sends its call at once; who takes longer is none."""
_END_S = 4.0
"""How long a speech may take to end when its front is gone."""


class DeclinedError(Exception):
    """This call is one that the front has to carry out itself."""


class Caller:
    """One front, and the call it made.

    Args:
        connection: to the front, which has been greeted.
        engine: to the engine.

    Attributes:
        arguments: the command line.
        more: descriptors that came besides the first three.
        foreground: whether the front's terminal is its own now; set by the thread that listens.
        elsewhere: it may be in another place: nothing of this one is for it to see.
    """

    elsewhere = False

    def __init__(self, connection: socket.socket, engine: socket.socket) -> None:
        self._connection = connection
        self._engine = engine
        self._sending = threading.Lock()
        self.foreground = True
        self.arguments: list[str] = []
        self.more: list[int] = []

    def receive(self) -> None:
        """Take the call, and the place of the front.

        Raises:
            DeclinedError: it can be carried out by nobody but the front itself.
            OSError: the front is gone, or too slow.
            ValueError: what came is no call.
        """
        call, descriptors = _received(self._connection)
        self.arguments = [str(word) for word in call["arguments"]]
        self._become(call, descriptors)

    def _become(self, call: Message, descriptors: list[int]) -> None:
        """Take the place of the front: its folder, environment, mask, streams and start."""
        if set(call["groups"]) != {os.getegid(), *os.getgroups()}:
            raise DeclinedError("it may read and write other files")
        try:
            os.chdir(call["folder"])
        except OSError as error:
            raise DeclinedError("its folder cannot be entered") from error
        os.umask(int(call["umask"]))
        flat = call["environ"]
        os.environ.clear()
        os.environ.update(zip(flat[::2], flat[1::2], strict=True))
        time.tzset()
        set_process_start(float(call["start_s"]))
        self.more = descriptors[3:]
        for number, given in enumerate(descriptors[:3]):
            os.dup2(given, number)
            os.close(given)
        sys.argv[:] = [str(call["program"]), *self.arguments]
        names = ("stdin", "stdout", "stderr")
        for number, (name, kind) in enumerate(zip(names, call["streams"], strict=True)):
            setattr(sys, name, _stream(number, kind))
        self.foreground = bool(call["foreground"])

    def listen(self) -> None:
        """Hear from now on what the front says, and whether it is still there."""
        threading.Thread(target=self._listen, name="front", daemon=True).start()

    def _listen(self) -> None:
        lines = Lines()
        self._connection.settimeout(None)
        try:
            while data := self._connection.recv(65536):
                for message in lines.feed(data):
                    self._hear(message)
        except (OSError, ValueError):
            pass  # as good as gone
        # as if its terminal had been closed
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(_END_S)
        os._exit(128 + signal.SIGHUP)

    def _hear(self, message: Message) -> None:
        self.foreground = bool(message.get("foreground", True))

    def tell(self, message: Message) -> None:
        """Send the front a message. Any thread."""
        with self._sending:
            try:
                self._connection.sendall(encoded(message))
            except OSError:
                return  # it is gone, which the thread that listens sees

    def decline(self, reason: str) -> NoReturn:
        """Leave the call to the front, which goes on as if there were no engine."""
        self.tell({"declined": reason})
        os._exit(0)

    def note(self, message: Message) -> None:
        """Tell the engine what will be wanted again."""
        try:
            self._engine.sendall(encoded(message))
        except OSError:
            return  # it has ended: this speech goes on

    def stop(self, _number: int = 0, _frame: object = None) -> None:
        """Stand still until the front goes on; a handler of SIGTSTP."""
        self.tell({"stopped": True})
        os.kill(os.getpid(), signal.SIGSTOP)


def _received(connection: socket.socket) -> tuple[Message, list[int]]:
    """Return the call, and the descriptors that came with it, three or more."""
    connection.settimeout(_CALL_S)
    until_s = time.monotonic() + _CALL_S
    data, descriptors, _, _ = socket.recv_fds(connection, 65536, 8)
    try:
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
            connection.settimeout(max(until_s - time.monotonic(), 0.001))
            more = connection.recv(65536)
            if not more or int.from_bytes(data[:4], "big") > MOST_BYTES:
                raise ValueError("no whole call")
            data += more
        call = json.loads(data[4:])
        if len(descriptors) < 3:
            raise ValueError("no terminal and no pipes came with the call")
    except BaseException:
        for number in descriptors:
            os.close(number)
        raise
    return call, descriptors


def _stream(number: int, kind: list[str]) -> Any:
    """Return a standard stream as Python makes it; None: the front has it closed."""
    if not kind:
        return None
    encoding, errors = kind
    if number == 0:
        return open(0, encoding=encoding, errors=errors, closefd=False)
    raw = open(number, "wb", closefd=False)  # noqa: SIM115  lives as long as the process
    return io.TextIOWrapper(raw, encoding, errors, line_buffering=number == 2 or raw.isatty())
