"""`voicestream doctor` in processes of their own, at a sound card that plays, is away, or hangs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.command import Call, Run, run
from tests.support import tones
from tests.support.canary import KEY
from tests.support.loudspeaker import Loudspeaker
from tests.support.script import Script
from tests.support.server import ScriptedServer

KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "PULSE_COOKIE")
SOUND = tones.speech("This is a test.", 0.2).tobytes()


def at(speaker: Loudspeaker) -> dict[str, str | None]:
    kept = {name: speaker.env[name] for name in KEPT if name in speaker.env}
    return {**kept, "VOICESTREAM_BASE_URL": "embedded:"}


def verdicts(done: Run) -> dict[str, list[str]]:
    """About what -> the verdicts on it."""
    found: dict[str, list[str]] = {}
    for finding in findings(done):
        found.setdefault(finding["about"], []).append(finding["verdict"])
    return found


def findings(done: Run) -> list[dict[str, Any]]:
    told = json.loads(done.out)
    assert told["exit_code"] == done.code
    assert told["can_speak"] == (done.code == 0)
    return list(told["findings"])


@pytest.mark.parametrize("backend", ["miniaudio", "pyaudio"])
def test_a_card_that_plays_is_heard_and_what_mutes_it_is_told(
    backend: str, tmp_path: Path, loudspeaker: Loudspeaker
) -> None:
    (tmp_path / ".asoundrc").write_text("pcm.!default { type pulse }\n")
    environ = {**at(loudspeaker), "VOICESTREAM_BACKEND": backend}
    with ScriptedServer(lambda _: Script(SOUND)) as server, loudspeaker.record() as recording:
        call = Call(["doctor", "--json", "--base-url", server.url], environ)
        done = run(call, tmp_path)
        heard = recording.stop().ravel().astype(np.float64)
    assert verdicts(done)["sound card"] == ["good", "good"]
    assert done.code == 0
    spectrum = np.abs(np.fft.rfft(heard))
    loudest_hz = np.argmax(spectrum) * loudspeaker.rate_hz / len(heard)
    assert loudest_hz == pytest.approx(440, abs=5)
    assert 300 < np.abs(heard).max() < 5000  # quiet


def test_a_muted_card_speaks_and_is_worth_a_look(tmp_path: Path) -> None:
    with Loudspeaker() as speaker:
        speaker.mute()
        done = run(Call(["doctor", "--json", "--free"], at(speaker)), tmp_path)
        (muted,) = [found for found in findings(done) if found.get("muted")]
        assert muted["verdict"] == "look"
        assert "set-sink-mute speaker 0" in muted["todo"]
        assert done.code == 0
        absent = run(Call(["doctor", "--free", "--device", "no such card"], at(speaker)), tmp_path)
        assert absent.code == 5
        assert b"no audio device is called 'no such card'" in b" ".join(absent.out.split())
        with speaker.frozen():
            frozen = run(Call(["doctor", "--json", "--free"], at(speaker)), tmp_path)
    assert verdicts(frozen)["sound card"] == ["broken"]
    assert frozen.code == 5


def test_a_person_reads_it_on_one_screen_with_nothing_secret(tmp_path: Path) -> None:
    environ = {"VOICESTREAM_DEVICE": "null", "VOICESTREAM_VOICE": "nova"}
    with ScriptedServer(lambda _: Script.error(401, {"error": f"bad key {KEY}"})) as server:
        done = run(Call(["doctor", "--base-url", server.url], environ), tmp_path)
        asked = len(server.requests)
    assert done.code == 4
    assert asked == 1
    lines = done.out.decode().splitlines()
    assert len(lines) <= 30
    text = " ".join(done.out.decode().split())
    assert "endpoint good" in text
    assert "broken http://127.0.0.1" in text
    assert "-> The key came from VOICESTREAM_API_KEY" in text
    assert "voice = nova (VOICESTREAM_VOICE)" in text
    assert KEY not in text
    assert str(tmp_path) not in text
    assert "It cannot speak" in done.err


def test_sound_that_goes_elsewhere_as_packets_needs_no_card(tmp_path: Path) -> None:
    environ = {"VOICESTREAM_DEVICE": "rtp://127.0.0.1:5004"}
    done = run(Call(["doctor", "--json", "--free", "--base-url", "system:"], environ), tmp_path)
    assert verdicts(done)["sound card"] == ["look"]
    assert done.code == 0


def test_with_malformed_settings_the_rest_is_looked_at(tmp_path: Path) -> None:
    environ = {"VOICESTREAM_SPEED": "fast"}
    done = run(Call(["doctor", "--json"], environ), tmp_path)
    assert verdicts(done)["settings"] == ["broken"]
    assert "VOICESTREAM_SPEED" in findings(done)[0]["what"]
    assert {"sound card", "versions", "folders"} <= set(verdicts(done))
    assert done.code == 2


def test_a_reader_that_stops_reading_ends_it(tmp_path: Path) -> None:
    environ = {"VOICESTREAM_DEVICE": "null", "VOICESTREAM_BASE_URL": "embedded:"}
    done = run(Call(["doctor", "--free"], environ, unread=True), tmp_path)
    assert done.code == 141
    assert "Traceback" not in done.err


def test_a_state_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    environ = {"VOICESTREAM_DEVICE": "null", "VOICESTREAM_BASE_URL": "embedded:"}
    environ["XDG_STATE_HOME"] = str(tmp_path / "file")
    call = Call(["doctor", "--json", "--free"], environ, {"file": ""})
    done = run(call, tmp_path)
    assert "look" in verdicts(done)["folders"]
    assert done.code == 0
