"""What becomes of a call where the engine, or who calls it, does not do as it should."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.support import command, sound
from tests.support.engine import Engine, until
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.engine.front import hand_over
from voicestream.engine.place import VERSION, greeting

TEXT = "The first sentence is here. The second one follows it. And that was the last of them."
WORDS = Script(sound.speechlike(0.8).tobytes(), rate_bytes_per_s=4 * 48_000)


def libraries(pid: int) -> set[str]:
    """The files of code that a process has loaded."""
    return {
        line.split()[-1]
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines()
        if ".so" in line
    }


def killed_in_a_word(
    running: Engine, server: ScriptedServer, *more: str
) -> tuple[int, str, list[str]]:
    """A speech whose process is killed when some words were heard: exit code, stderr, and the
    texts that were asked for."""
    before, asked = running.calls, len(server.requests)
    # one request at a time, so that their order is that of the text
    env = {**running.env, "VOICESTREAM_BASE_URL": server.url, "VOICESTREAM_LOOKAHEAD": "0"}
    with command.start("say", TEXT, "--echo", *more, env=env, cwd=running.folder) as process:
        assert process.stdout is not None
        echoed = b""
        while b"second" not in echoed:
            piece = os.read(process.stdout.fileno(), 4096)
            assert piece, process.communicate()
            echoed += piece
        if running.calls == before:  # too busy to greet in time: it spoke by itself
            process.kill()
            process.communicate()
            return killed_in_a_word(running, server, *more)
        (speaker,) = running.speaking()
        assert libraries(speaker) <= libraries(running.pid)  # it had all that it needs
        os.kill(speaker, signal.SIGKILL)
        _, err = process.communicate(timeout=50)
    running.until(0)
    texts = [str(request.json["input"]) for request in server.requests[asked:]]
    return process.returncode, err.decode(), texts


def test_the_rest_is_spoken_where_the_process_is_killed(running: Engine) -> None:
    with ScriptedServer(lambda _: WORDS) as server:
        code, err, asked = killed_in_a_word(running, server)
    assert (code, "speaking on without it" in err) == (0, True), err
    # the one that was killed has asked for some of it, in order; the rest follows on what was heard
    places = [TEXT.index(text) for text in asked]
    again = next(n for n in range(1, len(asked)) if places[n] <= places[n - 1])
    assert TEXT.endswith(rest := " ".join(asked[again:]))
    assert "The first" not in rest


def test_what_was_not_heard_is_named_where_a_file_was_to_be_made(running: Engine) -> None:
    with ScriptedServer(lambda _: WORDS) as server:
        code, err, _ = killed_in_a_word(running, server, "--save", "cut.wav")
    assert (code, "the engine's process ended: not heard:" in err) == (1, True), err
    assert "The first" not in err
    assert "And that was the last of them." in err
    assert not (running.folder / "cut.wav").exists()


@contextmanager
def stopped(running: Engine) -> Iterator[None]:
    """The engine and its spare process stand still."""
    running.until(0)
    running.until_children(1)
    pids = [running.pid, *running.children()]
    for pid in pids:
        send(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            send(pid, signal.SIGCONT)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to the engine, or to a child: that may be one which was just ending, and its
    successor is not there yet."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def test_an_engine_that_hangs_is_not_waited_for(running: Engine) -> None:
    with stopped(running):
        assert hand_over(["say", "Hello."], running.env) is None
    assert greeted(running)


def test_an_engine_of_another_version_is_not_used() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="vs-") as folder,
        socket.socket(socket.AF_UNIX) as other,
    ):
        engine = Path(folder, "engine")
        engine.mkdir(mode=0o700)
        other.bind(f"{engine}/local.sock")
        other.listen()
        env = {"VOICESTREAM_RUNTIME_DIR": folder}
        newer = greeting().replace(VERSION.encode(), b"9.9.9") + b" 12\n"
        for said in (newer, greeting() + b"x 12\n", b"\xff" * 9000, b""):
            pid = os.fork()
            if pid == 0:
                connection, _ = other.accept()
                with suppress(OSError):
                    connection.sendall(said)
                    connection.close()
                os._exit(0)
            assert hand_over(["say", "Hello."], env) is None
            os.waitpid(pid, 0)


def greeted(running: Engine) -> bool:
    """Whether a caller is taken up."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(running.runtime / "engine" / "local.sock"))
        return line.recv(4096).startswith(greeting())


