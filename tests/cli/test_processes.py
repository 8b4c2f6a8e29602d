"""What a process may lack: memory, files, threads, a signal that comes in time."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Call, run
from tests.support import command
from tests.support.script import Script
from tests.support.server import ScriptedServer
from tests.support.sound import ramp
from voicestream.cli import system_limits
from voicestream.errors import DeviceError
from voicestream.session import outputs

SAY = ["say", "Hello.", "--device", "null", "--panel", "off"]
LONG = Script(ramp(24_000 * 20).tobytes(), rate_bytes_per_s=96_000)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("ulimit -v 200000", ("195 MiB of memory", "ulimit -v")),
        ("ulimit -v 100000", ("97 MiB of memory", "ulimit -v")),
        ("ulimit -n 20", ("20 open files", "ulimit -n")),
    ],
)
def test_too_little_of_something_is_told_in_one_line(
    tmp_path: Path, before: str, words: tuple[str, ...]
) -> None:
    ended = run(Call([*SAY, "--save", "x.wav"], before=before), tmp_path)
    assert (ended.code, len(ended.err.splitlines()), ended.left) == (1, 1, {})
    for word in words:
        assert word in ended.err


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("can't start new thread"), OSError(24, "Too many open files")],
)
def test_what_runs_out_on_the_way_is_known(error: Exception) -> None:
    assert system_limits.shortage(error) is not None
    assert system_limits.shortage(ValueError("x")) is None
    assert system_limits.shortage(OSError(2, "No such file or directory")) is None


INTERRUPTS = """
import os, signal, sys

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == "voicestream.cli.typed":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
"""


def test_ctrl_c_while_modules_are_loaded_ends_it_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(INTERRUPTS)
    environ = {"PYTHONPATH": f"{tmp_path / 'site'}:{command.ROOT}"}
    ended = run(Call(SAY, environ), tmp_path)
    assert (ended.code, ended.out, ended.err) == (130, b"", "")


@pytest.fixture
def speaking(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command amid its speech, as a shell starts it in the background: without SIGINT."""
    env = command.environment(tmp_path)
    with ScriptedServer(LONG) as server:
        words = command.command(*SAY, "--base-url", server.url)
        with subprocess.Popen(
            ["sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh", *words],
            env=env,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                server.wait_sent()
                yield process
            finally:
                process.kill()


def test_what_ignores_ctrl_c_is_ended_by_sigterm(speaking: subprocess.Popen[bytes]) -> None:
    speaking.send_signal(signal.SIGINT)
    speaking.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        speaking.wait(0.3)
    speaking.send_signal(signal.SIGTERM)
    _out, err = speaking.communicate(timeout=20)
    assert (speaking.returncode, b"Traceback" in err) == (143, False)


def test_a_sound_system_that_does_not_answer_keeps_the_list_waiting_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Frozen:
        answer = threading.Event()

        def devices(self) -> list[object]:
            self.answer.wait()
            return []

        def stop(self, drain: bool) -> None:  # noqa: ARG002
            return

    monkeypatch.setattr(outputs, "_LIST_S", 0.05)
    monkeypatch.setattr(outputs, "card_sink", lambda _backend: Frozen())
    try:
        with pytest.raises(DeviceError, match="has not answered"):
            outputs.list_cards("auto")
    finally:
        Frozen.answer.set()


HIJACK = "import os; os.write(2, b'taken over')\n"


def test_modules_of_the_working_folder_are_not_ours(tmp_path: Path) -> None:
    names = ("json", "typing", "signal", "gc", "queue", "ssl", "socket", "numpy", "typer")
    files = {f"{name}.py": HIJACK for name in names}
    with ScriptedServer(Script(ramp(600).tobytes())) as server:
        ended = run(Call([*SAY, "--base-url", server.url, "-q"], files=files), tmp_path)
    assert (ended.code, ended.err) == (0, "")
    ended = run(Call(["config", "--json"], files=files), tmp_path)
    assert (ended.code, ended.err) == (0, "")
