"""A process that is there before it is needed: it waits for one call, carries it out, and ends."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from typing import NoReturn

from voicestream.control.lines import encoded, same_user
from voicestream.engine.caller import Caller, DeclinedError
from voicestream.engine.place import greeting

Carry = Callable[[Caller], int]
"""Carries out a call; returns its exit code."""


class Spare:
    """Waits for one call.

    Args:
        local: listens for fronts of this user, on this machine.
        engine: to the engine, which is told when the call has come; its end ends the waiting.
        carry: what to do then.
    """

    def __init__(self, local: socket.socket, engine: socket.socket, carry: Carry) -> None:
        self._local = local
        self._engine = engine
        self._carry = carry

    def run(self) -> NoReturn:
        """Wait for the call, carry it out, and end this process."""
        os._exit(self._serve(self._accept()))

    def _accept(self) -> socket.socket:
        """A front that has been greeted."""
        while True:
            ready, _, _ = select.select([self._local, self._engine], [], [])
            if self._engine in ready:
                os._exit(0)
            try:
                connection, _ = self._local.accept()
            except OSError:  # it has gone again
                continue
            if not (same_user(connection) and _sees_the_same(connection)):
                connection.close()
                continue
            self._engine.sendall(encoded({"taken": True}))
            self._local.close()
            return connection

    def _serve(self, connection: socket.socket) -> int:
        try:
            connection.sendall(greeting() + f" {os.getpid()}\n".encode())
            caller = Caller(connection, self._engine)
        except (OSError, ValueError, KeyError, TypeError):
            return 1  # no front of ours
        except DeclinedError as reason:
            connection.sendall(encoded({"declined": str(reason)}))
            return 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTSTP, caller.stop)
        caller.listen()
        code = self._carry(caller)
        caller.tell({"exit": code})
        return code


def _sees_the_same(connection: socket.socket) -> bool:
    """Whether the process at the other end has our files and processes: one in a container that
    the socket was mounted into means others when it names them."""
    same = True
    if sys.platform == "linux":
        peer = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        try:
            same = all(
                os.readlink(f"/proc/{peer[0]}/ns/{kind}") == os.readlink(f"/proc/self/ns/{kind}")
                for kind in ("mnt", "pid")
            )
        except OSError:
            same = False
    return same
