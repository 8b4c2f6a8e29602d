"""A pause that the text asks for, in the joined sound: exact to the sample."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.session.stage import Stage
from tests.support.command import environment, run
from tests.support.script import Script
from tests.support.server import ScriptedServer

RATE_HZ = 24_000
LEVEL = 6000
TEXT = '[pause 250ms] One. [pause 700ms] Two. <break time="60ms"/> Three. [pause 1s]'


def gaps(file: Path) -> tuple[list[int], int]:
    """Frames between the segments, their 5 ms fades included, and at both ends; and all frames."""
    with wave.open(str(file)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    heard = np.flatnonzero(samples == LEVEL)
    inner = np.diff(heard) - 1
    found = [int(heard[0]), *map(int, inner[inner > 20]), len(samples) - int(heard[-1]) - 1]
    return found, len(samples)


@pytest.mark.parametrize("trim", [True, False])
def test_pauses_are_exact_to_the_sample(tmp_path: Path, trim: bool) -> None:
    body = np.full(RATE_HZ // 2, LEVEL, "<i2")  # loud from its first sample to its last
    with ScriptedServer(Script(body.tobytes())) as server:
        more = ("--tags", "--base-url", server.url, *(() if trim else ("--no-trim",)))
        env = environment(tmp_path, {"VOICESTREAM_CACHE": "off"})
        done = run("say", TEXT, "-o", "a.wav", *more, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert {request.json["input"] for request in server.requests} == {"One.", "Two.", "Three."}
        dry = run("say", TEXT, "--dry-run", "--json", *more, env=env, cwd=tmp_path)
    found, frames = gaps(tmp_path / "a.wav")
    expected = [6000, 16_800, 1440, 24_000]
    assert frames == 3 * len(body) + sum(expected)
    # the first sample of a fade may be as loud as the sound
    assert np.abs(np.subtract(found, expected)).max() <= 2
    told = json.loads(dry.stdout)["segments"]
    assert [segment["pause_ms"] for segment in told] == [250, 700, 60]


@pytest.mark.parametrize("late", [True, False])
def test_a_pause_that_was_heard_already_is_not_added(late: bool) -> None:
    lengths = [12_000, 12_000]
    stage = Stage(lengths, {1: 0}, trim=True, pause_sentence_ms=500)
    stage.begin(6000)
    if late:
        stage.play_to(lengths[0])
    stage.release(1)
    stage.until(lambda: len(stage.session.metrics.feeder.cues) == 2)
    stage.finish()
    pause = 120 if late else 12_000  # 5 ms, in which the edges fade
    assert stage.session.metrics.feeder.written_frames == sum(lengths) + pause
