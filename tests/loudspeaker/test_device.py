"""The sound server dies, or its sink goes, in the middle of a word: playback goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support import command, sound
from tests.support.loudspeaker import Loudspeaker
from tests.support.matching import match
from tests.support.script import Script
from tests.support.server import ScriptedServer

RAMP = sound.ramp(4 * 24_000)
KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME", "PULSE_COOKIE", "ALSA_CONFIG_PATH")


def environment(speaker: Loudspeaker, home: Path) -> dict[str, str]:
    return command.environment(home, {n: speaker.env[n] for n in KEPT if n in speaker.env})


def test_after_the_sound_server_restarts_everything_that_was_not_heard_is(tmp_path: Path) -> None:
    with (
        Loudspeaker() as speaker,
        ScriptedServer(Script(RAMP.tobytes(), rate_bytes_per_s=4 * 48_000)) as server,
    ):
        with speaker.record() as before:
            process = command.start(
                *("say", "A ramp.", "--base-url", server.url, "--json"),
                env=environment(speaker, tmp_path),
                cwd=tmp_path,
            )
            before.wait_sound()
            speaker.kill()
            first = before.stop().ravel()
        speaker.restart()
        with speaker.record() as after:
            _, err = process.communicate(timeout=30)
            after.wait_silence()
            second = after.stop().ravel()
    assert process.returncode == 0, err
    assert b"looking for another" in err
    heard = match(RAMP, np.concatenate((first, second)))
    # what the old device may not have played is played again, after a fade of 4 ms
    assert heard.missing <= 96 + 8
    assert heard.inserted < 0.25 * 24_000


@pytest.mark.parametrize("wait_s", ["0.5"])
def test_without_any_device_it_ends_and_tells_what_was_not_heard(
    tmp_path: Path, wait_s: str
) -> None:
    with (
        Loudspeaker() as speaker,
        ScriptedServer(Script(RAMP.tobytes(), rate_bytes_per_s=4 * 48_000)) as server,
        speaker.record() as recording,
    ):
        text = "A ramp that goes on for long enough to be cut off somewhere."
        process = command.start(
            *("say", text, "--base-url", server.url, "--device-wait-s", wait_s),
            env=environment(speaker, tmp_path),
            cwd=tmp_path,
        )
        recording.wait_sound()
        speaker.kill()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 5
    lines = err.decode().splitlines()
    assert sum(line.startswith("voicestream: the audio device went away") for line in lines) == 1
    assert not [line for line in lines if not line.startswith(("voicestream: ", "failed "))]
    (unheard,) = [line for line in lines if "not heard:" in line]
    assert unheard.endswith('somewhere."')
    assert b"Traceback" not in err
