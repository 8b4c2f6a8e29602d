"""A pseudo terminal that is read to its end, can be stopped, and can be closed under its users."""

from __future__ import annotations

import os
import pty
import re
import select
import termios
import threading
import time

_MODES = re.compile(rb"\x1b\[\?(25|7)([hl])")


class Terminal:
    """A pseudo terminal, and everything that was written on it."""

    def __init__(self) -> None:
        self._master, self.slave = pty.openpty()
        self._before = termios.tcgetattr(self.slave)
        self.written = b""
        self._leave, self._left = os.pipe()
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while self._leave not in select.select([self._master, self._leave], [], [])[0]:
                if not (data := os.read(self._master, 65536)):
                    return
                self.written += data
        except OSError:
            return  # EIO: nobody has it open any more

    def hang_up(self) -> None:
        """As when its window is closed: whom it controls gets SIGHUP, all others EIO."""
        os.close(self._left)
        self._reader.join(10)
        os.close(self.slave)
        os.close(self._master)
        os.close(self._leave)

    def stop(self) -> None:
        """As Ctrl-S: whoever writes waits."""
        termios.tcflow(self.slave, termios.TCOOFF)

    def go_on(self) -> None:
        termios.tcflow(self.slave, termios.TCOON)

    def troubles(self) -> list[str]:
        """What is not as it was before, once all that was written has been read."""
        until_s = time.monotonic() + 3
        while (found := self._troubles()) and time.monotonic() < until_s:
            time.sleep(0.005)
        return found

    def _troubles(self) -> list[str]:
        found = []
        if termios.tcgetattr(self.slave) != self._before:
            found.append("the terminal's modes are changed")
        last = dict(_MODES.findall(self.written))
        if last.get(b"25", b"h") != b"h":
            found.append("the cursor is hidden")
        if last.get(b"7", b"h") != b"h":
            found.append("lines do not wrap")
        return found

    def close(self) -> None:
        """Everything written has been read afterwards."""
        os.close(self.slave)
        self._reader.join(10)
        for descriptor in (self._master, self._leave, self._left):
            os.close(descriptor)
