"""A text of several languages, each spoken by its voice, heard without a gap or a missing word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from tests.loudspeaker.test_say import env, wav_samples  # noqa: F401  a fixture
from tests.support import command
from tests.support.recording import Recording

TEXT = (
    "This part is English. Guten Morgen, mein Freund. Bonjour tout le monde. "
    "¿Qué tal estás? Grazie mille a tutti."
)
LANGUAGES = 5
RATE_HZ = 24_000
SILENT = 30
"""Samples below this are a pause."""
LOUD = 1000


def pauses_s(samples: np.ndarray) -> list[float]:
    """How long each silence of more than 0.2 s within a sound is."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > SILENT)
    gaps = np.diff(loud) / RATE_HZ
    return [float(gap) for gap in gaps if gap > 0.2]


def test_five_languages_come_in_a_row_and_no_word_is_missing(
    env: dict[str, str],  # noqa: F811
    recording: Recording,
    tmp_path: Path,
) -> None:
    done = command.run(
        *("say", TEXT, "--base-url", "embedded:", "--json", "--save", "kept.wav"),
        env=env,
        cwd=tmp_path,
    )
    recording.wait_silence()
    recording.stop()
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["completed"], told["unspoken"], told["spoken"]) == (True, [], TEXT)
    segments = told["segments"]
    assert len(segments) >= LANGUAGES
    for segment in segments:  # each with as much sound as its words take
        assert segment["audio_s"] > 0.04 * len(re.sub(r"\W", "", segment["text"])), segment
    kept = wav_samples(tmp_path / "kept.wav")
    between = pauses_s(kept)
    assert len(between) >= LANGUAGES
    # a change of language is the end of a sentence like any other
    assert max(between) < between[0] + 0.2, between
    loud = np.flatnonzero(np.abs(kept.astype(int)) > LOUD)
    first_s, last_s = recording.first_sound_s(LOUD), recording.last_sound_s(LOUD)
    assert first_s is not None
    assert last_s is not None
    assert last_s - first_s > (loud[-1] - loud[0]) / RATE_HZ - 0.1
