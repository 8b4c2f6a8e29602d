"""A person speaks into a microphone that hears the loudspeaker too: the voice gives way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support import command, sound
from tests.support.loudspeaker import Loudspeaker, missing_programs
from tests.support.people import pico
from tests.support.script import Script
from tests.support.server import ScriptedServer

PLAYED = sound.speechlike(25.0)
"""No voice: whatever a loaded machine does to the echo, only the person speaks."""


@pytest.mark.skipif(bool(missing_programs()), reason="no loudspeaker")
def test_who_speaks_into_the_microphone_is_heard_and_the_voice_ends(tmp_path: Path) -> None:
    words = np.repeat((5000 * pico("Wait a moment, please.")).astype("<i2"), 3)[::2]  # 24 kHz
    script = Script(body=PLAYED.tobytes(), content_type="audio/pcm", rate_bytes_per_s=192_000)
    with Loudspeaker() as speaker, ScriptedServer(script) as server:
        speaker.add_microphone(echo_ms=60, echo_db=-6)
        with speaker.record() as recording:
            process = command.start(
                *("say", "A long story.", "--base-url", server.url, "--barge-in", "--json"),
                env=command.environment(tmp_path, speaker.env),
                cwd=tmp_path,
            )
            speaker.wait_listener()
            while process.poll() is None:
                speaker.say(words)
            out, err = process.communicate()
            recording.wait_silence()
            recording.stop()
    assert err.decode().splitlines()[0] == "listening: speak to interrupt"
    assert process.returncode == 130
    assert b'"completed": false' in out
    assert b'"barge_in": null' not in out
    heard = recording.samples.ravel()
    loud = np.flatnonzero(heard)
    assert loud[-1] - loud[0] < len(PLAYED) - 24_000
