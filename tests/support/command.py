"""The real command in a process of its own, in a clean environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import forked
from tests.support.canary import KEY

ROOT = Path(__file__).parents[2]
_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "VOICESTREAM_BACKEND", "XDG_CACHE_HOME")


def environment(home: Path, *more: Mapping[str, str]) -> dict[str, str]:
    """What a new user's process has: a home, a key, and nothing of ours but ``more``.

    And the folder where the tests keep the prepared voice.

    An empty ``OPENAI_API_KEY`` in ``more`` takes the key away.
    """
    found = {name: os.environ[name] for name in _KEPT if name in os.environ}
    found |= {"HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    found["OPENAI_API_KEY"] = KEY
    found["VOICESTREAM_TURN"] = "mix"  # tests that run side by side do not wait for each other
    found["VOICESTREAM_ENGINE"] = "off"  # that of whoever runs the tests is not theirs
    found["VOICESTREAM_CACHE"] = "off"  # what is asked for is asked of the server
    found["VOICESTREAM_LOUDNESS"] = "off"  # what was sent is compared with what is heard
    for part in more:
        found |= part
    return found


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "voicestream", *arguments]


def start(
    *arguments: str, env: Mapping[str, str], cwd: Path, stdin: int | None = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """The command, running."""
    return subprocess.Popen(
        command(*arguments),
        env=dict(env),
        cwd=cwd,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(
    *arguments: str, env: Mapping[str, str], cwd: Path, stdin: bytes = b"", timeout_s: float = 50
) -> subprocess.CompletedProcess[bytes]:
    """The command, run to its end; libraries are loaded already."""
    return forked.run(arguments, env=env, cwd=cwd, stdin=stdin, timeout_s=timeout_s)


def figures(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """The object of ``--json``; the stdout holds nothing else."""
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found
