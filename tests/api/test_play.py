"""Sound from anywhere, by the library."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

import voicestream
from tests.support import sound
from voicestream import Settings, VoicestreamError

pytestmark = pytest.mark.usefixtures("quick_null")
RAMP = sound.ramp(4800)
MUTE = Settings(device="null")


def kept(file: Path) -> np.ndarray:
    with wave.open(str(file)) as wav:
        return np.frombuffer(wav.readframes(1 << 20), "<i2")


def test_files_and_raw_samples_are_played_whole(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(sound.wav(RAMP[:2000]))
    (tmp_path / "b.wav").write_bytes(sound.wav(RAMP[2000:]))
    parts = [tmp_path / "a.wav", str(tmp_path / "b.wav")]
    result = voicestream.play(parts, MUTE, save=tmp_path / "kept.wav")
    assert result.completed
    assert np.array_equal(kept(tmp_path / "kept.wav"), RAMP)
    raw = tmp_path / "c.raw"
    raw.write_bytes(RAMP.astype(">i2").tobytes())
    handle = voicestream.start_playing(
        raw, MUTE, save=tmp_path / "raw.wav", rate_hz=24_000, sample_format="s16be"
    )
    assert handle.result().completed
    assert np.array_equal(kept(tmp_path / "raw.wav"), RAMP)


def test_what_cannot_be_played_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Dear all,")
    for sources, told in (([], "nothing to play"), ("missing.mp3", "cannot read missing.mp3")):
        with pytest.raises(VoicestreamError, match=told):
            voicestream.play(sources, MUTE)
    with pytest.raises(VoicestreamError, match="no sound that is known"):
        voicestream.play(tmp_path / "a.txt", MUTE)


def test_a_recording_has_the_loudness_that_is_wished_once_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    faint = (0.1 * sound.speechlike(4.0)).astype(np.int16)
    (tmp_path / "faint.wav").write_bytes(sound.wav(faint))
    level = []
    wished = Settings(device="null", loudness="-20")
    for settings in (MUTE, wished, wished):
        voicestream.play(tmp_path / "faint.wav", settings, save=tmp_path / "kept.wav")
        level.append(np.abs(kept(tmp_path / "kept.wav").astype(float)).mean())
    assert level[0] == level[1] == np.abs(faint.astype(float)).mean()
    assert level[2] > 1.5 * level[1]
    assert not any("faint" in it.read_text() for it in (tmp_path / "state").rglob("*.json"))
