"""Bodies that a server compresses although identity was asked for, taken apart as they arrive."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from voicestream.errors import IncompleteReplyError, ReplyError

_FREE_BYTES = 8 << 20
_MOST_RATIO = 200
"""Speech, with its pauses, shrinks by 2 to 20; what grows more than this wants to fill memory."""
_GZIP_MAGIC = b"\x1f\x8b"


class Inflater:
    """Decompresses ``gzip`` and ``deflate`` as they come; a body without an encoding passes as it
    is.

    Args:
        encoding: the ``Content-Encoding`` header, empty if there is none.
        piece_bytes: no piece handed on is larger.

    Raises:
        ReplyError: an encoding that nobody asked for and nobody here knows.
    """

    def __init__(self, encoding: str, piece_bytes: int) -> None:
        name = encoding.strip().lower()
        self._name = "" if name == "identity" else name.removeprefix("x-")
        self._piece_bytes = piece_bytes
        self._machine: Any = None
        self._in_bytes = 0
        self._out_bytes = 0
        self._over = False
        if self._name not in ("", "gzip", "deflate"):
            raise ReplyError(
                f"the reply is compressed ({name}), which cannot be read",
                "it was asked for uncompressed",
                "A proxy in between may do that: try without it.",
            )

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what these bytes complete, in pieces.

        Raises:
            ReplyError: they are broken, or would grow without bound.
        """
        if not self._name:
            for start in range(0, len(data), self._piece_bytes):
                yield data[start : start + self._piece_bytes]
            return
        self._in_bytes += len(data)
        while data and not self._over:
            if self._machine is None:
                self._machine = zlib.decompressobj(self._window_bits(data))
            try:
                piece = self._machine.decompress(data, self._piece_bytes)
            except zlib.error as error:
                raise ReplyError(f"the reply is not the {self._name} it claims to be") from error
            data = self._machine.unconsumed_tail
            if piece:
                self._check_growth(len(piece))
                yield piece
            if self._machine.eof:
                data = self._machine.unused_data
                self._machine = None
                # another member may follow; anything else is junk
                self._over = bool(data) and not data.startswith(_GZIP_MAGIC[: len(data)])

    def flush(self) -> Iterator[bytes]:
        """Yield what is left: the body has ended.

        Raises:
            IncompleteReplyError: the compressed stream has not.
        """
        if self._machine is not None:
            if rest := self._machine.flush():
                yield rest
            raise IncompleteReplyError(
                f"the reply broke off after {self._in_bytes} bytes",
                f"its {self._name} has no end",
            )

    def _window_bits(self, data: bytes) -> int:
        """Return zlib's ``wbits``. ``deflate`` means zlib, but some servers send the bare
        stream."""
        if self._name == "gzip":
            return 16 + zlib.MAX_WBITS
        return zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS

    def _check_growth(self, size_bytes: int) -> None:
        self._out_bytes += size_bytes
        if self._out_bytes > _FREE_BYTES + _MOST_RATIO * self._in_bytes:
            raise ReplyError(
                f"the reply's {self._name} grows without bound",
                f"{self._in_bytes} bytes became more than {self._out_bytes}",
            )
