"""``voicestream hook``: hands an agent's event to the session's speaker, starting one if none is.

The agent waits for this process, before it shows what it has written: it loads next to nothing
(``socket``, ``json``, ``subprocess`` and what they load take longer than Python takes to start),
waits for nobody, and is silent whatever happens.

A speaker listens on a Unix socket, ``hook/SESSION`` in the runtime folder. One that is not there
is started with its socket listening already: what is written to it waits in the kernel. Each
connection brings one object of :mod:`voicestream.agents.events`, and is closed.
"""

from __future__ import annotations

import os
import sys
import time

from voicestream.agents.events import name_of, session_of, told_by

assert sys.platform != "win32"  # whose Python has no Unix sockets

import _socket  # `socket` takes as long as all else
import fcntl
import select
from binascii import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

MAX_EVENT_BYTES = 4 << 20
"""A longer event is dropped: the reply of a language model has some hundred kilobytes."""
_READ_S = 2.0
"""How long an agent may take to write its event."""
_LOCK_S = 0.3
_BACKGROUND_S = 10
"""How long a speaker that is busy or just starting may take to read what does not fit into the
socket."""
_BACKLOG = 1024
SPEAKER_FD = 3
"""The descriptor of a started speaker's socket."""


def deliver(arguments: Sequence[str]) -> None:
    """Read an event (from stdin, or the last argument) and pass it on.

    Args:
        arguments: of ``voicestream hook``; the speaker gets them too.
    """
    options = list(arguments)
    given = options.pop().encode() if options and options[-1].startswith("{") else _read_stdin()
    try:
        event = _decoded(given)
        told = told_by(event)
        if told is None:
            note(options, f"nothing to say: {name_of(event)[:80]!r}")
            return
        from voicestream.control.runtime import runtime_folder

        folder = f"{runtime_folder()}/hook"
        name = file_name(session_of(event))
        if any(map(os.path.exists, (f"{folder}/off", f"{folder}/{name}.off"))):
            return
        if told["do"] == "end" and not os.path.exists(f"{folder}/{name}"):
            return
        _send(folder, name, _encoded(told), options)
    except Exception as error:  # noqa: BLE001  the agent must never notice
        note(options, f"not passed on: {error!r}")


def _read_stdin() -> bytes:
    """Return all of stdin; empty: it is too much, or did not come in time."""
    found, ends_s = b"", time.monotonic() + _READ_S
    while len(found) <= MAX_EVENT_BYTES:
        if not select.select([0], [], [], max(ends_s - time.monotonic(), 0.0))[0]:
            break
        piece = os.read(0, 1 << 16)
        if not piece:
            return found
        found += piece
    return b""


class _Json:
    """The attributes that ``json``'s scanner in C asks for, with the values of ``json.loads``."""

    strict = False
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float
    memo: dict[str, str] = {}  # noqa: RUF012  the scanner's own


def _decoded(given: bytes) -> dict[str, Any]:
    """Return the JSON object.

    Raises:
        ValueError: it is none.
    """
    from _json import make_scanner

    text = given.decode("utf-8", "replace").strip()
    try:
        context: Any = _Json()
        event, end = make_scanner(context)(text, 0)
    except Exception:  # noqa: BLE001  what is no JSON, which only `json` can tell of
        import json

        event, end = json.loads(text), len(text)
    if end != len(text) or not isinstance(event, dict):
        raise ValueError("this is no JSON object")
    return event


def _encoded(told: dict[str, Any]) -> bytes:
    """Return one object of texts, whole numbers, truth values and None, as JSON."""
    from _json import encode_basestring_ascii

    def encoded(held: str | int | None) -> str:
        if isinstance(held, str):
            return encode_basestring_ascii(held)
        return "null" if held is None else str(held).lower()

    pairs = (f"{encoded(name)}:{encoded(held)}" for name, held in told.items())
    return f"{{{','.join(pairs)}}}".encode()


def file_name(session: str) -> str:
    """Return the name of a session's files: short, as the path of a socket must be."""
    raw = session.encode("utf-8", "replace")
    return f"{crc32(raw):08x}{crc32(raw[::-1]):08x}"


def _send(folder: str, name: str, line: bytes, options: list[str]) -> None:
    path = f"{folder}/{name}"
    connection = _connected(path)
    if connection is None:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        lock = os.open(f"{folder}/{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(lock):
            return
        connection = _connected(path)  # another hook may have started it meanwhile
        if connection is None:
            _start_speaker(path, options)
            connection = _connected(path)
    if connection is None:
        return
    try:
        sent = connection.send(line)
    except BlockingIOError:
        sent = 0
    if sent < len(line):
        _detached(lambda: _send_rest(connection, line[sent:]))
    connection.close()


def _connected(path: str) -> _socket.socket | None:
    """Return a connection to a speaker, which never waits; None: nobody listens there.

    Raises:
        OSError: its queue is full.
    """
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            return None
        raise
    return connection


def _locked(lock: int) -> bool:
    """Take the lock; return False if another process held it too long. It ends with the process."""
    ends_s = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends_s:
                return False
            time.sleep(0.003)
        else:
            return True


def _start_speaker(path: str, options: list[str]) -> None:
    """Start a speaker whose socket listens when this returns. Call it under the lock."""
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        os.unlink(path)  # of one that was killed
    except FileNotFoundError:
        pass
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(_BACKLOG)
    # -P: the agent's folder may hold a voicestream, or a json.py
    command = [sys.executable, "-P", "-m", "voicestream", "_agent", path, *options]

    def run() -> None:
        os.dup2(listener.fileno(), SPEAKER_FD)
        os.closerange(SPEAKER_FD + 1, 1024)
        os.execv(command[0], command)

    _detached(run)
    listener.close()


def _send_rest(connection: _socket.socket, rest: bytes) -> None:
    connection.settimeout(_BACKGROUND_S)
    connection.sendall(rest)


def _detached(run: Callable[[], None]) -> None:
    """Run something in a process of its own, which holds nothing that the agent waits for."""
    if os.fork():
        return
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        run()
    finally:
        os._exit(1)


def note(options: Sequence[str], text: str) -> None:
    """Add a line to the file that ``--log`` names, if any."""
    if "--log" not in options[:-1]:
        return
    path = options[list(options).index("--log") + 1]
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} hook {os.getpid()}: {text}\n"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK
        file = os.open(os.path.expanduser(path), flags, 0o600)
        os.write(file, line.encode("utf-8", "backslashreplace"))
        os.close(file)
    except OSError:
        return  # there is nobody else to tell
