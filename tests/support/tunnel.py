"""Proxies that lead to other servers (CONNECT, SOCKS) and remember who asked for what."""

from __future__ import annotations

import contextlib
import re
import socket
import threading


class TunnelProxy:
    """Takes every client to one server, whatever it asks for.

    Args:
        url: of that server.
        answer: the status line instead of ``200 OK``; then it leads nowhere.
    """

    def __init__(self, url: str, answer: str = "200 OK") -> None:
        self.asked: list[str] = []
        """The head of each request."""
        host, port = re.sub(r"^\w+://|/.*", "", url).split(":")
        self._server = (host, int(port))
        self._answer = answer
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> TunnelProxy:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for opened in self._sockets:
            opened.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        if self._ask(client):
            server = socket.create_connection(self._server)
            self._sockets.append(server)
            threading.Thread(target=_copy, args=(server, client), daemon=True).start()
            _copy(client, server)
        else:
            client.close()

    def _ask(self, client: socket.socket) -> bool:
        """Hear where the client wants to go; return whether it is led there."""
        head = b""
        while b"\r\n\r\n" not in head and (piece := client.recv(4096)):
            head += piece
        self.asked.append(head.decode("latin-1"))
        client.sendall(f"HTTP/1.1 {self._answer}\r\n\r\n".encode())
        return self._answer.startswith("200")


class SocksProxy(TunnelProxy):
    """The same by SOCKS 5, for who logs in as ``me`` with ``secret``; ``answer`` is its code."""

    def __init__(self, url: str, answer: str = "0") -> None:
        super().__init__(url, answer)
        self.url = self.url.replace("http", "socks5")

    def _ask(self, client: socket.socket) -> bool:
        stream = client.makefile("rb")
        _, count = stream.read(2)
        if stream.read(count) != b"\2":
            client.sendall(b"\5\xff")
            return False
        client.sendall(b"\5\2")
        login = stream.read(len(b"\1\2me\6secret"))
        client.sendall(b"\1\0" if login == b"\1\2me\6secret" else b"\1\1")
        if login != b"\1\2me\6secret":
            return False
        host = stream.read(stream.read(5)[4]).decode()
        self.asked.append(f"{host}:{int.from_bytes(stream.read(2), 'big')}")
        # its own address is a name: of a length that is to be read
        client.sendall(bytes([5, int(self._answer), 0, 3, 2]) + b"me" + b"\0\1")
        return self._answer == "0"


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either side has gone
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
