"""The control socket of a process that speaks: one thread that answers verbs.

The protocol, for any program of the same user: connect to ``PID-N.sock`` in the runtime
folder, write JSON objects a line each, read one answer a line, in order.

    {"verb": "ping"}          -> {"ok": true, "pid": 123}
    {"verb": "watch"}         -> {"ok": true}, then {"event": ...} lines until the end
    {"verb": "pause"} ...     -> what the handler answers
    anything else             -> {"ok": false, "error": "..."}; harmless
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import contextlib
import os
import queue
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

from voicestream.control.lines import Lines, Message, encoded, same_user

MOST_CALLERS = 64
"""Further ones wait in the kernel's queue."""
_MAX_UNREAD_BYTES = 256 * 1024
"""Connections of callers that leave more than this unread are closed."""

Handler = Callable[[Message], Message]
"""Answers a verb; called in the control thread, must return quickly."""


def socket_path(folder: str, who: str) -> str:
    """Return the control socket of a speaker, ``PID-N``."""
    return os.path.join(folder, f"{who}.sock")


class _Caller:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.lines = Lines()
        self.unsent = b""
        self.watches = False
        self.ending = False


class ControlServer:
    """Listens on a Unix socket and answers in one thread of its own.

    Args:
        path: where to listen; a stale file there is replaced.
        handler: answers the verbs that are not the server's own.
    """

    def __init__(self, path: str, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._events: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._selector: selectors.BaseSelector = selectors.DefaultSelector()
        self._thread: threading.Thread | None = None
        # the control thread's own
        self._callers: set[_Caller] = set()
        self._listening = False

    def start(self) -> None:
        """Listen from now on.

        Raises:
            OSError: the socket cannot be made.
        """
        self._server = socket.socket(socket.AF_UNIX)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
            self._server.bind(self._path)
            os.chmod(self._path, 0o600)
            self._server.listen(256)
            self._server.setblocking(False)
            self._wake_in, self._wake_out = socket.socketpair()
        except BaseException:
            self._server.close()
            raise
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        self._thread.start()

    def tell(self, event: Message) -> None:
        """Send ``event`` to every caller that watches. Any thread."""
        self._events.put(event)
        self._wake()

    def close(self) -> None:
        """End the thread and remove the socket; watchers see the end of the connection."""
        if self._thread is None:
            return
        self._events.put(None)
        self._wake()
        if self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it is awake; closed: it has ended
            self._wake_out.send(b".")

    def _run(self) -> None:
        selector = self._selector
        selector.register(self._wake_in, selectors.EVENT_READ)
        self._listen(True)
        try:
            while self._pass_on_events():
                for key, mask in selector.select():
                    self._serve(key, mask)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
            for caller in tuple(self._callers):
                caller.connection.close()
            for end in (self._server, self._wake_in, self._wake_out):
                end.close()
            selector.close()

    def _listen(self, listen: bool) -> None:
        """Accept new callers, or leave them in the kernel's queue while there are enough."""
        if listen and not self._listening:
            self._selector.register(self._server, selectors.EVENT_READ)
        elif not listen and self._listening:
            self._selector.unregister(self._server)
        self._listening = listen

    def _pass_on_events(self) -> bool:
        """Send the events that were told since; return False if the end was asked for."""
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._events.get_nowait()
                if event is None:
                    return False
                for caller in tuple(self._callers):
                    if caller.watches:
                        self._send(caller, event)
        return True

    def _serve(self, key: selectors.SelectorKey, mask: int) -> None:
        if key.fileobj is self._server:
            self._accept()
        elif key.fileobj is self._wake_in:
            with contextlib.suppress(BlockingIOError):
                self._wake_in.recv(4096)
        else:
            caller: _Caller = key.data
            if mask & selectors.EVENT_WRITE:
                self._flush(caller)
            if mask & selectors.EVENT_READ and caller in self._callers:
                self._read(caller)

    def _accept(self) -> None:
        try:
            connection, _ = self._server.accept()
        except OSError:  # it has gone again, or there are no descriptors left
            return
        if not same_user(connection):
            connection.close()
            return
        connection.setblocking(False)
        caller = _Caller(connection)
        self._callers.add(caller)
        self._selector.register(connection, selectors.EVENT_READ, caller)
        self._listen(len(self._callers) < MOST_CALLERS)

    def _read(self, caller: _Caller) -> None:
        try:
            data = caller.connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(caller)
            return
        try:
            for message in caller.lines.feed(data):
                self._send(caller, self._answer(caller, message))
        except ValueError as error:
            caller.ending = True
            self._send(caller, {"ok": False, "error": str(error)[:200]})

    def _answer(self, caller: _Caller, message: Message) -> Message:
        verb: Any = message.get("verb")
        if verb == "ping":
            return {"ok": True, "pid": os.getpid()}
        if verb == "watch":
            caller.watches = True
            return {"ok": True}
        if not isinstance(verb, str):
            return {"ok": False, "error": "there is no verb"}
        try:
            return self._handler(message)
        except Exception as error:  # noqa: BLE001  a caller's words must not end the control thread
            return {"ok": False, "error": f"{verb} failed: {error!r}"[:300]}

    def _send(self, caller: _Caller, message: Message) -> None:
        if caller in self._callers:
            caller.unsent += encoded(message)
            self._flush(caller)

    def _flush(self, caller: _Caller) -> None:
        try:
            while caller.unsent:
                caller.unsent = caller.unsent[caller.connection.send(caller.unsent) :]
        except BlockingIOError:
            pass  # the rest when it reads on
        except OSError:
            self._drop(caller)
            return
        if len(caller.unsent) > _MAX_UNREAD_BYTES or (caller.ending and not caller.unsent):
            self._drop(caller)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if caller.unsent else 0)
        self._selector.modify(caller.connection, wanted, caller)

    def _drop(self, caller: _Caller) -> None:
        self._callers.discard(caller)
        self._selector.unregister(caller.connection)
        caller.connection.close()
        self._listen(len(self._callers) < MOST_CALLERS)