def test_garbage_is_no_call(running: Engine) -> None:
    with ExitStack() as lines:
        begun = []
        for sent in (b"\xff\xff\xff\xff garbage", b"\0\0\0\x02{}", b'\0\0\0\x09{"a":', b"\0\0"):
            line = lines.enter_context(socket.socket(socket.AF_UNIX))
            line.settimeout(30)
            line.connect(str(running.runtime / "engine" / "local.sock"))
            assert line.recv(4096).startswith(greeting())
            line.sendall(sent)
            begun.append(line)
        for line in begun:  # some of them are waited for
            with suppress(ConnectionResetError):
                assert line.recv(4096) == b""
    assert greeted(running)


def test_a_thousand_callers_leave_it_as_it_was(running: Engine) -> None:
    """Who finds no room speaks by itself."""
    path = str(running.runtime / "engine" / "local.sock")
    refused = 0
    with stopped(running), ExitStack() as lines:
        for _ in range(1000):
            line = lines.enter_context(socket.socket(socket.AF_UNIX))
            line.setblocking(False)
            try:
                line.connect(path)
            except BlockingIOError:
                refused += 1
                line.close()
        assert refused > 900
        assert hand_over(["say", "Hello."], running.env) is None
    calls = running.calls
    until(lambda: with_room(running))
    # those that have gone again cost no process; one of before may be counted late
    assert running.calls <= calls + 4


def with_room(running: Engine) -> bool:
    """``greeted``, where there is room for one."""
    try:
        return greeted(running)
    except BlockingIOError:  # none yet
        return False


BARE = """
import sys
from voicestream.cli.engine.program import Nothing
from voicestream.engine import zygote
zygote._LOOK_S = 0.2
sys.exit(zygote.Engine(sys.argv[1], Nothing(), lambda _: 0, float(sys.argv[2])).run())
"""


@contextmanager
def bare(linger_s: float) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """An engine that has nothing loaded, and its folder."""
    with tempfile.TemporaryDirectory(prefix="vs-") as runtime:
        folder = Path(runtime, "engine")
        words = [sys.executable, "-c", BARE, str(folder), str(linger_s)]
        with subprocess.Popen(words, stderr=subprocess.PIPE, cwd=command.ROOT) as process:
            yield process, folder
            _, told = process.communicate(timeout=50)
            assert (process.returncode, told) == (0, b"")


def test_it_ends_when_its_folder_goes() -> None:
    with bare(0.0) as (_, folder):
        lock = folder / "lock"
        until(lambda: lock.exists() and b"pid" in lock.read_bytes())
        shutil.rmtree(folder)


def test_it_ends_when_nobody_has_called_for_a_while() -> None:
    with bare(0.2):
        pass


SPAWNING = """
import sys
from voicestream.cli.engine import command
command._PLATFORM = "darwin"
sys.exit(command.run_engine())
"""


def test_where_nothing_may_fork_a_process_is_started_for_each_call(tmp_path: Path) -> None:
    """As on macOS."""
    with ScriptedServer(lambda _: WORDS) as server, tempfile.TemporaryDirectory("vs-") as runtime:
        settings = {"DEVICE": "null", "CACHE": "off", "BASE_URL": server.url, "ENGINE": ""}
        env = command.environment(tmp_path, {f"VOICESTREAM_{k}": v for k, v in settings.items()})
        env["VOICESTREAM_RUNTIME_DIR"] = runtime
        del env["PYTHONWARNINGS"]  # of what a signal leaves open
        words = [sys.executable, "-c", SPAWNING]
        with subprocess.Popen(words, stderr=subprocess.PIPE, env=env, cwd="/") as process:
            running = Engine(env, tmp_path, Path(runtime))
            try:
                lock = running.runtime / "engine" / "lock"
                until(lambda: lock.exists() and b"pid" in lock.read_bytes())
                assert greeted(running)
                running.until(0)
            finally:
                process.terminate()
            _, told = process.communicate(timeout=50)
        assert (process.returncode, told) == (0, b"")
