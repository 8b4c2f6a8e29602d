"""A real engine of its own, and the commands that it speaks for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import command
from tests.support.server import ScriptedServer

_WITHIN_S = 50.0


class Engine:
    """An engine in a runtime folder.

    Attributes:
        env: of commands that it speaks for.
        folder: where these run.
        runtime: the runtime folder.
    """

    def __init__(self, env: Mapping[str, str], folder: Path, runtime: Path) -> None:
        self.env = dict(env)
        self.folder = folder
        self.runtime = runtime

    def status(self) -> dict[str, Any]:
        done = command.run("engine", "status", "--json", env=self.env, cwd=self.folder)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @property
    def state(self) -> dict[str, Any]:
        """What it says of itself, without a command."""
        found: dict[str, Any] = json.loads((self.runtime / "engine" / "lock").read_text() or "{}")
        return found

    @property
    def calls(self) -> int:
        """How many calls it has taken."""
        return int(self.state["calls"])

    @property
    def pid(self) -> int:
        return int(self.state["pid"])

    def children(self) -> list[int]:
        """Its processes that live: those that speak, and the spare one."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(number) for number in listed if _lives(number)]

    def start(self, server: ScriptedServer, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """A command that it speaks for, and that has asked the server. One that it was too busy
        for to greet in time speaks by itself, and is started again. Linux only.

        Args:
            more: variables of the environment.
        """
        env = {**self.env, "VOICESTREAM_BASE_URL": server.url, **more}
        asked = len(server.requests)
        process = command.start(*words, env=env, cwd=self.folder)
        server.wait_request(asked + 1)
        if len(os.listdir(f"/proc/{process.pid}/task")) == 1:  # who speaks itself has more threads
            return process
        process.kill()
        process.communicate()
        return self.start(server, *words, **more)

    def speaking(self) -> list[int]:
        """Its processes that have a call. Linux only."""
        until(lambda: len(self.children()) > int(self.state["speaking"]))  # the newest is the spare
        return self.children()[: int(self.state["speaking"])]

    def until(self, speaking: int) -> None:
        """Until so many calls are being carried out."""
        until(lambda: self.state.get("speaking") == speaking)

    def until_children(self, number: int) -> None:
        """Until it has so many processes, the spare one among them."""
        until(lambda: len(self.children()) == number)


def _lives(number: str) -> bool:
    """Whether it is there, and not only waited for."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before, or while, it is read
        return False


def until(happened: Callable[[], object]) -> None:
    """Wait until something has happened."""
    ends_s = time.monotonic() + _WITHIN_S
    while not happened():
        assert time.monotonic() < ends_s
        time.sleep(0.01)


@contextmanager
def engine(env: Mapping[str, str], folder: Path, runtime: Path) -> Iterator[Engine]:
    """An engine that runs as long as the block.

    Args:
        env: of the engine and of its callers.
        folder: where its callers run.
        runtime: the runtime folder, with a short path.
    """
    runtime.chmod(0o700)
    env = {**env, "VOICESTREAM_RUNTIME_DIR": str(runtime), "VOICESTREAM_ENGINE": ""}
    done = command.run("engine", "start", env=env, cwd=folder)
    assert done.returncode == 0, done.stderr
    running = Engine(env, folder, runtime)
    pid = running.pid
    try:
        yield running
    finally:
        for number in (signal.SIGCONT, signal.SIGTERM):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
