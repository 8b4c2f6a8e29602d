"""A sink that slept before we came asks late: it is waited for, and every word is heard once.

PulseAudio's null sink as a container or a headless machine has it: idle it sleeps 2 s at a
time, and the first stream on it waits as long for its second request. Who listens changes
how it sleeps, so it is heard in three ways.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from tests.support import command, words
from tests.support.loudspeaker import Loudspeaker
from tests.support.recording import Recording
from tests.support.script import Script
from tests.support.server import ScriptedServer

pytestmark = pytest.mark.usefixtures("_backend")

IDLE_S = 3.5
"""Longer than the null sink sleeps."""
KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME")
LENGTHS_S = np.full(12, 0.3)
SPEECH = words.rendering(LENGTHS_S, np.full(12, 0.05))
BODY = np.round(SPEECH * 32767).astype("<i2").tobytes()
READERS: dict[str, int | None] = {"default": None, "fast": 5}


def test_a_sink_that_slept_is_opened_once_and_every_word_is_heard_once(tmp_path: Path) -> None:
    with (
        ScriptedServer(Script(BODY, rate_bytes_per_s=4 * 48_000)) as server,
        ExitStack() as stack,
    ):
        speakers = {
            reader: stack.enter_context(Loudspeaker(awake=False, plain=True))
            for reader in ("none", *READERS)
        }
        recordings: dict[str, Recording] = {
            reader: stack.enter_context(speakers[reader].record(latency_ms=latency_ms))
            for reader, latency_ms in READERS.items()
        }
        time.sleep(IDLE_S)
        processes = {}
        for reader, speaker in speakers.items():
            home = tmp_path / reader
            home.mkdir()
            env = command.environment(home, {name: speaker.env[name] for name in KEPT})
            processes[reader] = command.start(
                *("say", "Twelve words.", "--base-url", server.url, "--json"), env=env, cwd=home
            )
        told = {reader: process.communicate(timeout=50)[1] for reader, process in processes.items()}
        for recording in recordings.values():
            recording.wait_silence(0.5)
        heard = {
            reader: words.faults(recording.stop()[:, None] / np.float32(32768), LENGTHS_S)
            for reader, recording in recordings.items()
        }
    assert {reader: process.returncode for reader, process in processes.items()} == dict.fromkeys(
        speakers, 0
    ), told
    assert [reader for reader in speakers if b"looking for another" in told[reader]] == []
    assert heard == dict.fromkeys(READERS, (0, 0)), "words lost, words heard twice"
