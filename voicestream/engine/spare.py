"""A process that is there before it is needed: it waits for one call, carries it out, and ends."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import contextlib
import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from typing import NoReturn

from voicestream.control.lines import Lines, encoded, same_user
from voicestream.engine.caller import Caller, DeclinedError
from voicestream.engine.forwarded import (
    PROTOCOL,
    ForwardedCaller,
    RefusedError,
    read_request,
    refuse,
)
from voicestream.engine.place import VERSION, greeting

Carry = Callable[[Caller], int]
"""Carries out a call; returns its exit code."""


class Spare:
    """Waits for one call.

    Args:
        local: listens for fronts of this user, on this machine.
        forwarded: listens for callers that may be elsewhere; None: there are enough of them.
        engine: to the engine, which is told when the call has come; its end ends the waiting.
        carry: what to do then.
        connect: told where the calls before have asked, host and port.
    """

    def __init__(
        self,
        local: socket.socket,
        forwarded: socket.socket | None,
        engine: socket.socket,
        carry: Carry,
        connect: Callable[[str, int], None],
    ) -> None:
        self._local = local
        self._forwarded = forwarded
        self._engine = engine
        self._carry = carry
        self._connect = connect
        self._told = Lines()

    def run(self) -> NoReturn:
        """Wait for the call, carry it out, and end this process."""
        connection, serve = self._accept()
        self._local.close()
        if self._forwarded is not None:
            self._forwarded.close()
        try:
            code = serve(connection)
        except (OSError, ValueError, KeyError, TypeError):
            code = 1  # no front of ours
        os._exit(code)

    def _accept(self) -> tuple[socket.socket, Callable[[socket.socket], int]]:
        """Wait for a caller; return its connection, and what is to be done with it."""
        waited = [self._local, self._engine, *filter(None, [self._forwarded])]
        while True:
            ready, _, _ = select.select(waited, [], [])
            if self._engine in ready:
                self._listen_to_engine()
                continue
            local = self._local in ready
            try:
                connection, _ = (self._local if local else ready[0]).accept()
            except OSError:  # it has gone again
                continue
            welcome = not local or (same_user(connection) and _sees_the_same(connection))
            if not welcome or _has_gone(connection):
                connection.close()
                continue
            connection.setblocking(True)
            with contextlib.suppress(OSError):  # it has dropped us: this call is carried out still
                self._engine.sendall(encoded({"taken": True, "forwarded": not local}))
            return connection, self._serve if local else self._serve_elsewhere

    def _listen_to_engine(self) -> None:
        data = self._engine.recv(4096)
        if not data:
            os._exit(0)
        for message in self._told.feed(data):
            host, port = message["place"]
            self._connect(host, port)

    def _serve(self, connection: socket.socket) -> int:
        connection.sendall(greeting() + f" {os.getpid()}\n".encode())
        caller = Caller(connection, self._engine)
        try:
            caller.receive()
        except DeclinedError as reason:
            connection.sendall(encoded({"declined": str(reason)}))
            return 0
        return self._carry_out(caller)

    def _serve_elsewhere(self, connection: socket.socket) -> int:
        """Answer a caller that may be anybody whom the user lets in."""
        request, lines = read_request(connection)
        verb, protocol = request.get("verb"), request.get("protocol")
        if protocol != PROTOCOL:
            refuse(connection, f"this engine, of version {VERSION}, speaks another language")
        elif verb == "status":
            answer = {"ok": True, "version": VERSION, "speaking": self._ask_engine()}
            connection.sendall(encoded(answer))
        elif verb == "stop":
            connection.sendall(encoded({"ok": True, "stopped": self._ask_engine(stop=True)}))
        elif verb == "say":
            try:
                caller = ForwardedCaller(connection, self._engine, request, lines)
            except RefusedError as error:
                refuse(connection, str(error))
                return 1
            caller.receive()
            return self._carry_out(caller)
        else:
            refuse(connection, "this engine knows say, stop and status")
        return 0

    def _ask_engine(self, stop: bool = False) -> int:
        """Return how many speak for callers from elsewhere, once those have been told to end if
        ``stop``."""
        self._engine.sendall(encoded({"asks": True, "stop": stop}))
        while data := self._engine.recv(4096):
            for message in self._told.feed(data):  # a place to connect to may be on its way, too
                if "elsewhere" in message:
                    return int(message["elsewhere"])
        raise OSError("the engine has ended")

    def _carry_out(self, caller: Caller) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTSTP, caller.stop)
        caller.listen()
        code = self._carry(caller)
        caller.tell({"exit": code})
        return code


def _has_gone(connection: socket.socket) -> bool:
    """Return whether a caller has hung up while it waited."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _sees_the_same(connection: socket.socket) -> bool:
    """Return whether the other process has our files and processes: one in a container that
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
