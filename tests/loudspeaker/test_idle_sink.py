"""A sink that slept before we came asks late: it is waited for, and every word is heard once.

PulseAudio's null sink as a container or a headless machine has it: idle it sleeps 2 s at a
time, and the first stream on it waits as long for its second request. Who listens changes
how it sleeps, so it is heard in three ways.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from tests.support import command, words
from tests.support.loudspeaker import Loudspeaker
from tests.support.recording import Recording
from tests.support.script import Script
from tests.support.server import ScriptedServer

BACKENDS = ("miniaudio", "pyaudio")
IDLE_S = 2.5
"""Longer than the null sink sleeps."""
KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME")
WORDS = 6
LENGTHS_S = np.full(WORDS, 0.3)
SPEECH = words.rendering(LENGTHS_S, np.full(WORDS, 0.05))
BODY = np.round(SPEECH * 32767).astype("<i2").tobytes()
READERS: dict[str, int | None] = {"default": None, "fast": 5}


def test_a_sink_that_slept_is_opened_once_and_every_word_is_heard_once(tmp_path: Path) -> None:
    """Six sinks sleep, wake and are heard at the same time: nearly all of that is waiting."""
    cases = [(backend, reader) for backend in BACKENDS for reader in ("none", *READERS)]
    with (
        ScriptedServer(Script(BODY, rate_bytes_per_s=4 * 48_000)) as server,
        ExitStack() as stack,
        ThreadPoolExecutor() as pool,
    ):
        speakers = {case: Loudspeaker(awake=False, plain=True) for case in cases}
        for speaker in speakers.values():
            stack.push(speaker)
        list(pool.map(Loudspeaker.start, speakers.values()))
        recordings: dict[tuple[str, str], Recording] = {
            case: stack.enter_context(speakers[case].record(latency_ms=READERS[case[1]]))
            for case in cases
            if case[1] in READERS
        }
        time.sleep(IDLE_S)
        processes = {}
        for (backend, reader), speaker in speakers.items():
            home = tmp_path / backend / reader
            home.mkdir(parents=True)
            kept = {name: speaker.env[name] for name in KEPT}
            env = command.environment(home, kept, {"VOICESTREAM_BACKEND": backend})
            processes[backend, reader] = command.start(
                *("say", "Six words.", "--base-url", server.url, "--json"), env=env, cwd=home
            )
        told = {case: process.communicate(timeout=50)[1] for case, process in processes.items()}
        for recording in recordings.values():
            recording.wait_silence(0.5)
        heard = {
            case: words.faults(recording.stop()[:, None] / np.float32(32768), LENGTHS_S)
            for case, recording in recordings.items()
        }
    codes = {case: process.returncode for case, process in processes.items()}
    assert codes == dict.fromkeys(cases, 0), told
    assert [case for case in cases if b"looking for another" in told[case]] == []
    assert heard == dict.fromkeys(recordings, (0, 0)), "words lost, words heard twice"
