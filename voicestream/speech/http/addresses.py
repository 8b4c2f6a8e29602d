"""A connected socket to a host with several addresses, within one time for all of them.

After RFC 8305 (Happy Eyeballs, version 2): the next address is tried when one has not answered
for a moment, and the first that answers is used.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from typing import Any, TypeAlias

from voicestream.waiting import wait_ready

_STAGGER_S = 0.25
"""Time for one address alone (RFC 8305, 5)."""
_MOST = 8
Address: TypeAlias = tuple[int, Any]
"""Family, and where."""


def connect_any(host: str, port: int, timeout_s: float) -> socket.socket:
    """Return the first connection to a host that stands, as a socket that blocks.

    Raises:
        OSError: name not found, refused by all, or no answer in time (TimeoutError).
        ValueError: the host cannot be a host.
    """
    until_s = time.monotonic() + timeout_s
    waiting = resolve(host, port, timeout_s)[:_MOST]
    pending: list[socket.socket] = []
    failure: OSError = TimeoutError("no address answered in time")
    try:
        while waiting or pending:
            if waiting:
                try:
                    pending.append(_begun(*waiting.pop(0)))
                except OSError as error:  # no such network here
                    failure = error
                    continue
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("no address answered in time")
            for ready in _answered(pending, min(_STAGGER_S, left_s) if waiting else left_s):
                pending.remove(ready)
                code = ready.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    ready.setblocking(True)
                    return ready
                ready.close()
                failure = _error(code)
        raise failure
    finally:
        for left in pending:
            left.close()


def resolve(host: str, port: int, timeout_s: float) -> list[Address]:
    """Return all addresses of a host, in the system's order; both of ``localhost``, whatever it
    says.

    Raises:
        OSError: not found; TimeoutError: the resolver is silent.
        ValueError: the host cannot be a host.
    """
    # as bytes, a name of plain letters does not load the IDNA codec, which takes 6 ms
    name = host.encode() if host.isascii() else host
    if ":" in host or host.replace(".", "").isdigit():
        return _looked_up(name, port)
    found = _looked_up(name, port) if host == "localhost" else _in_time(name, port, timeout_s)
    if host == "localhost":
        for address in (
            (socket.AF_INET6, ("::1", port, 0, 0)),
            (socket.AF_INET, ("127.0.0.1", port)),
        ):
            if all(address[0] != family for family, _ in found):
                found.append(address)
    return found


def _looked_up(name: bytes | str, port: int) -> list[Address]:
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [(family, where) for family, _, _, _, where in found]


def _in_time(name: bytes | str, port: int, timeout_s: float) -> list[Address]:
    """Look a host up in a thread of its own: the resolver knows no timeout."""
    answers: queue.SimpleQueue[list[Address] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(_looked_up(name, port))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=run, name="resolve", daemon=True).start()
    try:
        found = answers.get(timeout=timeout_s)
    except queue.Empty:
        raise TimeoutError("the name was not found in time") from None
    if isinstance(found, Exception):
        raise found
    return found


def _begun(family: int, where: Any) -> socket.socket:
    """Return a socket that is being connected.

    Raises:
        OSError: it cannot even begin.
    """
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        opened.connect(where)
    except BlockingIOError:
        pass  # as it should be
    except OSError:
        opened.close()
        raise
    return opened


def _answered(pending: list[socket.socket], wait_s: float) -> list[socket.socket]:
    """Return those that stand, or have failed, within ``wait_s``."""
    came = wait_ready(writing=[opened.fileno() for opened in pending], wait_s=wait_s)
    return [opened for opened in pending if opened.fileno() in came]


def _error(code: int) -> OSError:
    """Return the exception of an error number, of the class that belongs to it."""
    import os

    return OSError(code, os.strerror(code))
