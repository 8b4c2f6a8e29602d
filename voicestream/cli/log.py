"""``--log``: what happened when, one line each, with no key in it."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from voicestream.cli.report import warn
from voicestream.errors import SaveError
from voicestream.files import no_folder, open_special
from voicestream.printable import printable
from voicestream.redact import redacted

if TYPE_CHECKING:
    from voicestream.session.result import Event, Result
    from voicestream.settings.table import Settings

_END_S = 1.0
"""How long the end may wait for a slow disk."""


class Log:
    """Appends lines to a file, in a thread of its own: who notes something never waits.

    Any thread may call ``note`` and ``event``.

    Args:
        path: the file; a new one is for its owner's eyes only.
        start_s: when the process started, on the clock of ``time.monotonic()``.

    Raises:
        SaveError: it cannot be opened.
    """

    def __init__(self, path: str, start_s: float) -> None:
        try:
            number = open_special(path, os.O_CREAT | os.O_APPEND)
        except OSError as error:
            what = f"{path} cannot be written"
            raise SaveError(what, error.strerror or str(error), no_folder(path)) from error
        self._file = open(number, "w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
        self._path = path
        self._failure = ""
        self._start_s = start_s
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="log", daemon=True)
        self._writer.start()

    def note(self, text: str) -> None:
        """Add a line: the date and time, seconds since the start of the process, the text."""
        since_s = time.monotonic() - self._start_s
        now_s = time.time()
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now_s))
        self._lines.put(f"{at}.{now_s % 1 * 1000:03.0f} {since_s:9.3f}  {text}")

    def begin(self, settings: Settings) -> None:
        """Note the program, the settings and where each was set."""
        from voicestream.settings.table import TABLE, shown_value

        self.note(f"voicestream, Python {sys.version.split()[0]}, {sys.platform}, {os.getpid()}")
        for row in TABLE:
            if row.name in settings.sources:
                value = shown_value(settings, row.name)
                self.note(f"setting {row.name} = {value} ({settings.source(row.name)})")
        self.note(f"endpoint {settings.base_url}, model {settings.model}, voice {settings.voice}")

    def event(self, event: Event) -> None:
        """Note an event of the session."""
        segment = "" if event.segment is None else f" {event.segment}"
        self.note(f"{event.kind}{segment} {event.text}")

    def end(self, result: Result, exit_code: int) -> None:
        """Note how it ended."""
        seen = result.snapshot
        marks = (f"{name} {ms:.0f}" for name, ms in seen.timeline_ms.items() if ms is not None)
        self.note(f"ms since the start: {', '.join(marks)}")
        self.note(
            f"{seen.endpoint} {seen.format}: {seen.bytes} bytes, {seen.audio_s:.3f} s of sound, "
            f"{seen.underruns} underruns, {seen.stall_ms:.0f} ms of silence"
        )
        for error in result.errors:
            self.note(f"error: {error}")
        self.note(f"exit code {exit_code}")

    def close(self) -> None:
        """Wait until all is written, a second at most; tell if it could not be."""
        self._lines.put(None)
        self._writer.join(_END_S)
        if self._failure:
            warn(f"{self._path} is not whole: {self._failure}")

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._file.write(printable(redacted(line)) + "\n")
                self._file.flush()
            except (OSError, ValueError) as error:  # a full disk must not end the speech
                self._failure = getattr(error, "strerror", None) or str(error)
                with suppress(OSError, ValueError):  # what is left in its buffer fails again
                    self._file.close()
                return
        self._file.close()
