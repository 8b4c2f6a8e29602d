"""TLS connections that are made before they are asked for, by an engine's spare process.

TCP and TLS take three ways to a server and back, which whoever loads a program meanwhile does not
notice, and whoever has it loaded does. One that nobody wanted for a while is closed.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time

from voicestream.speech.http.request import CONNECT_S, Target, connect, made_before
from voicestream.speech.http.tls import trusted

KEPT_S = 50.0
"""Servers close one that asks for nothing after a minute (nginx: ``client_header_timeout``)."""
_Place = tuple[str, int, str, str]
_made: dict[_Place, socket.socket] = {}
connected: list[tuple[str, int]] = []
"""The hosts and ports that this process had to connect to, or was connected to already."""


def connect_ahead(host: str, port: int) -> None:
    """Connect there in a thread of its own; return at once."""
    threading.Thread(target=_keep, args=(host, port), name="connect ahead", daemon=True).start()


def _keep(host: str, port: int) -> None:
    place = (host, port, *trusted())
    try:
        _made[place] = connect(Target("https", host, port, ""), CONNECT_S)
    except (OSError, ValueError):
        return  # whoever asks is told
    time.sleep(KEPT_S)
    late = _made.pop(place, None)
    if late is not None:
        late.close()


def made_ahead(host: str, port: int, timeout_s: float) -> socket.socket | None:
    """Return a connection that lives, with these times; None: there is none."""
    connected.append((host, port))
    made = _made.pop((host, port, *trusted()), None)
    if made is None:
        return None
    try:
        made.settimeout(0.0)
        made.recv(1)  # a ticket of TLS may wait, which is nothing that it would return
    except ssl.SSLWantReadError:
        made.settimeout(timeout_s)
        return made
    except OSError:
        pass  # the server has closed it
    made.close()
    return None


made_before[:] = [made_ahead]
