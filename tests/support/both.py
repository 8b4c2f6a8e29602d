"""One address that speaks HTTP and WebSocket, as OpenAI's does."""

from __future__ import annotations

import select
import socket
import threading

from tests.support.realtime_server import RealtimeServer
from tests.support.server import ScriptedServer

_REALTIME = b"GET /v1/realtime"


class BothServers:
    """Leads a connection to the one or the other server by its first line."""

    def __init__(self, speech: ScriptedServer, realtime: RealtimeServer) -> None:
        self._ports = (int(speech.url.rsplit(":", 1)[1].split("/")[0]), realtime.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> BothServers:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        first = client.recv(len(_REALTIME), socket.MSG_WAITALL)
        port = self._ports[first == _REALTIME]
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            server.sendall(first)
            ends = {client: server, server: client}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    try:
                        data = end.recv(65536)
                        ends[end].sendall(data)
                    except OSError:
                        return
                    if not data:
                        return
