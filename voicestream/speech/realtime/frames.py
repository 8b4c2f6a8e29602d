"""The frames of a WebSocket on the client's side (RFC 6455, 5).

A library reads them as well, and takes 30 ms of CPU to be loaded, which the first sound would
have to wait for: a tenth of all that is done until then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from voicestream.records import dataclass

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_CONTINUED = 0
_MAX_CONTROL_BYTES = 125
NORMAL, PROTOCOL_ERROR, TOO_BIG = 1000, 1002, 1009
"""Closing codes (RFC 6455, 7.4.1)."""


class FrameError(Exception):
    """What came is no WebSocket's.

    Args:
        code: to close the connection with.
    """

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """A message put together from its frames, or a control frame.

    Attributes:
        kind: ``TEXT``, ``BINARY``, ``CLOSE``, ``PING`` or ``PONG``.
    """

    kind: int
    data: bytes

    @property
    def close_code(self) -> int | None:
        """Of ``CLOSE``; None where none is told."""
        return int.from_bytes(self.data[:2], "big") if self.data else None

    @property
    def close_reason(self) -> str:
        return self.data[2:].decode("utf-8", "replace")


class FrameReader:
    """Takes the server's bytes as they come.

    Args:
        max_bytes: a longer message is refused, before it has come.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._unread = bytearray()
        self._kind = 0  # of the message that has begun
        self._parts = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that are whole by now.

        Raises:
            FrameError: nothing that follows can be understood.
        """
        self._unread += data
        while (frame := self._next_frame()) is not None:
            first, body = frame
            kind, is_last = first & 0x0F, bool(first & 0x80)
            if kind >= CLOSE:
                yield Message(kind, body)
                continue
            self._kind = kind or self._kind
            if is_last and not self._parts:  # as nearly all are
                message = Message(self._kind, body)
            else:
                self._parts += body
                if not is_last:
                    continue
                message = Message(self._kind, bytes(self._parts))
                self._parts.clear()
            self._kind = 0
            yield message

    def _next_frame(self) -> tuple[int, bytes] | None:
        """Return the first byte and the body of a whole frame, taken out; None: not all of it is
        here."""
        unread = self._unread
        if len(unread) < 2:
            return None
        self._check(unread[0], unread[1])
        start, size = 2, unread[1]
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(unread) < start:
                return None
            size = int.from_bytes(unread[2:start], "big")
        if size + len(self._parts) > self._max_bytes:
            raise FrameError(TOO_BIG, f"a message has more than {self._max_bytes >> 20} MB")
        if len(unread) < start + size:
            return None
        first, body = unread[0], bytes(memoryview(unread)[start : start + size])
        del unread[: start + size]
        if first & 0x0F == CLOSE and len(body) == 1:
            raise FrameError(PROTOCOL_ERROR, "half of a closing code")
        return first, body

    def _check(self, first: int, second: int) -> None:
        kind, is_last = first & 0x0F, bool(first & 0x80)
        if first & 0x70 or kind not in (_CONTINUED, TEXT, BINARY, CLOSE, PING, PONG):
            raise FrameError(PROTOCOL_ERROR, "a frame of an unknown kind")
        if second & 0x80:
            raise FrameError(PROTOCOL_ERROR, "a masked frame from the server")
        if kind >= CLOSE:
            if not is_last or second > _MAX_CONTROL_BYTES:
                raise FrameError(PROTOCOL_ERROR, "a control frame that is too long")
        elif bool(self._kind) == bool(kind):
            raise FrameError(PROTOCOL_ERROR, "a frame out of order")


def text_frame(message: str) -> bytes:
    """Return one text message."""
    return masked(TEXT, message.encode("utf-8", "replace"))


def close_frame(code: int) -> bytes:
    """Return the frame that ends a connection."""
    return masked(CLOSE, code.to_bytes(2, "big"))


def masked(kind: int, data: bytes) -> bytes:
    """Return a message of a client in a single frame."""
    if len(data) < 126:
        size = bytes([0x80 | len(data)])
    elif len(data) < 1 << 16:
        size = bytes([0x80 | 126]) + len(data).to_bytes(2, "big")
    else:
        size = bytes([0x80 | 127]) + len(data).to_bytes(8, "big")
    mask = os.urandom(4)
    repeated = (mask * (len(data) // 4 + 1))[: len(data)]
    body = int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")
    return bytes([0x80 | kind]) + size + mask + body.to_bytes(len(data), "big")
