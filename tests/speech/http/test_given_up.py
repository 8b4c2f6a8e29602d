"""A connection that is given up while the other side still sends."""

from __future__ import annotations

import select
import socket
import threading

from voicestream.speech.http.connect import reset

_WAIT_S = 20.0
_MUCH = bytes(64 << 20)
"""More than any two sockets hold."""


def test_who_waits_for_room_to_send_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    told = threading.Event()

    def send() -> None:
        with server:
            try:
                server.sendall(_MUCH)
            except OSError:
                told.set()

    threading.Thread(target=send, daemon=True).start()
    client.settimeout(_WAIT_S)
    assert client.recv(4096)
    while not _is_full(server):
        continue
    reset(client)
    while client.recv(65_536):  # whoever reads comes to the end
        continue
    client.close()
    assert told.wait(_WAIT_S)


def _is_full(sender: socket.socket) -> bool:
    return not select.select([], [sender], [], 0.2)[1]
