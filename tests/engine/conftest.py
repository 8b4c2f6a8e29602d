"""One engine for the tests of a file, and a server whose replies they hear."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import command
from tests.support.engine import Engine, engine


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine without a sound card."""
    folder = tmp_path_factory.mktemp("engine")
    env = command.environment(folder, {"VOICESTREAM_DEVICE": "null", "VOICESTREAM_CACHE": "off"})
    with (
        tempfile.TemporaryDirectory(prefix="vs-") as runtime,
        engine(env, folder, Path(runtime)) as found,
    ):
        yield found
