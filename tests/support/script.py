"""What a scripted server answers, and what it saw."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Framing = Literal["chunked", "length", "close"]
Cut = Literal["close", "reset", "stall"]


@dataclass(frozen=True)
class Script:
    """One reply. The defaults send ``body`` whole, at once, as a well-behaved server.

    Attributes:
        body: of the reply, before any transfer encoding.
        status: of HTTP.
        content_type: None sends none.
        headers: more headers.
        header_delay_s: from the whole request to the status line.
        first_byte_delay_s: from the headers to the first byte of the body.
        rate_bytes_per_s: the body is sent no faster than this; None: at once.
        piece_bytes: size of each write (and chunk); of several sizes each in turn.
        arrivals: instead of rate and pieces: ``(seconds after the headers, bytes)`` of each
            write, as in ``tests/data/traces``; what is left goes with the last.
        framing: how the end of the body is told.
        declared_bytes: a content length other than the true one (``length`` framing).
        cut_after_bytes: the body ends here without its proper end (0: after the headers).
        cut: how: the connection is closed, reset, or left open and silent.
        hold_at_bytes: before this byte of the body the server waits for ``hold``.
        hold: set it to let the held reply go on.
        keep_alive: the connection takes another request after a complete reply.
        raw: sent instead of everything else, then the connection is closed
            (empty: closed without a word).
    """

    body: bytes = b""
    status: int = 200
    content_type: str | None = "audio/pcm"
    headers: Mapping[str, str] = field(default_factory=dict)
    header_delay_s: float = 0.0
    first_byte_delay_s: float = 0.0
    rate_bytes_per_s: float | None = None
    piece_bytes: int | Sequence[int] = 4096
    arrivals: Sequence[tuple[float, int]] | None = None
    framing: Framing = "chunked"
    declared_bytes: int | None = None
    cut_after_bytes: int | None = None
    cut: Cut = "close"
    hold_at_bytes: int | None = None
    hold: threading.Event | None = None
    keep_alive: bool = True
    raw: bytes | None = None

    @classmethod
    def error(cls, status: int, answer: object) -> Script:
        """An error as servers send it: text as it is, anything else as JSON."""
        if isinstance(answer, str):
            return cls(answer.encode(), status, "text/plain; charset=utf-8", framing="length")
        return cls(json.dumps(answer).encode(), status, "application/json", framing="length")

    def writes(self) -> Iterator[tuple[float, int, int]]:
        """Each write of the body: seconds after the headers, first byte, byte after the last."""
        size = len(self.body)
        end = size if self.cut_after_bytes is None else min(size, self.cut_after_bytes)
        start = 0
        for at_s, piece_bytes in self._paces():
            if start >= end:
                return
            stops = [start + max(piece_bytes, 1), end]
            if self.hold_at_bytes is not None and start < self.hold_at_bytes:
                stops.append(self.hold_at_bytes)
            yield at_s, start, min(stops)
            start = min(stops)
        if start < end:
            yield 0.0, start, end

    def _paces(self) -> Iterator[tuple[float, int]]:
        if self.arrivals is not None:
            yield from self.arrivals
            return
        sizes = [self.piece_bytes] if isinstance(self.piece_bytes, int) else list(self.piece_bytes)
        sent_bytes = turn = 0
        while True:
            piece_bytes = sizes[turn % len(sizes)]
            wait_s = sent_bytes / self.rate_bytes_per_s if self.rate_bytes_per_s else 0.0
            yield self.first_byte_delay_s + wait_s, piece_bytes
            sent_bytes, turn = sent_bytes + piece_bytes, turn + 1

    def head(self) -> bytes:
        """Status line and headers."""
        lines = [f"HTTP/1.1 {self.status} Scripted"]
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        if self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif self.framing == "length":
            size = len(self.body) if self.declared_bytes is None else self.declared_bytes
            lines.append(f"Content-Length: {size}")
        if self.framing == "close" or not self.keep_alive:
            lines.append("Connection: close")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass
class Request:
    """One request and what became of its reply; times are ``time.monotonic()``.

    Attributes:
        connection: number of the connection, from 0; the same for requests that share it.
        connected_s: the connection was accepted.
        complete_s: the last byte of the request was read.
        first_byte_s: the writing of the reply's body to the network began.
        end_s: the reply was over, in whatever way.
        client_closed_s: the client closed the connection before the reply was over.
        sent_bytes: of the body.
    """

    connection: int
    connected_s: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    complete_s: float
    first_byte_s: float | None = None
    end_s: float | None = None
    client_closed_s: float | None = None
    sent_bytes: int = 0

    @property
    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)
