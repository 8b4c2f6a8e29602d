"""Twice the tempo, from a real server to a real loudspeaker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.support import command, tones
from tests.support.atempo import pitch_hz
from tests.support.loudspeaker import Loudspeaker
from tests.support.recording import Recording
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.pcm import from_int16

WORDS = "1 6 11 16"
WORD_S = 0.6


@pytest.fixture
def env(loudspeaker: Loudspeaker, tmp_path: Path) -> dict[str, str]:
    wanted = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "ALSA_CONFIG_PATH")
    (tmp_path / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }")
    speaker: Mapping[str, str] = loudspeaker.env
    return command.environment(
        tmp_path, {name: speaker[name] for name in wanted if name in speaker}
    )


def test_half_as_long_at_the_same_pitch_from_the_first_word_to_the_last(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    speech = tones.speech(WORDS, WORD_S)
    with ScriptedServer(Script(speech.tobytes(), rate_bytes_per_s=8 * 48_000)) as server:
        done = command.run(
            *("say", WORDS, "--base-url", server.url, "--tempo", "2", "--json"),
            *("--save", "kept.wav", "--first-chars", "200"),
            env=env,
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stderr
    recording.wait_silence()
    heard = recording.samples
    assert tones.heard_numbers(heard) == tones.numbers_of(WORDS)
    holes = recording.silences(min_ms=12)  # of a machine too busy; words end softly too
    first, last = np.flatnonzero(np.abs(heard) > 300)[[0, -1]]
    frames = last - first - sum(hole.end - hole.start for hole in holes)
    assert frames == pytest.approx(len(speech) / 2, abs=0.05 * tones.RATE_HZ)
    word = heard[first + 1200 : first + round(0.4 * WORD_S * tones.RATE_HZ)]
    assert pitch_hz(from_int16(word)[:, None], tones.RATE_HZ) == pytest.approx(450, rel=0.01)
    figures = command.figures(done)
    assert figures["audio_s"] == pytest.approx(len(speech) / 2 / tones.RATE_HZ, abs=0.05)
