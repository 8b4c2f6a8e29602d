"""What opens the sound card: what is heard is the same."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["miniaudio", "pyaudio"])
def _backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that hold for every backend: ``pytestmark = each_backend``."""
    monkeypatch.setenv("VOICESTREAM_BACKEND", request.param)
