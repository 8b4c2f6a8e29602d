"""``voicestream say`` on a terminal, hit by a signal at a moment drawn from a seed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import threading
import time
import wave
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import command
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.support.sound import ramp
from tests.support.terminal import Terminal

KINDS = (
    *("SIGINT", "SIGTERM", "reader gone", "SIGTSTP", "SIGHUP", "terminal stops", "pipe stalls"),
    *("terminal closed", "closed, nohup"),
)
"""``terminal stops`` and ``pipe stalls``: SIGTERM where nobody reads what is written, as after
Ctrl-S. ``terminal closed``: the window goes, and with it the terminal that controls the
process; with ``nohup`` the process outlives it."""
_TEXT = "This is the first sentence of them. Here comes the second one. And that was all."
_SENTENCE_S = 0.3
_EARLY_S, _LATE_S = 0.15, 1.4
_PATIENCE_S = 30.0
_OURS = re.compile(rb'voicestream/(cli/|__main__\.py", line \d+, in main)')
"""Of a traceback, where Python is up and we have begun."""
_FILES = {"out.wav", "playout.json", "stdout", "seen"}  # the last: digests of what was said


@dataclass
class Hit:
    """What became of one run.

    Attributes:
        kind: one of ``KINDS``.
        early: hit before it asked for anything, maybe before its first line of Python.
        problems: all that is not as it should be.
    """

    seed: int
    kind: str
    early: bool
    code: int | None = None
    problems: list[str] = field(default_factory=list)


class Target:
    """The server, which tells when each run has asked for something."""

    def __init__(self) -> None:
        self._asked: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._script = Script(ramp(round(_SENTENCE_S * 24_000)).tobytes(), rate_bytes_per_s=96_000)
        self.server = ScriptedServer(self._answer)

    def _answer(self, request: Request) -> Script:
        self._asked[request.path.split("/")[1]].set()
        return self._script

    def url(self, seed: int) -> str:
        return f"{self.server.url.removesuffix('/v1')}/{seed}/v1"

    def wait_asked(self, seed: int) -> bool:
        return self._asked[str(seed)].wait(_PATIENCE_S)


class _Run:
    def __init__(self, seed: int, target: Target, folder: Path) -> None:
        self._chance = random.Random(seed)
        kind = KINDS[seed % len(KINDS)]
        self._hit = Hit(seed, kind, self._chance.random() < 0.25)
        self._folder = folder / str(seed)
        self._folder.mkdir()
        self._target = target
        self._terminal = Terminal()
        self._out: int | None = None
        self._stalled: int | None = None
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        options = ["--device", "null", "--panel", "on"]
        options += ["--base-url", self._target.url(self._hit.seed)]
        if self._hit.kind == "reader gone":
            options += self._chance.choice((["--echo"], ["--json"], ["--save", "-"]))
            self._out, out = os.pipe()
        elif self._hit.kind == "pipe stalls":
            options += ["--save", "-"]
            self._stalled, out = os.pipe()
        else:
            options += self._chance.choice(([], ["--json"], ["--save", "out.wav"]))
            out = os.open(self._folder / "stdout", os.O_WRONLY | os.O_CREAT)
        env = command.environment(self._folder, {"TERM": "xterm-256color"})
        begin = command.command("say", _TEXT, *options)
        if self._controlled:
            nohup = ["nohup"] if self._hit.kind == "closed, nohup" else []
            begin = ["setsid", "--ctty", *nohup, *begin]
        try:
            return subprocess.Popen(
                begin,
                env=env,
                cwd=self._folder,
                stdin=self._terminal.slave,
                stdout=out,
                stderr=self._terminal.slave,
                # one that has a parent in its session, or SIGTSTP is ignored
                process_group=None if self._controlled else 0,
            )
        finally:
            os.close(out)

    def run(self) -> Hit:
        """All of it; nothing of it is left afterwards but its folder."""
        try:
            self._strike()
            self._hit.code = self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._problem("hangs")
        finally:
            self._process.kill()
            self._process.wait(10)
            if self._stalled is not None:
                os.close(self._stalled)
            if not self._controlled:
                self._look_at_terminal()
        if self._hit.code is not None:
            self._judge(self._hit.code)
        return self._hit

    @property
    def _controlled(self) -> bool:
        """Whether the terminal is the one that controls the process, and is closed."""
        return "closed" in self._hit.kind

    def _look_at_terminal(self) -> None:
        self._terminal.go_on()
        troubles = self._terminal.troubles()
        # what shows the cursor again was not written
        self._look(troubles if self._hit.kind != "terminal stops" else troubles[:0])
        self._terminal.close()

    def _problem(self, text: str) -> None:
        self._hit.problems.append(text)

    def _look(self, troubles: Sequence[str]) -> None:
        self._hit.problems.extend(troubles)

    def _strike(self) -> None:
        wait_s = self._chance.random() * (_EARLY_S if self._hit.early else _LATE_S)
        if not self._hit.early and not self._target.wait_asked(self._hit.seed):
            self._problem("asks for nothing")
        if self._out is not None:
            self._read_for(wait_s, self._out)
            return
        if self._hit.kind == "terminal stops":
            self._terminal.stop()
        time.sleep(wait_s)
        if self._controlled:
            self._terminal.hang_up()
        elif self._hit.kind == "SIGTSTP":
            self._stop_and_go_on()
        else:
            self._process.send_signal(getattr(signal, self._hit.kind, signal.SIGTERM))

    def _read_for(self, wait_s: float, out: int) -> None:
        """Read its stdout for so long, then no more."""
        os.set_blocking(out, False)
        until_s = time.monotonic() + wait_s
        while time.monotonic() < until_s:
            try:
                os.read(out, 65536)
            except BlockingIOError:
                pass  # nothing yet
            time.sleep(0.005)
        os.close(out)

    def _stop_and_go_on(self) -> None:
        self._process.send_signal(signal.SIGTSTP)
        until_s = time.monotonic() + _PATIENCE_S
        while (state := self._state()) not in ("T", "Z", "") and time.monotonic() < until_s:
            time.sleep(0.005)
        if state == "T":
            time.sleep(0.05 + self._chance.random() * 0.6)
            self._look([f"while stopped, {trouble}" for trouble in self._terminal.troubles()])
        elif state not in ("Z", ""):
            self._problem("does not stop")
        self._process.send_signal(signal.SIGCONT)

    def _state(self) -> str:
        """``T`` when stopped, ``Z`` when ended."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:
            return ""
        return stat.rsplit(")", 1)[1].split()[0]

    def _judge(self, code: int) -> None:
        written = self._terminal.written
        spoken = b"heard " in written.replace(b": heard ", b"")
        wanted: dict[str, set[int]] = {
            "SIGINT": {130} | ({0} if spoken else set()),
            "SIGTERM": {143} | ({0} if spoken else set()),
            "reader gone": {141} | ({0} if spoken else set()),
            "SIGTSTP": {0},
            "SIGHUP": {129} | ({0} if spoken else set()),
        }
        # it may have ended well, and nobody could read its summary
        wanted["terminal closed"], wanted["closed, nohup"] = wanted["SIGHUP"] | {0}, {0}
        wanted["terminal stops"] = wanted["pipe stalls"] = set(wanted["SIGTERM"])
        if self._hit.early:  # Python was not up yet: it ends as it likes
            wanted["SIGINT"] |= {-signal.SIGINT, 1}
            wanted["SIGHUP"].add(-signal.SIGHUP)
            wanted["terminal closed"] |= {-signal.SIGHUP, 1}
            wanted["closed, nohup"] |= {-signal.SIGHUP, 1}  # neither setsid nor nohup was up
            for kind in ("SIGTERM", "terminal stops", "pipe stalls"):
                wanted[kind].add(-signal.SIGTERM)
        if code not in wanted[self._hit.kind]:
            self._problem(f"exit code {code}: {written[-300:]!r}")
        if b"Traceback" in written and (_OURS.search(written) or not self._hit.early):
            self._problem(f"traceback: {written[-1500:].decode(errors='replace')}")
        self._judge_files(code)
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return
        self._problem("it left processes")

    def _judge_files(self, code: int) -> None:
        files = [file for file in self._folder.rglob("*") if file.is_file()]
        self._look([f"left {file.name}" for file in files if file.name not in _FILES])
        saved = self._folder / "out.wav"
        if not saved.exists():
            return
        try:
            with wave.open(str(saved)) as sound:
                frames = sound.getnframes()
                size_bytes = 8 + int.from_bytes(saved.read_bytes()[4:8], "little")
        except (wave.Error, EOFError) as error:
            self._problem(f"the saved file is no WAV: {error}")
            return
        if not 44 + 2 * frames <= size_bytes == saved.stat().st_size:
            self._problem("the saved file's header is wrong")
        if code == 0 and frames < 3 * _SENTENCE_S * 24_000:
            self._problem("not all was saved")


def hit_many(
    seeds: Sequence[int], folder: Path, at_once: int = 6, told: Callable[[Hit], Any] | None = None
) -> list[Hit]:
    """Run all seeds, several at once; ``told`` is called after each."""

    def one(seed: int) -> Hit:
        hit = _Run(seed, target, folder).run()
        if told is not None:
            told(hit)
        return hit

    target = Target()
    with target.server, ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, seeds))


def tally(hits: Sequence[Hit]) -> Counter[tuple[str, int | None]]:
    """How often each kind ended with each exit code."""
    return Counter((hit.kind, hit.code) for hit in hits)
