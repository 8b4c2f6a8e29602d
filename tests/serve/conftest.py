"""The real ``voicestream serve``, in a process of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import command


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its base URL, as it says it itself, and its process."""
    process = command.start(
        "serve", "--port", "0", *arguments, env=command.environment(folder), cwd=folder
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        assert line.startswith("speaking at http://"), line + process.stderr.read().decode()
        yield line.split()[2], process
    finally:
        process.kill()
        process.communicate(timeout=20)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("serve")) as (url, _):
        yield url
