"""A card that has to be woken: silence comes before the sound, which stays whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support import command, sound
from tests.support.loudspeaker import Loudspeaker
from tests.support.matching import match
from tests.support.script import Script
from tests.support.server import ScriptedServer

KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME", "PULSE_COOKIE", "ALSA_CONFIG_PATH")
RAMP = sound.ramp(12_000)
_ASK = """
from voicestream.output.miniaudio import MiniaudioSink
sink = MiniaudioSink()
sink.prepare()
print(sink.is_bluetooth)
sink.stop(drain=False)
"""


def test_a_stream_that_plays_silence_first_is_heard_whole(
    loudspeaker: Loudspeaker, tmp_path: Path
) -> None:
    speaker = {name: loudspeaker.env[name] for name in KEPT if name in loudspeaker.env}
    env = command.environment(tmp_path, speaker)
    with (
        ScriptedServer(Script(RAMP.tobytes(), header_delay_s=0.2)) as server,
        loudspeaker.record() as recording,
    ):
        words = ("say", "A ramp.", "--base-url", server.url, "--json", "--wake-ms", "600")
        done = command.run(*words, env=env, cwd=tmp_path)
        recording.wait_silence()
        heard = recording.stop().ravel()
    figures = command.figures(done)
    assert match(RAMP, heard).missing == 0
    times = figures["timeline_ms"]
    # the card was opened before there was sound, and got its silence
    assert times["first_sound"] - times["playback_start"] < 600
    assert times["first_sound"] >= 600


def test_a_bluetooth_sink_is_known_as_such(tmp_path: Path) -> None:
    with Loudspeaker() as speaker:
        env = speaker.env | {"PYTHONPATH": str(command.ROOT)}

        def asked() -> str:
            done = subprocess.run(
                [sys.executable, "-c", _ASK], env=env, cwd=tmp_path, capture_output=True, check=True
            )
            return done.stdout.decode().strip()

        assert asked() == "False"
        speaker.add_sink("bluez_output.00_11")
        speaker.make_default("bluez_output.00_11")
        assert asked() == "True"
