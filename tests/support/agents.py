"""An agent whose hooks call the real command."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.command import ROOT, command
from voicestream.agents.deliver import file_name

RECORDED = ROOT / "tests/data/agents"
_END_S = 20.0


class Agent:
    """Calls ``voicestream hook`` as an agent does.

    Args:
        env: of the agent, its runtime folder in it.
        cwd: the folder it works in.
        options: of the hook.
    """

    def __init__(self, env: Mapping[str, str], cwd: Path, *options: str) -> None:
        self.env = dict(env)
        self.cwd = cwd
        self.options = options
        self.folder = Path(env["VOICESTREAM_RUNTIME_DIR"], "hook")

    def hook(self, event: Mapping[str, Any] | bytes) -> None:
        """One event; it succeeds and is silent whatever it is."""
        given = event if isinstance(event, bytes) else json.dumps(event).encode()
        ended = subprocess.run(
            command("hook", *self.options),
            input=given,
            env=self.env,
            cwd=self.cwd,
            capture_output=True,
            timeout=20,
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b""), ended

    def play(self, name: str, speed: float = 1.0) -> float:
        """A recorded stream of events, so many times as fast as it was; when it began."""
        began_s = time.monotonic()
        for line in (RECORDED / f"{name}.jsonl").read_text().splitlines():
            row = json.loads(line)
            time.sleep(max(began_s + row["at_s"] / speed - time.monotonic(), 0.0))
            self.hook(row["event"])
        return began_s

    def socket(self, session: str) -> Path:
        """Of the speaker of a session; it is there as long as that."""
        return self.folder / file_name(session)

    def end(self, *sessions: str) -> None:
        """The sessions end; returns when their speakers have ended."""
        for session in sessions:
            self.hook({"hook_event_name": "SessionEnd", "session_id": session})
        ends_s = time.monotonic() + _END_S
        while any(self.socket(session).exists() for session in sessions):
            assert time.monotonic() < ends_s, "a speaker does not end"
            time.sleep(0.02)


@contextmanager
def agent(env: Mapping[str, str], cwd: Path, *options: str) -> Iterator[Agent]:
    """An agent; whatever speaks for it has ended afterwards."""
    one = Agent(env, cwd, *options)
    try:
        yield one
    finally:
        for file in one.folder.glob("*.off"):
            file.unlink()
        for file in one.folder.iterdir() if one.folder.exists() else ():
            if file.is_socket():
                _silence(file)


def _silence(path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as speaker:
        try:
            speaker.connect(str(path))
        except ConnectionRefusedError:
            return
        speaker.sendall(b'{"do": "off"}')
    ends_s = time.monotonic() + _END_S
    while path.exists() and time.monotonic() < ends_s:
        time.sleep(0.02)
