"""Several processes and one loudspeaker: one voice at a time, and verbs from elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import command
from tests.support.loudspeaker import Loudspeaker
from tests.support.matching import match
from tests.support.recording import Recording
from tests.support.script import Script
from tests.support.server import ScriptedServer
from tests.support.sound import ramp
from voicestream.control.client import tell

RATE_HZ = 24_000
PAUSE_S = 0.3
KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME", "PULSE_COOKIE", "ALSA_CONFIG_PATH")
STARTS = {"one": 0, "two": 60_000, "three": 120_000}
"""Each voice says a part of the ramp of its own, so that a recording tells who speaks."""
SECONDS = {"one": 2.0, "two": 0.6, "three": 0.6}


def sound_of(name: str) -> np.ndarray:
    return ramp(round(SECONDS[name] * RATE_HZ), start=STARTS[name])


class Voices:
    """Commands that speak, on one loudspeaker, and verbs to them."""

    def __init__(self, env: dict[str, str], folder: Path, url: str) -> None:
        self.env = env
        self.folder = folder
        self.url = url
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def say(self, name: str, *flags: str) -> None:
        self.running[name] = command.start(
            *("say", name, "--base-url", self.url, "--json", "--quiet"),
            *("--pause-paragraph-ms", str(1000 * PAUSE_S), *flags),
            env=self.env,
            cwd=self.folder,
        )

    def verb(self, verb: str) -> list[dict[str, Any]]:
        return tell(verb, everybody=verb == "status")

    def until(self, true: Callable[[list[dict[str, Any]]], bool]) -> None:
        ends_s = time.monotonic() + 30
        while not true(self.verb("status")):
            assert time.monotonic() < ends_s, self.verb("status")
            time.sleep(0.02)

    def waits(self, count: int) -> None:
        """Until so many wait for their turn."""
        self.until(lambda found: sum(who.get("state") == "waiting" for who in found) == count)

    def figures(self, name: str, code: int = 0) -> dict[str, Any]:
        out, err = self.running[name].communicate(timeout=30)
        assert self.running[name].returncode == code, err
        return json.loads(out)


@pytest.fixture
def voices(
    loudspeaker: Loudspeaker, tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Voices]:
    short.chmod(0o700)
    monkeypatch.setenv("VOICESTREAM_RUNTIME_DIR", str(short))
    runtime = {"VOICESTREAM_RUNTIME_DIR": str(short)}
    speaker = {name: loudspeaker.env[name] for name in KEPT if name in loudspeaker.env}
    env = command.environment(tmp_path, speaker, runtime, {"VOICESTREAM_TURN": "wait"})

    def reply(request: Any) -> Script:
        return Script(sound_of(request.json["input"]).tobytes(), rate_bytes_per_s=8 * 48_000)

    with ScriptedServer(reply) as server:
        voices = Voices(env, tmp_path, server.url)
        yield voices
        for process in voices.running.values():
            process.kill()
            process.communicate()


def order(heard: np.ndarray, names: list[str]) -> None:
    """Every voice is heard whole, one after the other."""
    spoken = np.concatenate([sound_of(name) for name in names])
    assert match(spoken, heard.ravel()).missing == 0


def pause_s(heard: np.ndarray, before: str, after: str) -> float:
    """The silence between two voices: a busy machine leaves holes elsewhere."""
    end = match(sound_of(before), heard.ravel()).end_frame
    begin = match(sound_of(after), heard.ravel()).first_frame
    assert begin is not None
    return (begin - end) / RATE_HZ


def test_voices_speak_one_after_the_other_with_a_pause(
    voices: Voices, recording: Recording
) -> None:
    voices.say("one")
    recording.wait_sound()
    voices.verb("pause")  # a slow machine takes longer to start the others than it speaks
    voices.say("two")
    voices.waits(1)
    voices.say("three")
    voices.waits(2)
    voices.verb("resume")
    for name in ("one", "two", "three"):
        assert voices.figures(name)["completed"]
    recording.wait_silence()
    heard = recording.stop()
    order(heard, ["one", "two", "three"])
    # the next process has to come to a busy processor
    assert PAUSE_S - 0.02 < pause_s(heard, "one", "two") < 2 * PAUSE_S
    assert PAUSE_S - 0.02 < pause_s(heard, "two", "three") < 2 * PAUSE_S


def test_now_interrupts_and_nothing_of_the_interrupted_voice_is_lost(
    voices: Voices, recording: Recording
) -> None:
    voices.say("one")
    recording.wait_sound()
    voices.say("two", "--now")
    for name in ("two", "one"):
        assert voices.figures(name)["completed"]
    recording.wait_silence()
    heard = recording.stop().ravel()
    interrupted, urgent = (match(sound_of(name), heard) for name in ("one", "two"))
    assert interrupted.missing == urgent.missing == 0
    assert interrupted.first_frame is not None
    assert urgent.first_frame is not None
    assert interrupted.first_frame < urgent.first_frame
    assert urgent.end_frame < interrupted.end_frame


def test_paused_speech_goes_on_at_the_very_sample(voices: Voices, recording: Recording) -> None:
    voices.say("one")
    recording.wait_sound()
    assert voices.verb("pause")[0]["paused"]
    voices.until(lambda found: found[0]["state"] == "paused")
    assert not voices.verb("toggle")[0]["paused"]
    figures = voices.figures("one")
    recording.wait_silence()
    recording.stop()
    assert figures["completed"]
    assert figures["underruns"] == figures["stall_ms"] == 0
    assert recording.match(sound_of("one")).missing == 0


def test_stop_silences_the_speaker_and_the_next_one_speaks(
    voices: Voices, recording: Recording
) -> None:
    voices.say("one")
    recording.wait_sound()
    voices.say("two")
    voices.waits(1)
    assert command.run("stop", env=voices.env, cwd=voices.folder).returncode == 0
    assert not voices.figures("one", code=130)["completed"]
    assert voices.figures("two")["completed"]
    recording.wait_silence()
    order(recording.stop(), ["two"])


def test_who_does_not_want_to_wait_is_silent(voices: Voices, recording: Recording) -> None:
    voices.say("one")
    recording.wait_sound()
    voices.say("two", "--no-wait")
    voices.say("three", "--expires", "0.2")
    for name, why in (("two", "another speaks"), ("three", "stale")):
        figures = voices.figures(name)
        assert not figures["completed"]
        assert why in figures["warnings"][0]
    assert voices.figures("one")["completed"]
    recording.wait_silence()
    order(recording.stop(), ["one"])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_speaker_that_dies_or_stands_still_keeps_nobody_waiting(
    voices: Voices, recording: Recording, number: int
) -> None:
    voices.say("one")
    recording.wait_sound()
    voices.say("two")
    voices.waits(1)
    os.kill(voices.running["one"].pid, number)
    assert voices.figures("two")["completed"]
    if number == signal.SIGSTOP:
        os.kill(voices.running["one"].pid, signal.SIGCONT)
        assert voices.figures("one")["completed"]
    recording.wait_silence()
    assert match(sound_of("two"), recording.stop().ravel()).missing == 0


def test_the_last_speech_is_heard_again_without_a_request(
    voices: Voices, recording: Recording
) -> None:
    voices.say("two")
    assert voices.figures("two")["completed"]
    recording.wait_silence()
    done = command.run("again", "--json", env=voices.env, cwd=voices.folder)
    assert command.figures(done)["endpoint"] == "again"
    recording.wait_silence()
    order(recording.stop(), ["two", "two"])


def test_a_verb_where_nobody_speaks_says_so(voices: Voices) -> None:
    done = command.run("pause", env=voices.env, cwd=voices.folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"voicestream: nothing is being spoken\n"
