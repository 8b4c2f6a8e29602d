"""A way through a proxy to another server: CONNECT (RFC 9110, 9.3.6), or SOCKS (RFC 1928)."""

from __future__ import annotations

import socket
import time
from base64 import b64encode

from voicestream.settings.proxy import ProxyAddress

_MAX_HEAD_BYTES = 64 << 10
_SOCKS = {
    2: "not allowed",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "too far",
}
"""What a SOCKS proxy answers, in its own words."""


class NoTunnelError(OSError):
    """The proxy answered, and does not lead there.

    Args:
        status: of HTTP; 0 for what is no HTTP.
        reason: its own words.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}".strip())
        self.status = status
        self.reason = reason


def tunnel(
    opened: socket.socket, proxy: ProxyAddress, host: str, port: int, timeout_s: float
) -> None:
    """Turn a connection to a proxy into one to the server behind it.

    Args:
        host: of that server; an IPv6 address in brackets.

    Raises:
        NoTunnelError: the proxy does not lead there.
        OSError: it took too long, or broke off.
    """
    if proxy.scheme.startswith("socks"):
        _socks(opened, proxy, host.strip("[]"), port, time.monotonic() + timeout_s)
        return
    authority = f"{host}:{port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"host: {authority}"]
    if proxy.user or proxy.password:
        named = b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        lines.append(f"proxy-authorization: Basic {named}")
    until_s = time.monotonic() + timeout_s
    opened.settimeout(timeout_s)
    opened.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    head = b""
    while b"\r\n\r\n" not in head:
        opened.settimeout(max(until_s - time.monotonic(), 0.001))
        # nothing may be read beyond the head: what follows is the other server's
        piece = opened.recv(1)
        head += piece
        if not piece or len(head) > _MAX_HEAD_BYTES or not b"HTTP/".startswith(head[:5]):
            raise NoTunnelError(0, "it does not answer with HTTP")
    first = head.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
    status = int(first[1]) if len(first) > 1 and first[1].isdecimal() else 0
    if not 200 <= status < 300:
        raise NoTunnelError(status, first[2] if len(first) > 2 else "")


def _socks(
    opened: socket.socket, proxy: ProxyAddress, host: str, port: int, until_s: float
) -> None:
    """Ask a SOCKS 5 proxy, which looks up the name."""

    def asked(question: bytes, size: int) -> bytes:
        opened.settimeout(max(until_s - time.monotonic(), 0.001))
        opened.sendall(question)
        answer = b""
        while len(answer) < size:
            opened.settimeout(max(until_s - time.monotonic(), 0.001))
            piece = opened.recv(size - len(answer))
            if not piece:
                raise NoTunnelError(0, "it closed the connection")
            answer += piece
        return answer

    def counted(text: str) -> bytes:
        data = text.encode()
        if len(data) > 255:
            raise NoTunnelError(0, "a name that is too long for SOCKS")
        return bytes([len(data)]) + data

    login = bool(proxy.user or proxy.password)
    method = asked(b"\5\1\2" if login else b"\5\1\0", 2)
    if method not in (b"\5\0", b"\5\2") or (method == b"\5\2" and not login):
        what = "it wants a login" if method == b"\5\xff" else "it does not speak SOCKS 5"
        raise NoTunnelError(407 if method == b"\5\xff" else 0, what)
    if method == b"\5\2":
        answer = asked(b"\1" + counted(proxy.user) + counted(proxy.password), 2)
        if answer[1]:
            raise NoTunnelError(407, "it refuses the login")
    _, told, _, kind = asked(b"\5\1\0\3" + counted(host) + port.to_bytes(2, "big"), 4)
    if told:
        raise NoTunnelError(0, _SOCKS.get(told, f"error {told}"))
    size = {1: 4, 4: 16}.get(kind)
    asked(b"", (asked(b"", 1)[0] if size is None else size) + 2)  # its own address
