"""A process that waits for the floor, "speaks" for a while and leaves: a child of the tests.

Writes ``on NAME`` and ``off NAME`` with the time to a log that all of them share.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from voicestream.control import floor as floor_module
from voicestream.control.entries import Rank
from voicestream.control.floor import Floor
from voicestream.control.lines import Message
from voicestream.control.server import ControlServer, socket_path

_TICK_S = 0.005


def main() -> None:
    folder, log, name, rank, speaks_s, patience_s = sys.argv[1:]
    floor_module.PATIENCE_S = float(patience_s)
    wanted = threading.Event()

    def answer(message: Message) -> Message:
        wanted.set()
        return {"ok": message["verb"] == "yield"}

    who = f"{os.getpid()}-1"
    server = ControlServer(socket_path(folder, who), answer)
    server.start()
    floor = Floor(folder, who, time.monotonic(), Rank(rank))
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)

    def note(word: str) -> None:
        os.write(descriptor, f"{time.monotonic():.4f} {word} {name}\n".encode())

    floor.enter()
    note("queued")
    left_s = float(speaks_s)

    def gives_way() -> bool:
        """As a turn does: who asks may have looked while a place in the queue was renamed."""
        asked = wanted.is_set()
        wanted.clear()
        return floor.lost() or (asked and floor.others_before())

    while left_s > 0:
        floor.acquire(lambda: False)
        wanted.clear()
        note("on")
        while left_s > 0 and not gives_way():
            time.sleep(_TICK_S)
            left_s -= _TICK_S
        note("off")
        if left_s > 0:
            floor.give_way(time.monotonic())
            server.tell({"event": "gave way"})
    floor.leave(time.monotonic())
    server.close()


main()
