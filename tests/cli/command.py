"""The real command in a process of its own, in an empty folder and a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.support import forked
from tests.support.canary import KEY
from voicestream.cli import entry

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """How one run of the command ended."""

    code: int
    out: bytes
    err: str
    left: dict[str, bytes]
    """Files in its folder that were not there before."""

    @property
    def errors(self) -> list[str]:
        """The lines on stderr that tell of an error."""
        lines = self.err.splitlines()
        own = [line for line in lines if line.startswith("voicestream: ")]
        return [line for line in own if not line.startswith("voicestream: warning: ")]

    @property
    def warnings(self) -> list[str]:
        lines = self.err.splitlines()
        return [line for line in lines if line.startswith("voicestream: warning: ")]


@dataclass(frozen=True)
class Call:
    """What to run: arguments after ``voicestream``, environment, files and stdin.

    Attributes:
        arguments: as typed; bytes where they are not UTF-8.
        environ: on top of the clean environment; None takes a variable away.
        files: written into the folder before.
        stdin: None is an empty one.
        closed: file descriptors that are closed before the command starts.
        unread: stdout is a pipe that nobody reads.
        into: stdout is this file.
        disk_blocks: files cannot grow beyond so many blocks of 512 bytes.
        before: what a shell does before it starts: ``ulimit``, ``trap``.
    """

    arguments: Sequence[str | bytes]
    environ: Mapping[str, str | None] = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    stdin: bytes | None = None
    closed: Sequence[int] = ()
    unread: bool = False
    into: str = ""
    disk_blocks: int | None = None
    before: str = ""


@cache
def _ours() -> tuple[str, str]:
    """Return PATH and the cache's folder, as they were before a call ran in this process."""
    return os.environ["PATH"], os.environ.get("XDG_CACHE_HOME", "")


def clean_environ(home: Path) -> dict[str, str]:
    """An environment with nothing of this machine but PATH: no key, no proxy, no sound card."""
    path, cache_folder = _ours()
    return {
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "LANG": "C.UTF-8",
        "VOICESTREAM_API_KEY": KEY,
        # one failure at a time; that requests are made again is looked at elsewhere
        "VOICESTREAM_RETRIES": "0",
        "VOICESTREAM_TURN": "mix",
        "VOICESTREAM_ENGINE": "off",
        "VOICESTREAM_CACHE": "off",
        "XDG_CACHE_HOME": cache_folder or str(home / ".cache"),
    }


def run_here(call: Call, folder: Path, captured: pytest.CaptureFixture[bytes]) -> Run:
    """Run it in this process, for commands that speak nothing: ten times as fast.

    Args:
        captured: ``capfdbinary``.
    """
    before = _write(call, folder)
    captured.readouterr()
    was = Path.cwd()
    os.chdir(folder)
    try:
        with (
            patch.dict(os.environ, _environ(call, folder), clear=True),
            patch("voicestream.cli.say.own_stderr"),  # it takes descriptor 2 for good
        ):
            code = entry.run([os.fsdecode(argument) for argument in call.arguments])
    finally:
        os.chdir(was)
    out, err = captured.readouterr()
    return Run(code, out, err.decode("utf-8"), _left(folder, before))


def _write(call: Call, folder: Path) -> set[str]:
    """Write the call's files; return the names of all there are now."""
    for name, content in call.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return set(_files(folder))


def _left(folder: Path, before: set[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in sorted(set(_files(folder)) - before)}


def _environ(call: Call, folder: Path) -> dict[str, str]:
    changed = {**clean_environ(folder), **call.environ}
    return {name: value for name, value in changed.items() if value is not None}


def run(call: Call, folder: Path) -> Run:
    """Run it to its end; from a shell where the call says what that does to it."""
    before = _write(call, folder)
    environ = _environ(call, folder)
    if not (call.closed or call.unread or call.into or call.before or call.disk_blocks):
        ended = forked.run(
            call.arguments, env=environ, cwd=folder, stdin=call.stdin or b"", timeout_s=30
        )
        err = ended.stderr.decode("utf-8")
        return Run(ended.returncode, ended.stdout, err, _left(folder, before))
    if call.disk_blocks is not None:
        environ["PYTHONDONTWRITEBYTECODE"] = "1"  # cut short, it would break every later run
    # a shell can close descriptors before the command starts; Python cannot while threads run
    closing = " ".join(f"{descriptor}>&-" for descriptor in call.closed)
    if call.into:
        closing += f" >{call.into}"
    first = f"{call.before} && " if call.before else ""
    first += "" if call.disk_blocks is None else f"ulimit -f {call.disk_blocks} && "
    shell = ["sh", "-c", f'{first}exec "$@" {closing}', "sh"]
    with (
        _stdout(call.unread) as stdout,
        subprocess.Popen(
            [*shell, sys.executable, "-m", "voicestream", *call.arguments],
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        try:
            out, err = process.communicate(call.stdin or b"", timeout=30)
        finally:
            process.kill()
    return Run(process.returncode, out or b"", err.decode("utf-8"), _left(folder, before))


@contextmanager
def _stdout(unread: bool) -> Iterator[int]:
    if not unread:
        yield subprocess.PIPE
        return
    read, write = os.pipe()
    os.close(read)
    try:
        yield write
    finally:
        os.close(write)


def _files(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*"):
        if file.is_file():
            yield str(file.relative_to(folder))
