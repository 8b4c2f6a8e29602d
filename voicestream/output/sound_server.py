"""Whether PulseAudio, or PipeWire in its place, is still there: neither miniaudio nor PortAudio
tells when it has ended."""

from __future__ import annotations

import os
import select
import socket
import stat
import sys


class ServerWatch:
    """Sees whether the sound server is still there that this process is connected to now.

    Always, where that is by another way than a socket of this machine, or not on Linux.
    """

    def __init__(self) -> None:
        self._lines = _server_lines()

    @property
    def there(self) -> bool:
        return self._lines <= _server_lines()


def _server_lines() -> frozenset[int]:
    """Return the descriptors of the connections to a sound server that live."""
    living: set[int] = set()
    if sys.platform == "linux":
        for number in map(int, os.listdir("/proc/self/fd")):
            try:
                if not stat.S_ISSOCK(os.fstat(number).st_mode):
                    continue
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, os.dup(number)) as line:
                    hung_up = select.poll()
                    hung_up.register(line, 0)
                    if _is_server(line.getpeername()) and not hung_up.poll(0):
                        living.add(number)
            except OSError:  # it was closed just now, or is not connected
                continue
    return frozenset(living)


def _is_server(address: object) -> bool:
    """Return whether this is where PulseAudio listens: the address of another family is no text."""
    return isinstance(address, str) and (address.endswith("/native") or "pulse" in address)
