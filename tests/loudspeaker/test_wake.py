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
import os
import sys
from voicestream.session.outputs import make_sink
from voicestream.settings.table import Settings
for line in sys.stdin:
    os.environ["PATH"] = line.strip()
    sink = make_sink(Settings(backend="miniaudio"))
    sink.prepare()
    print(sink.lead_in_s if sink.lead_in_s > 0.1 else 0, flush=True)
    sink.stop(drain=False)
"""
"""Asked with a PATH, how long silence is to be played first."""


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


def test_cards_that_swallow_sound_are_woken_when_they_are_suspended(tmp_path: Path) -> None:
    with Loudspeaker() as speaker:
        env = speaker.env | {"PYTHONPATH": str(command.ROOT)}
        with subprocess.Popen(
            [sys.executable, "-c", _ASK],
            env=env,
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:

            def asked(path: str = env["PATH"]) -> float:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(f"{path}\n")
                process.stdin.flush()
                return float(process.stdout.readline())

            assert asked() == 0  # a sink of no such kind
            for name, wake_s in (("bluez_output.00_11", 1.0), ("alsa_output.usb-Some_Card", 0.5)):
                speaker.add_sink(name)
                speaker.make_default(name)
                assert asked() == 0  # it runs
                speaker.suspend(name)
                assert asked() == wake_s
                assert asked("") == wake_s  # nothing tells that it does not sleep
