"""What signals do to ``say``: nothing is left behind, and the terminal is as it was."""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from voicestream.files import remove_latest_part

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
_NUMBERS = frozenset(int(getattr(signal, name)) for name in _ENDING if hasattr(signal, name))
_PATIENCE_S = (3.0, 0.5, 0.0)
"""How long the process may take to end after the first, second and third signal."""
_TELL_S = 2.0
"""After the first signal; then it is told how far a session came that has not ended yet."""
_CLEAN_UP_S = 0.5
STOPPED_JSON = b'{"completed": false, "ttfa_ms": null, "errors": ["stopped by a signal"]}\n'
"""What ``--json`` prints where a signal ends the process before there are figures."""


class Speaking(Protocol):
    """What a signal ends: a session, or a conversation."""

    interrupted: bool

    def interrupt(self) -> None: ...


class Signals:
    """Before there is a session a signal ends the process; the first one after that fades out
    and ends the reply, a second one ends the process. Main thread only.

    What whoever started us lets us ignore (``nohup``) stays ignored.
    """

    def __init__(self) -> None:
        self.clean_up: Callable[[], None] = lambda: None
        """Called where the process ends before there is a session."""
        self.restore: Callable[[], None] = lambda: None
        """Called where the process ends by force: the terminal's modes as they were."""
        self.session: Speaking | None = None
        self.last_words = b""
        """Written to stdout where the process ends by force."""
        self.stop_wanted = False
        """Ctrl-Z was pressed, and is yet to be obeyed."""
        self._number = int(signal.SIGINT)
        self.came = False
        """A session was ended by a signal."""
        self._came_s = math.inf
        self._stopped_by: Any = None
        """What SIGTSTP did before it was noted: it still does, a little later."""

    @property
    def overdue(self) -> bool:
        """Whether the session should have ended long ago."""
        return time.monotonic() - self._came_s > _TELL_S

    @property
    def exit_code(self) -> int:
        """What shells make of the first signal that came: 130 for SIGINT, 143 for SIGTERM."""
        return 128 + self._number

    def install(self) -> None:
        for name in _ENDING:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._end)
        if sys.platform != "win32":  # there it must be a socket
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
            threading.Thread(
                target=self._watch, args=(reader,), name="signals", daemon=True
            ).start()

    def _watch(self, reader: int) -> None:
        """End the process if it does not end itself; a thread of its own.

        The main thread may wait where no signal reaches it: for a terminal or a pipe that
        nobody reads, for a library that waits for a server.
        """
        count, wait_s, number = 0, None, 0
        while wait_s is None or select.select([reader], [], [], wait_s)[0]:
            for came in os.read(reader, 64):
                if came in _NUMBERS and signal.getsignal(came) == self._end:
                    number = number or came
                    wait_s = _PATIENCE_S[min(count, len(_PATIENCE_S) - 1)]
                    count += 1
        tidy = threading.Thread(target=self._tidy, daemon=True)
        tidy.start()
        tidy.join(_CLEAN_UP_S)
        os._exit(128 + number)

    def _tidy(self) -> None:
        self.clean_up()
        if self.session is None:
            remove_latest_part()
        self.restore()
        self._say_last_words()

    def _say_last_words(self) -> None:
        with suppress(OSError):  # nobody listens
            os.write(1, self.last_words)

    def _end(self, number: int, _frame: object) -> None:
        if self.session is None:
            self._number = number
            self.clean_up()
            remove_latest_part()
            self._say_last_words()
            # raised here, an exception could end up in whatever is being imported
            os._exit(self.exit_code)
        if self.came or self.session.interrupted:
            raise KeyboardInterrupt
        self._came_s = time.monotonic()
        self.came = True  # a session that is over is not interrupted any more
        self._number = number
        self.session.interrupt()

    @contextmanager
    def stop_noted(self) -> Iterator[None]:
        """Within, Ctrl-Z only sets ``stop_wanted``: a picture must be taken away first."""
        number = getattr(signal, "SIGTSTP", None)  # not on Windows
        if number is None or signal.getsignal(number) is signal.SIG_IGN:
            yield
            return
        self._stopped_by = signal.signal(number, self._note_stop)
        try:
            yield
        finally:
            signal.signal(number, self._stopped_by)

    def _note_stop(self, _number: int, _frame: object) -> None:
        self.stop_wanted = True

    def stop(self) -> None:
        """Stop, as wanted; returns when the process goes on."""
        self.stop_wanted = False
        if sys.platform != "win32":  # where nobody presses Ctrl-Z to stop a program
            signal.signal(signal.SIGTSTP, self._stopped_by)
            signal.raise_signal(signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, self._note_stop)
