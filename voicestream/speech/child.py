"""Sound of a child process that writes it while it makes it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

from voicestream.errors import ReplyError

_PIECE_BYTES = 8192
_HEADER_BYTES = 44
"""Of the WAV that such programs write; the rate stands at 24."""


class Child:
    """A program that reads a text and writes 16-bit mono PCM, raw or as WAV.

    Its sound comes at one rate, whatever it writes. Used by one thread; :meth:`stop` by any.

    Args:
        command: the program and its arguments.
        text: what it reads from its standard input, to the end.
        rate_hz: the rate of its PCM; 0: it writes WAV, whose header tells.
        wanted_hz: the rate of what is given out.
    """

    def __init__(self, command: Sequence[str], text: str, rate_hz: int, wanted_hz: int) -> None:
        self._command = command
        self._text = text
        self._rate_hz = rate_hz
        self._wanted_hz = wanted_hz
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None  # under the lock
        self._stopped = False

    def stop(self) -> None:
        """End it. What it has written still comes."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def __iter__(self) -> Iterator[bytes]:
        """Yield 16-bit PCM as it is made.

        Raises:
            ReplyError: the program cannot be started, or fails.
        """
        process = self._start()
        if process is None:
            return
        assert process.stdout is not None  # it was given pipes
        out = process.stdout.fileno()
        writer = threading.Thread(target=self._write, args=(process,), daemon=True)
        writer.start()
        ended = False
        try:
            yield from self._converted(iter(lambda: os.read(out, _PIECE_BYTES), b""))
            ended = True
        finally:
            if not ended:
                process.kill()
            code = process.wait()
            writer.join()
            process.stdout.close()
        if code and not self._stopped:
            raise ReplyError(f"{self._command[0]} ended with exit code {code}")

    def _start(self) -> subprocess.Popen[bytes] | None:
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0
        with self._lock:
            if self._stopped:
                return None
            try:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    creationflags=hidden,
                )
            except OSError as error:
                told = f"{self._command[0]} cannot be started"
                raise ReplyError(told, error.strerror or str(error)) from error
            return self._process

    def _write(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(self._text.encode("utf-8", "replace"))
            process.stdin.close()
        except OSError:
            pass  # it has gone: its exit code tells

    def _converted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        import numpy as np
        import soxr

        rate_hz, rest = self._rate_hz, b""
        resampler = None
        for piece in pieces:
            rest += piece
            if not rate_hz:
                if len(rest) < _HEADER_BYTES:
                    continue
                rate_hz = int.from_bytes(rest[24:28], "little")
                rest = rest[_HEADER_BYTES:]
            whole = len(rest) // 2 * 2
            frames, rest = np.frombuffer(rest[:whole], "<i2"), rest[whole:]
            resampler = resampler or soxr.ResampleStream(rate_hz, self._wanted_hz, 1, "int16")
            yield resampler.resample_chunk(frames).tobytes()
        if resampler is not None:
            yield resampler.resample_chunk(np.empty(0, np.int16), last=True).tobytes()
