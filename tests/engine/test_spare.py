"""What a spare is told by its engine, whatever comes first."""

from __future__ import annotations

import socket

from voicestream.control.lines import encoded
from voicestream.engine.spare import Spare


def test_a_place_that_is_told_meanwhile_is_no_answer() -> None:
    engine, line = socket.socketpair()
    with engine, line, socket.socket() as local:
        spare = Spare(local, None, line, lambda _: 0, lambda _host, _port: None)
        engine.sendall(encoded({"place": ["host", 443]}) + encoded({"elsewhere": 1}))
        assert spare._ask_engine(stop=True) == 1
        assert b'"stop"' in engine.recv(4096)
