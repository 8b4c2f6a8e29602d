"""A real HTTP server on a real socket that answers as scripted, badly if it should."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.support.script import Request, Script

Answer = Script | Iterable[Script] | Callable[[Request], Script]

_POLL_S = 0.01
_RESET = struct.pack("ii", 1, 0)


class _ClientGoneError(Exception):
    """The client closed the connection."""


class ScriptedServer:
    """An HTTP/1.1 server on 127.0.0.1, one thread a connection.

    Args:
        answer: one script for every request, scripts for each in turn (then status 500),
            or a function of the request.
        tls: speak TLS, with a certificate made for the occasion that nobody trusts.
    """

    def __init__(self, answer: Answer, tls: bool = False) -> None:
        self.requests: list[Request] = []
        """Every request read, in order of completion."""
        self.connected_s: list[float] = []
        """When each connection was accepted."""
        self.tls_failures = 0
        """Handshakes the client broke off."""
        self._script_of = _script_of(answer)
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._context = _tls_context() if tls else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1"
        self._start(self._accept)

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every reply and connection."""
        self._stopping.set()
        for thread in list(self._threads):
            thread.join(10)
        self._listener.close()

    def wait_request(self, number: int = 1, timeout_s: float = 20.0) -> Request:
        """The so-many-th request (from 1), once it has been read whole."""
        self._wait(lambda: len(self.requests) >= number, timeout_s, f"{number} requests")
        return self.requests[number - 1]

    def wait_sent(self, number: int = 1, sent_bytes: int = 1, timeout_s: float = 20.0) -> Request:
        """The so-many-th request, once so many bytes of its reply's body were sent."""
        request = self.wait_request(number, timeout_s)
        what = f"{sent_bytes} bytes in reply to request {number}"
        self._wait(lambda: request.sent_bytes >= sent_bytes, timeout_s, what)
        return request

    def wait_end(self, number: int = 1, timeout_s: float = 20.0) -> Request:
        """The so-many-th request, once its reply is over or the client has gone."""
        request = self.wait_request(number, timeout_s)
        self._wait(lambda: request.end_s is not None, timeout_s, f"the end of reply {number}")
        return request

    def _wait(self, happened: Callable[[], bool], timeout_s: float, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(happened, timeout_s):
                raise TimeoutError(f"the server did not see {what} within {timeout_s} s")

    def _start(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, name="scripted server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            if select.select([self._listener], [], [], _POLL_S)[0]:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connected_s.append(time.monotonic())
                self._start(self._serve, client, len(self.connected_s) - 1)

    def _serve(self, client: socket.socket, number: int) -> None:
        try:
            if self._context is not None:
                client.settimeout(10)
                client = self._context.wrap_socket(client, server_side=True)
        except OSError:
            with self._changed:
                self.tls_failures += 1
                self._changed.notify_all()
            client.close()
            return
        with client:
            connection = _Connection(client, number, self.connected_s[number], self._stopping)
            try:
                while (request := connection.read_request()) is not None:
                    with self._changed:
                        self.requests.append(request)
                        self._changed.notify_all()
                    if not self._reply(connection, request):
                        return
            except OSError:
                return  # The client broke off while asking; there is nothing to answer.

    def _reply(self, connection: _Connection, request: Request) -> bool:
        """Answer; whether the connection stays open."""
        script = self._script_of(request)
        try:
            for began_s, sent_bytes in connection.send(script, request.complete_s):
                with self._changed:
                    request.first_byte_s = request.first_byte_s or began_s
                    request.sent_bytes = sent_bytes
                    self._changed.notify_all()
        except (_ClientGoneError, OSError):
            request.client_closed_s = time.monotonic()
        cut = script.cut_after_bytes is not None or script.raw is not None
        with self._changed:
            request.end_s = time.monotonic()
            self._changed.notify_all()
        open_ended = script.framing == "close" or not script.keep_alive
        return request.client_closed_s is None and not cut and not open_ended


class _Connection:
    """One client's socket."""

    def __init__(
        self, client: socket.socket, number: int, connected_s: float, stopping: threading.Event
    ) -> None:
        self._client = client
        self._number = number
        self._connected_s = connected_s
        self._stopping = stopping
        self._unread = b""

    def read_request(self) -> Request | None:
        """The next request; None when the client or the server is done."""
        while b"\r\n\r\n" not in self._unread:
            if not self._read_more():
                return None
        head, self._unread = self._unread.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        size = int(headers.get("content-length", "0"))
        while len(self._unread) < size:
            if not self._read_more():
                return None
        body, self._unread = self._unread[:size], self._unread[size:]
        return Request(
            self._number, self._connected_s, method, path, headers, body, time.monotonic()
        )

    def send(self, script: Script, asked_s: float) -> Iterable[tuple[float, int]]:
        """Send the reply; yields after each write when it began, and the body's bytes so far."""
        self._pause_until(asked_s + script.header_delay_s)
        if script.raw is not None:
            self._client.sendall(script.raw)
            return
        self._client.sendall(script.head())
        began_s = time.monotonic()
        chunked = script.framing == "chunked"
        for at_s, start, end in script.writes():
            self._pause_until(began_s + at_s)
            if start == script.hold_at_bytes and script.hold is not None:
                began_s += self._hold(script.hold)
            piece = script.body[start:end]
            write_s = time.monotonic()
            self._client.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            yield write_s, end
        if script.cut_after_bytes is not None:
            self._cut(script)
        elif chunked:
            self._client.sendall(b"0\r\n\r\n")

    def _cut(self, script: Script) -> None:
        if script.cut == "stall":
            self._hold(threading.Event())
        elif script.cut == "reset":
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def _hold(self, hold: threading.Event) -> float:
        """Wait for the event, the client's going or the server's end; how long it took."""
        began_s = time.monotonic()
        while not hold.is_set() and not self._stopping.is_set():
            self._pause_until(time.monotonic() + _POLL_S)
        return time.monotonic() - began_s

    def _pause_until(self, due_s: float) -> None:
        """Wait, but notice at once when the client goes."""
        while (left_s := due_s - time.monotonic()) > 0 and not self._stopping.is_set():
            if select.select([self._client], [], [], min(left_s, 0.2))[0]:
                self._look_for_the_end()
                time.sleep(min(left_s, _POLL_S))

    def _look_for_the_end(self) -> None:
        if isinstance(self._client, ssl.SSLSocket):
            return  # TLS cannot peek; its clients are noticed when writing fails.
        if self._client.recv(1, socket.MSG_PEEK) == b"":
            raise _ClientGoneError

    def _read_more(self) -> bool:
        buffered = isinstance(self._client, ssl.SSLSocket) and self._client.pending() > 0
        while not buffered and not select.select([self._client], [], [], 0.05)[0]:
            if self._stopping.is_set():
                return False
        data = self._client.recv(65536)
        self._unread += data
        return data != b""


def _script_of(answer: Answer) -> Callable[[Request], Script]:
    if isinstance(answer, Script):
        return lambda _: answer
    if callable(answer):
        return answer
    scripts = iter(answer)
    lock = threading.Lock()

    def next_script(_: Request) -> Script:
        with lock:
            return next(scripts, Script.error(500, "the script has no more answers"))

    return next_script


def _tls_context() -> ssl.SSLContext:
    with tempfile.TemporaryDirectory() as folder:
        return tls_context(Path(folder, "certificate.pem"))


def tls_context(certificate: Path) -> ssl.SSLContext:
    """A server's side of TLS for 127.0.0.1, with a certificate made for the occasion.

    Args:
        certificate: the file that it is left in, for those who are to trust it.
    """
    key = certificate.with_suffix(".key")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
