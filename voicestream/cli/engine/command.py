"""``engine``: a resident process that speaks for others."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from voicestream.cli.parts import load_settings
from voicestream.cli.report import notice, print_text
from voicestream.control.runtime import runtime_folder
from voicestream.engine.locked import state_of
from voicestream.engine.place import VERSION, engine_folder, forwarded_path
from voicestream.errors import UsageError, VoicestreamError

_PLATFORM: str = sys.platform
_START_S = 30.0
_STOP_S = 10.0
_POLL_S = 0.02


def engine_command(action: str | None, flags: Mapping[str, Any], as_json: bool) -> int:
    """Carry out ``voicestream engine ACTION``; return the exit code."""
    if action in (None, "") and not as_json:
        return run_engine(load_settings(flags).linger_s)
    if action == "start":
        start_engine(load_settings(flags).linger_s)
        return _show_status(as_json)
    if action == "stop":
        return _stop()
    if action == "status":
        elsewhere = load_settings(flags).engine
        return (
            _show_elsewhere(elsewhere, as_json) if elsewhere[:1] == "/" else _show_status(as_json)
        )
    if action == "socket" and not as_json:
        return print_text(forwarded_path(engine_folder(os.environ)) + "\n")
    if action in ("install", "uninstall"):
        from voicestream.cli.engine import units

        return units.install() if action == "install" else units.uninstall()
    raise UsageError(f"an engine cannot {action or 'print JSON'}", hint="voicestream engine --help")


def run_engine(linger_s: float = 0.0) -> int:
    """Be the engine, until it is stopped; return the exit code."""
    # numpy's and onnxruntime's libraries start no threads of their own: a fork would lose them
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    runtime_folder()
    from voicestream.cli.engine.call import carry_out
    from voicestream.cli.engine.program import Nothing, Program
    from voicestream.engine.zygote import Engine

    # frameworks of macOS do not survive a fork that nothing is executed in
    spawns = _PLATFORM == "darwin"
    loader, spawn = (Nothing(), _spare_command) if spawns else (Program(), None)
    try:
        return Engine(engine_folder(os.environ), loader, carry_out, linger_s, spawn).run()
    except OSError as error:
        folder = engine_folder(os.environ)
        why = error.strerror or str(error)
        raise VoicestreamError(f"no engine can run in {folder}", why) from error


def _spare_command(*numbers: int) -> list[str]:
    return [sys.executable, "-P", "-m", "voicestream", "_spare", *map(str, numbers)]


def run_spare(numbers: Sequence[str]) -> NoReturn:
    """Be a spare that was started, not forked.

    Args:
        numbers: the descriptors of its sockets; -1: it has none for callers from elsewhere.
    """
    from voicestream.cli.engine.call import carry_out
    from voicestream.cli.engine.program import Program
    from voicestream.engine.spare import Spare

    program = Program()
    program.load()
    local, forwarded, engine = (
        None if number == "-1" else socket.socket(fileno=int(number)) for number in numbers
    )
    assert local is not None
    assert engine is not None
    Spare(local, forwarded, engine, carry_out, program.connect).run()


def start_engine(linger_s: float) -> None:
    """Start an engine in the background, unless one runs; return when it can be called.

    Args:
        linger_s: see the setting.

    Raises:
        VoicestreamError: it ended at once.
    """
    runtime_folder()
    folder = Path(engine_folder(os.environ))
    folder.mkdir(mode=0o700, exist_ok=True)
    if state_of(str(folder)) is not None:
        return
    command = [sys.executable, "-m", "voicestream", "engine", "--linger-s", f"{linger_s:g}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    until_s = time.monotonic() + _START_S
    while "pid" not in (state_of(str(folder)) or {}):
        if process.poll() is not None:
            told = (folder / "log").read_text("utf-8", "replace").strip().splitlines()
            raise VoicestreamError("the engine ended at once", told[-1] if told else "")
        if time.monotonic() > until_s:
            raise VoicestreamError(f"the engine is not there after {_START_S:g} s")
        time.sleep(_POLL_S)


def _stop() -> int:
    folder = engine_folder(os.environ)
    state = state_of(folder)
    if state is None:
        notice("no engine runs")
        return 1
    until_s = time.monotonic() + _STOP_S
    while (state := state_of(folder)) is not None:
        if "pid" in state:  # an engine that has just begun has not written it yet
            try:
                os.kill(state["pid"], signal.SIGTERM)
            except ProcessLookupError:
                continue  # it has just ended
        if time.monotonic() > until_s:
            raise VoicestreamError("the engine does not end", hint=f"kill -9 {state.get('pid')}")
        time.sleep(_POLL_S)
    return 0


def _show_status(as_json: bool) -> int:
    state = state_of(engine_folder(os.environ))
    if state is not None and "pid" in state:
        state["memory_mb"] = round(memory_mb(state["pid"])) if sys.platform == "linux" else None
    if as_json:
        return print_text(json.dumps(state or {}) + "\n") or int(state is None)
    if state is None:
        notice("no engine runs")
        return 1
    told = [f"process {state.get('pid', '?')}"]
    if state.get("version") != VERSION:
        told.append(f"version {state.get('version')}")
    told.append("with the embedded voice" if state.get("voice") else "without the embedded voice")
    if state.get("memory_mb"):
        told.append(f"{state['memory_mb']} MB")
    told.append(f"{state.get('speaking', 0)} speaking")
    return print_text(f"the engine runs: {', '.join(told)}\n")


def _show_elsewhere(path: str, as_json: bool) -> int:
    from voicestream.cli.engine.elsewhere import ask_elsewhere

    answer = ask_elsewhere(path, "status")
    version, speaking = str(answer.get("version")), answer.get("speaking")
    if as_json:
        return print_text(json.dumps({"version": version, "speaking": speaking}) + "\n")
    return print_text(f"the engine at {path} runs: version {version}, {speaking} speaking\n")


def memory_mb(pid: int) -> float:
    """Return the memory of a process and its children; what they share counts once."""
    found = 0.0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                found = int(line.split()[1]) / 1024
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has just ended
        return found
    return found + sum(memory_mb(int(child)) for child in children)
