"""A WebSocket being opened (RFC 6455, 4.1), with the first messages sent along.

No WebSocket library is imported, here or later: see :mod:`voicestream.speech.realtime.frames`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from voicestream.records import dataclass
from voicestream.settings.proxy import ProxyAddress, tunnel_proxy
from voicestream.speech.http.request import NO_EXTRA, Target, connect, key_headers
from voicestream.speech.realtime.frames import text_frame
from voicestream.speech.realtime.protocol import realtime_target

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_HEAD_BYTES = 64 << 10
MAX_BODY_BYTES = 64 << 10
"""Of an answer that is no WebSocket."""
_BODY_S = 2.0
"""How long the rest of such an answer is read for its words."""


class UnansweredError(TimeoutError):
    """The server took the connection, and left the handshake without an answer."""


class NoWebSocketError(Exception):
    """The server answered the handshake, but not with a WebSocket.

    Args:
        status: of HTTP; 0 for what is no HTTP either.
        headers: names in lower case.
        body: its beginning.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


@dataclass(slots=True)
class OpenSocket:
    """A connection that speaks WebSocket from here on.

    Attributes:
        rest: what the server sent after its handshake.
        sent: the messages that are on the wire already.
        sent_at_s: when they were (``time.monotonic()``); 0 for none.
    """

    socket: socket.socket
    rest: bytes
    sent: tuple[str, ...] = ()
    sent_at_s: float = 0.0


class Handshake:
    """A WebSocket being opened in a thread of its own, so that waiting for it can be given up.

    ``start`` connects; ``send`` names the first messages once they are known, or that they
    are not; ``take`` hands the connection over. Each is called once.

    Args:
        headers: those of the user, with the key.
        connect_timeout_s: for the connection and the handshake, each.
        proxy: leads there.
    """

    def __init__(
        self,
        target: Target,
        headers: Mapping[str, str],
        connect_timeout_s: float,
        proxy: ProxyAddress | None = None,
    ) -> None:
        self.target = target
        self._proxy = proxy
        self._headers = dict(headers)
        self._timeout_s = connect_timeout_s
        self._told = threading.Event()
        self._done = threading.Event()
        self._lock = threading.Lock()
        # under the lock
        self._abandoned = False
        self._raw: socket.socket | None = None
        # its own thread, until done
        self._opened: OpenSocket | None = None
        self._failure: Exception | None = None
        self.messages: tuple[str, ...] = ()
        """What is asked for first; empty while that is not known."""

    def start(self) -> None:
        threading.Thread(target=self._run, name="connect", daemon=True).start()

    def send(self, messages: Sequence[str] | None) -> None:
        """Send these as soon as there is a connection; None: nothing to ask for yet."""
        self.messages = tuple(messages or ())
        self._told.set()

    def serves(self, target: Target, first_message: str) -> bool:
        """Return whether it leads to ``target`` and begins with these messages, or with nothing
        yet."""
        return self.target == target and self.messages[:1] in ((), (first_message,))

    def take(self) -> OpenSocket:
        """Return the connection, once. Waits for it, for its failure or for ``abandon``.

        Raises:
            OSError: name not found, refused, timeout, TLS failure, broken off, or abandoned.
            ValueError: the host cannot be a host.
            NoWebSocketError: the server does not speak WebSocket there, or refuses.
        """
        self._done.wait()
        if self._failure is not None:
            raise self._failure
        with self._lock:
            taken, self._opened, self._raw = self._opened, None, None
        if taken is None:
            raise ConnectionAbortedError("given up")
        return taken

    def abandon(self) -> None:
        """Want the connection no more: whoever waits for it goes on at once. Any thread."""
        with self._lock:
            self._abandoned = True
            dropped, self._raw, self._opened = self._raw, None, None
        if dropped is not None:
            shut(dropped)
        self._told.set()
        self._done.set()

    def _run(self) -> None:
        try:
            raw = connect(self.target, self._timeout_s, self._proxy)
            if not self._keep(raw):
                raw.close()
                return
            try:
                rest = handshake(raw, self.target, self._headers, self._timeout_s)
                self._told.wait()
                if self.messages:
                    raw.sendall(b"".join(map(text_frame, self.messages)))
            except BaseException:
                raw.close()
                raise
            sent_at_s = time.monotonic() if self.messages else 0.0
            with self._lock:
                if self._abandoned:
                    raw.close()
                else:
                    self._opened = OpenSocket(raw, rest, self.messages, sent_at_s)
        except (OSError, ValueError, NoWebSocketError) as error:
            self._failure = error
        finally:
            self._done.set()

    def _keep(self, raw: socket.socket) -> bool:
        """Return whether it is still wanted; then ``abandon`` ends what waits there."""
        with self._lock:
            if not self._abandoned:
                self._raw = raw
            return not self._abandoned


