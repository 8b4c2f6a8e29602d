"""What opens the sound card: what is heard is the same."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(params=["miniaudio", "pyaudio"])
def _backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that hold for every backend: ``pytestmark = each_backend``."""
    monkeypatch.setenv("VOICESTREAM_BACKEND", request.param)


@pytest.fixture
def dropped_frames() -> int:
    """What is lost (24 kHz) each time a busy machine feeds the card too late: PortAudio goes on
    without a period of 16 ms."""
    return 384 if os.environ["VOICESTREAM_BACKEND"] == "pyaudio" else 0
