"""Packets that are listened to at a real socket, in a thread."""

from __future__ import annotations

import threading
import time

from tests.support.packets import await_listener
from voicestream.session.packet_pieces import PacketPieces

_PATIENCE_S = 60


class Listener:
    """Plays what comes at ``place``, for nobody to hear."""

    def __init__(self, place: str, port: int, trace_file: str | None = None) -> None:
        self.pieces = PacketPieces(place, "it", trace_file)
        self.made: list[bytes] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        await_listener(port)

    def _run(self) -> None:
        self.pieces.open()
        for piece in self.pieces:
            self.made.append(piece)

    def until(self, name: str, least: float) -> None:
        """Wait until a figure is as large as that."""
        until_s = time.monotonic() + _PATIENCE_S
        while self.pieces.packets.get(name, 0) < least:
            assert time.monotonic() < until_s, self.pieces.packets
            time.sleep(0.005)

    def end(self) -> dict[str, float]:
        """The figures at the end."""
        self.pieces.give_up()
        self._thread.join(_PATIENCE_S)
        assert not self._thread.is_alive()
        self.pieces.close()
        return self.pieces.packets
