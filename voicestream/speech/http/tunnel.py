"""A way through a proxy to another server (CONNECT, RFC 9110, 9.3.6)."""

from __future__ import annotations

import socket
import time
from base64 import b64encode

from voicestream.settings.proxy import ProxyAddress

_MAX_HEAD_BYTES = 64 << 10


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


def tunnel(opened: socket.socket, proxy: ProxyAddress, authority: str, timeout_s: float) -> None:
    """Turn a connection to a proxy into one to the server behind it.

    Args:
        authority: host and port of that server.

    Raises:
        NoTunnelError: the proxy does not lead there.
        OSError: it took too long, or broke off.
    """
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
