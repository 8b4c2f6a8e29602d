"""A Realtime connection: whatever the server sends, each reply ends, the same however it is cut."""

from __future__ import annotations

import queue
import socket
from functools import partial

from tests.fuzz.pieces import cut, options_of
from tests.fuzz.texts import is_harmless
from voicestream.errors import EndpointError
from voicestream.speech.base import SpeechRequest
from voicestream.speech.realtime.connection import RealtimeConnection
from voicestream.speech.realtime.handshake import OpenSocket
from voicestream.speech.realtime.protocol import (
    ServerEvent,
    first_messages,
    read_event,
    trouble_error,
)

_ASKED = SpeechRequest("Hello.", "m", "marin", "pcm")
_LIMIT_BYTES = 4096


def framed(body: bytes) -> bytes:
    """Each line as a message of the server; one that begins with a zero as it is."""
    data = b""
    for line in body.split(b"\n"):
        if line.startswith(b"\0"):
            data += line[1:]
        elif len(line) < 126:
            data += bytes([0x81, len(line)]) + line
        else:
            data += bytes([0x81, 126]) + len(line).to_bytes(2, "big") + line
    return data


def came(begun: bytes, pieces: list[bytes]) -> tuple[list[ServerEvent], str]:
    """What one request's reply was, and the error that ended it."""
    ours, theirs = socket.socketpair()
    with theirs:
        opened = OpenSocket(ours, begun, first_messages(_ASKED), 1.0)
        connection = RealtimeConnection(opened, partial(_error))
        reply = connection.ask(_ASKED, _LIMIT_BYTES)
        for piece in pieces:
            try:
                theirs.sendall(piece)
            except OSError:
                break  # it has read enough
        theirs.shutdown(socket.SHUT_WR)
        events: list[ServerEvent] = []
        while True:
            try:
                event = reply.came.get(timeout=20)
            except queue.Empty:
                raise AssertionError("a reply that does not end") from None
            if isinstance(event, EndpointError):
                connection.close()
                return events, str(event)
            events.append(event)
            if event.kind == "done":
                connection.close()
                return events, ""


def _error(trouble: dict[str, object], wait_s: float | None) -> EndpointError:
    return trouble_error(trouble, "wss://host/v1/realtime", "the test", wait_s)


def check_realtime(data: bytes) -> None:
    """The first byte tells how it is cut."""
    (seed,), body = options_of(data, 1)
    try:
        read_event(body)
    except ValueError:
        pass  # the one error that is documented
    stream = framed(body)[:60_000]
    events, error = came(b"", [stream])
    again, other = came(b"", [piece for piece in cut(stream, seed) if piece])
    early, third = came(stream, [])
    assert events == again == early
    assert error == other == third
    sound_bytes = sum(len(event.sound or b"") for event in events)
    assert sound_bytes <= _LIMIT_BYTES
    assert is_harmless(error)
    assert "\n" not in error
