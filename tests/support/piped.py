"""The real command at the end of a pipe, and whoever writes into it."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.support import command
from tests.support.canary import WATCH


class Piped:
    """``voicestream say`` with a stdin that stays open until it is closed."""

    def __init__(self, *arguments: str, env: Mapping[str, str], cwd: Path) -> None:
        self.process = command.start("say", *arguments, env=env, cwd=cwd, stdin=subprocess.PIPE)
        self._writer: threading.Thread | None = None
        self.written_bytes = 0
        self.reader_gone = threading.Event()
        """The command closed its stdin, or ended."""

    def __enter__(self) -> Piped:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        if self._writer is not None:
            self._writer.join(10)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # what was buffered for the dead reader

    def write(self, text: str | bytes) -> None:
        """Write now."""
        data = text.encode() if isinstance(text, str) else text
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()
        self.written_bytes += len(data)

    def write_tokens(
        self, tokens: Iterable[str | bytes], rate_hz: float | None = 30.0, close: bool = True
    ) -> None:
        """Write in a thread of its own, so many a second; then close, if asked to."""

        def run() -> None:
            due_s = time.monotonic()
            try:
                for token in tokens:
                    if rate_hz is not None:
                        time.sleep(max(due_s - time.monotonic(), 0.0))
                        due_s += 1 / rate_hz
                    self.write(token)
                if close and self.process.stdin is not None:
                    self.process.stdin.close()
            except (BrokenPipeError, ValueError):
                self.reader_gone.set()

        self._writer = threading.Thread(target=run, name="writer", daemon=True)
        self._writer.start()

    def end(self, timeout_s: float = 30.0) -> tuple[int, bytes, bytes]:
        """Exit code, stdout and stderr, once it has ended."""
        out: list[bytes] = []

        def read() -> None:
            assert self.process.stdout is not None
            out.append(self.process.stdout.read())

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        assert self.process.stderr is not None
        err = self.process.stderr.read()
        reader.join(timeout_s)
        WATCH.look("stdout of a piped command", out[0])
        WATCH.look("stderr of a piped command", err)
        return self.process.wait(timeout_s), out[0], err

    def cpu_s(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def memory_bytes(self) -> int:
        """Resident memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096
