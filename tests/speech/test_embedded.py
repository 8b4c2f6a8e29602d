"""The embedded voice: the same sound each time, and nothing left behind or sent away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from voicestream.errors import SettingsError
from voicestream.speech.base import SpeechRequest
from voicestream.speech.embedded import EmbeddedEndpoint

ROOT = Path(__file__).parents[2]


def asked(text: str, voice: str = "heart", speed: float = 1.0) -> SpeechRequest:
    return SpeechRequest(text, "", voice, "pcm", speed)


@pytest.fixture(scope="module")
def voice() -> EmbeddedEndpoint:
    return EmbeddedEndpoint()


def test_a_text_sounds_the_same_each_time_and_comes_sentence_by_sentence(
    voice: EmbeddedEndpoint,
) -> None:
    pieces = list(voice.open(asked("Hello there. How are you?")))
    assert len(pieces) == 2
    assert pieces == list(voice.open(asked("Hello there. How are you?")))
    assert np.abs(np.frombuffer(pieces[0], "<i2").astype(int)).max() > 1000


def test_speed_changes_the_length(voice: EmbeddedEndpoint) -> None:
    usual, fast = (
        sum(map(len, voice.open(asked("Hello there, how are you?", speed=speed))))
        for speed in (1.0, 1.5)
    )
    assert fast < 0.8 * usual


def test_another_voice_is_refused(voice: EmbeddedEndpoint) -> None:
    with pytest.raises(SettingsError, match="heart"):
        voice.open(asked("Hello.", voice="alloy"))


def test_speaking_leaves_nothing_foreign_in_the_home(tmp_path: Path) -> None:
    """onnxruntime would put an identifier there and report to its maker."""
    subprocess.run(
        [sys.executable, "-m", "voicestream", "say", "Hi.", "--device", "null", "--quiet"],
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        cwd=tmp_path,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert set(left) <= {"playout.json"}  # what was learnt of the endpoint
