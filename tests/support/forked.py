"""Commands without the start of an interpreter: a process that has loaded the libraries forks.

What a command loads of other people's, two thirds of what it computes, is the same in each of
the suite's hundreds. Our own modules each command loads itself, and with them what is of
weight: PyAV, the sound cards, the voice. Whatever is tried of the start, of signals and of the
loudspeaker has a process of its own (:func:`tests.support.command.start`).
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Event, Timer

_LIBRARIES = (
    *("asyncio", "ctypes", "dataclasses", "difflib", "email.message", "http.client", "inspect"),
    *("ipaddress", "logging", "numpy", "pathlib", "queue", "rich.console", "rich.live"),
    *("rich.progress", "rich.table", "shutil", "ssl", "tempfile", "tomllib", "typer", "wave"),
)
_READ_AT_START = ("PYTHON", "LANG", "LC_", "LD_")
"""Variables whose value an interpreter takes when it starts."""
_REQUEST_BYTES = 1 << 20
_ROOT = Path(__file__).parents[2]


def run(
    arguments: Sequence[str | bytes],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: bytes = b"",
    timeout_s: float = 50,
) -> subprocess.CompletedProcess[bytes]:
    """Run ``voicestream`` with these arguments to its end.

    Raises:
        subprocess.TimeoutExpired: it did not end in time, and was killed.
    """
    loads_others = env.get("PYTHONPATH") != str(_ROOT)
    if loads_others or "PULSE_SERVER" in env:  # there is a loudspeaker
        program = [sys.executable, "-m", "voicestream"]
        return subprocess.run(
            [*program, *arguments],
            env=env,
            cwd=cwd,
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    names = [os.fsdecode(argument) for argument in arguments]
    os.umask(mask := os.umask(0o077))
    request = {"arguments": names, "env": dict(env), "cwd": str(cwd), "mask": mask}
    (their_in, given), *readable = (os.pipe() for _ in range(4))
    (out, their_out), (err, their_err), (status, their_status) = readable
    theirs = [their_in, their_out, their_err, their_status]
    at_start = {name: value for name, value in env.items() if name.startswith(_READ_AT_START)}
    socket.send_fds(_forks(tuple(sorted(at_start.items()))), [json.dumps(request).encode()], theirs)
    for number in theirs:
        os.close(number)
    too_late = Event()
    with ThreadPoolExecutor(3) as pool, open(status, encoding="ascii") as told:
        kill = Timer(timeout_s, _kill, (int(told.readline()), too_late))
        kill.start()
        written = pool.submit(_write, given, stdin)
        read = [pool.submit(_read, number) for number in (out, err)]
        code = int(told.readline())
        kill.cancel()
        written.result()
        ended = subprocess.CompletedProcess(names, code, *(text.result() for text in read))
    if too_late.is_set():
        raise subprocess.TimeoutExpired(names, timeout_s, ended.stdout, ended.stderr)
    return ended


def _kill(process: int, too_late: Event) -> None:
    too_late.set()
    os.kill(process, signal.SIGKILL)


def _write(number: int, text: bytes) -> None:
    try:
        with open(number, "wb") as pipe:
            pipe.write(text)
    except BrokenPipeError:
        return  # a command need not read all it is given


def _read(number: int) -> bytes:
    with open(number, "rb") as pipe:
        return pipe.read()


@cache
def _forks(at_start: tuple[tuple[str, str], ...]) -> socket.socket:
    """Start the process that forks, once for each set of variables; return its socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _REQUEST_BYTES)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forked", str(theirs.fileno())],
            env={"PATH": os.environ["PATH"]} | dict(at_start) | {"PYTHONPATH": str(_ROOT)},
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(requests: socket.socket) -> None:
    """Fork for each request, until nobody can make one; return in the command's process."""
    for name in _LIBRARIES:
        import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, *_ = socket.recv_fds(requests, _REQUEST_BYTES, 4)
        if not request:
            requests.close()
            sys.exit()
        if os.fork() == 0:
            break
        for number in descriptors:
            os.close(number)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *standard, status = descriptors
    if command := os.fork():
        os.write(status, f"{command}\n".encode())
        for number in standard:
            os.close(number)
        code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
        os.write(status, f"{code}\n".encode())
        os._exit(0)
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
    os.closerange(3, max(descriptors) + 1)
    requests.detach()
    _become(**json.loads(request))


def _become(arguments: list[str], env: dict[str, str], cwd: str, mask: int) -> None:
    """Be ``python -m voicestream`` in this folder, with this environment and umask."""
    os.chdir(cwd)
    os.umask(mask)
    os.environ.clear()
    os.environ.update(env)
    sys.argv[1:] = arguments
    if not sys.flags.safe_path:
        sys.path[0] = cwd
    runpy.run_module("voicestream", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
