"""HTTP/1.1 replies out of the bytes of a connection (RFC 9112).

Own code: a library for it is a quarter of all that is loaded before the first sound. The tests
hold it to h11, which reads the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

_MOST_HEAD_BYTES = 100 << 10
"""Of a head, of a chunk's first line, of what follows the last chunk."""
_NAME = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = b"0123456789"
_HEX_DIGITS = _DIGITS + b"abcdefABCDEF"
_MOST_DIGITS = 20
_BLANKS = b" \t"
_NO_BODY = frozenset({101, 204, 304})


class WireError(Exception):
    """A request came to nothing, or its reply broke off."""


class LateError(WireError):
    """The other side took too long."""


class LateConnectionError(LateError):
    """No connection stood in time."""


class NoConnectionError(WireError):
    """No connection could be made: its cause says why."""


class BrokenError(WireError):
    """The connection broke, or what came is no HTTP.

    Attributes:
        ended: the other side ended it, or what it sent.
    """

    def __init__(self, what: str, ended: bool = True) -> None:
        super().__init__(what)
        self.ended = ended


class HttpReply:
    """One reply: its head is read when it is made, then its body. Used by one thread.

    Args:
        read: returns the bytes that come next, none at the end of the connection.

    Attributes:
        status: the HTTP status; what comes before the final one is passed over.
        headers: names in lower case; repeated ones are joined with commas.
        reusable: it has ended, and its connection may carry another.

    Raises:
        WireError: it is no reply, or ``read`` failed.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._buffer = bytearray()
        self.reusable = False
        self.status = 100
        while 100 <= self.status < 200 and self.status != 101:
            version = self._read_head()
        coded = self.headers.get("transfer-encoding")
        if coded is not None and coded.lower() != "chunked":
            raise BrokenError(f"a transfer encoding that is not known: {coded[:80]}")
        self._length = self._told_bytes()  # None: it ends with the connection
        if self.status in _NO_BODY:
            self._length, coded = 0, None
        self._chunked = coded is not None
        closing = "close" in self.headers.get("connection", "").lower().replace(" ", "").split(",")
        known = self._chunked or self._length is not None
        self._keeps = known and not closing and version != b"HTTP/1.0" and self.status != 101

    def _read_head(self) -> bytes:
        """Read a status line and the headers; return the version."""
        lines = self._block(begins=b"HTTP/")
        version, _, rest = lines[0].partition(b" ")
        status, _, _reason = rest.partition(b" ")
        if not version.startswith(b"HTTP/1.") or len(status) != 3 or status.strip(_DIGITS):
            raise BrokenError(f"it does not answer with HTTP, but with {lines[0][:80]!r}")
        self.status = int(status)
        if self.status < 100:
            raise BrokenError(f"an impossible status: {self.status}")
        self.headers = _headers(lines[1:])
        return version

    def _block(self, begins: bytes = b"") -> list[bytes]:
        """Take lines up to an empty one; return those before it."""
        seen = 0
        while True:
            if not self._buffer.startswith(begins[: len(self._buffer)]):
                raise BrokenError(
                    f"it does not answer with HTTP, but with {bytes(self._buffer[:40])!r}"
                )
            while (end := self._buffer.find(b"\n", seen)) >= 0:
                if self._buffer[seen:end].strip(b"\r") == b"":
                    block = bytes(self._buffer[:seen])
                    del self._buffer[: end + 1]
                    return [it.removesuffix(b"\r") for it in block.split(b"\n")[:-1]]
                seen = end + 1
            self._more()

    def _more(self) -> None:
        """Have more in the buffer."""
        if len(self._buffer) > _MOST_HEAD_BYTES:
            raise BrokenError("a head without an end")
        piece = self._read()
        if not piece:
            some = self._buffer or self.status != 100
            raise BrokenError(
                "the server closed the connection "
                + ("within its answer" if some else "without an answer")
            )
        self._buffer += piece

    def _told_bytes(self) -> int | None:
        """Return the length that the headers tell; None: they do not."""
        told = self.headers.get("content-length")
        if told is None:
            return None
        length, *others = {it.strip() for it in told.split(",")}
        if others or not length or len(length) > _MOST_DIGITS or length.strip("0123456789"):
            raise BrokenError(f"a length that is none: {told[:80]}")
        self.headers["content-length"] = length
        return int(length)

    def body(self) -> Iterator[bytes]:
        """Yield the body's bytes as they come.

        Raises:
            WireError: it breaks off, or ``read`` failed.
        """
        if self._chunked:
            while size := self._chunk_bytes():
                yield from self._counted(size)
                self._end_chunk()
            self._block()  # trailers
        elif self._length is None:
            while piece := self._some():
                yield piece
        else:
            yield from self._counted(self._length)
        self.reusable = self._keeps and not self._buffer

    def _some(self, most: int | None = None) -> bytes:
        """Return bytes that are here, else the next that come; none at the end."""
        if not self._buffer:
            piece = self._read()
            if most is None or len(piece) <= most:
                return piece
            self._buffer += piece
        taken = bytes(self._buffer[:most])
        del self._buffer[:most]
        return taken

    def _counted(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            piece = self._some(left)
            if not piece:
                came = f"{size - left} of {size} bytes"
                raise BrokenError(f"the server closed the connection after {came}")
            left -= len(piece)
            yield piece

    def _chunk_bytes(self) -> int:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._more()
        size = bytes(self._buffer[:end]).partition(b";")[0].rstrip(_BLANKS)
        if not size or len(size) > _MOST_DIGITS or size.strip(_HEX_DIGITS):
            raise BrokenError(f"a chunk's length that is none: {size[:40]!r}")
        del self._buffer[: end + 2]
        return int(size, 16)

    def _end_chunk(self) -> None:
        while len(self._buffer) < 2:
            self._more()
        if self._buffer[:2] != b"\r\n":
            raise BrokenError("a chunk that is longer than it says")
        del self._buffer[:2]


def _headers(lines: list[bytes]) -> dict[str, str]:
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t") and fields:  # the line before goes on
            name, value = fields.pop()
            value += b" " + line.strip(_BLANKS)
        elif not colon or not name or name.translate(None, _NAME):
            raise BrokenError(f"a header that is none: {line[:40]!r}")
        if any(value.find(it) >= 0 for it in (b"\0", b"\r", b"\v", b"\f")):
            raise BrokenError(f"a header that no header can be: {line[:40]!r}")
        fields.append((name, value.strip(_BLANKS)))
    found: dict[str, str] = {}
    for name, value in fields:
        key, text = name.decode().lower(), _decoded(value)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