def open_early(
    base_url: str,
    api_key: str,
    model: str,
    connect_timeout_s: float,
    extra: Mapping[str, str] = NO_EXTRA,
) -> Handshake:
    """Return a WebSocket to a Realtime endpoint, not yet begun.

    Args:
        extra: headers that the user adds; names in lower case.

    Raises:
        SettingsError: the environment names a proxy that cannot be used.
    """
    target = realtime_target(base_url, model)
    proxy = tunnel_proxy(base_url)
    headers = {**extra, **key_headers(target, api_key)}
    return Handshake(target, headers, connect_timeout_s, proxy)


def shut(opened: socket.socket) -> None:
    """Shut a socket down: whoever reads or writes there goes on at once. Any thread."""
    try:
        # an SSLSocket of Python would forget its TLS first, and hand out what is encrypted
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
    except OSError:
        pass  # closed already, which is what was wanted


def handshake(
    opened: socket.socket, target: Target, headers: Mapping[str, str], timeout_s: float
) -> bytes:
    """Ask for a WebSocket; return what the server sent right after agreeing.

    Raises:
        UnansweredError: it took too long.
        OSError: it broke off.
        NoWebSocketError: the server does not agree.
    """
    until_s = time.monotonic() + timeout_s
    nonce = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {target.path} HTTP/1.1",
        f"host: {target.authority}",
        "upgrade: websocket",
        "connection: Upgrade",
        f"sec-websocket-key: {nonce}",
        "sec-websocket-version: 13",
        "user-agent: voicestream",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    opened.settimeout(timeout_s)
    opened.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    head, rest = _read_head(opened, until_s)
    status, answered = _parsed(head)
    accepted = answered.get("sec-websocket-accept", "")
    if status == 101 and accepted == accept_of(nonce):
        return rest
    body = b"" if status < 300 else _read_body(opened, rest, answered)
    raise NoWebSocketError(status, answered, body)


def accept_of(nonce: str) -> str:
    """Return what proves that the server has understood the handshake (RFC 6455, 4.2.2)."""
    digest = hashlib.sha1((nonce + _GUID).encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _read_head(opened: socket.socket, until_s: float) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            opened.settimeout(max(until_s - time.monotonic(), 0.001))
            piece = opened.recv(4096)
        except TimeoutError as error:
            raise UnansweredError("no answer to the handshake in time") from error
        data += piece
        if not piece or len(data) > _MAX_HEAD_BYTES or not b"HTTP/".startswith(data[:5]):
            if data:  # no HTTP, or none that ends
                raise NoWebSocketError(0, {}, data[:MAX_BODY_BYTES])
            raise ConnectionResetError("the server closed the connection without an answer")
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _parsed(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    code = first.split(" ")[1:2]
    status = int(code[0]) if code and code[0].isdecimal() and len(code[0]) == 3 else 0
    pairs = (line.partition(":") for line in lines)
    return status, {name.strip().lower(): value.strip() for name, _, value in pairs}


def _read_body(opened: socket.socket, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the words of a refusal, as far as they come in a moment."""
    size = headers.get("content-length", "")
    wanted = min(int(size), MAX_BODY_BYTES) if size.isdecimal() else MAX_BODY_BYTES
    chunked = "chunked" in headers.get("transfer-encoding", "").lower()
    until_s = time.monotonic() + _BODY_S
    while len(body) < wanted and not (chunked and body.endswith(b"0\r\n\r\n")):
        try:
            opened.settimeout(max(until_s - time.monotonic(), 0.001))
            piece = opened.recv(4096)
        except OSError:
            break  # what came is what is told
        if not piece:
            break
        body += piece
    return b"".join(_chunks(body)) if chunked else body[:wanted]


def _chunks(body: bytes) -> Iterator[bytes]:
    """Yield what chunked transfer coding wraps (RFC 9112, 7.1), as far as it is whole."""
    while body:
        line, _, rest = body.partition(b"\r\n")
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            return
        yield rest[: max(size, 0)]
        body = rest[size + 2 :] if size > 0 else b""
