"""Sound from anywhere on a recorded loudspeaker: what is heard is what was given."""

from __future__ import annotations

import json
import subprocess
import wave
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.support import command, sound
from tests.support.loudspeaker import Loudspeaker
from tests.support.recording import Recording
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

RAMP = sound.ramp(24_000)
HALVES = RAMP[:11_111], RAMP[11_111:]


@pytest.fixture
def env(loudspeaker: Loudspeaker, tmp_path: Path) -> dict[str, str]:
    speaker: Mapping[str, str] = loudspeaker.env
    wanted = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME", "PULSE_COOKIE", "ALSA_CONFIG_PATH")
    return command.environment(
        tmp_path, {name: speaker[name] for name in wanted if name in speaker}
    )


def heard_whole(done: subprocess.CompletedProcess[bytes], recording: Recording) -> None:
    recording.wait_silence()
    recording.stop()
    assert done.returncode == 0, done.stderr
    assert recording.missing(RAMP) == 0
    figures = command.figures(done)
    assert figures["completed"]
    assert figures["audio_s"] == 1.0
    assert figures["underruns"] == 0


def test_two_files_are_heard_as_one(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    for number, half in enumerate(HALVES):
        (tmp_path / f"{number}.wav").write_bytes(sound.wav(half))
    done = command.run(
        "play", "0.wav", "1.wav", "--json", "--save", "kept.wav", env=env, cwd=tmp_path
    )
    heard_whole(done, recording)
    with wave.open(str(tmp_path / "kept.wav")) as kept:
        assert np.array_equal(np.frombuffer(kept.readframes(len(RAMP) + 1), "<i2"), RAMP)
    assert [it["text"] for it in command.figures(done)["segments"]] == ["0.wav", "1.wav"]
    assert command.figures(done)["format"] == "wav"


def test_raw_samples_from_stdin_are_heard(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    raw = RAMP.astype(">i4") * 65536
    done = command.run(
        *("play", "--rate", "24000", "--sample-format", "s32be", "--json"),
        env=env,
        cwd=tmp_path,
        stdin=raw.astype(">i4").tobytes(),
    )
    heard_whole(done, recording)


def test_a_url_that_breaks_off_is_heard_whole(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    """No key goes there, though there is one; and what came is not asked for again."""
    body = sound.wav(RAMP)
    cut = Script(body, content_type="audio/wav", framing="length", cut_after_bytes=20_001)

    def answer(request: Request) -> Script:
        if "range" not in request.headers:
            return cut
        begin = int(request.headers["range"][6:-1])
        told = {"Content-Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"}
        return Script(body[begin:], 206, "audio/wav", told, framing="length")

    with ScriptedServer(answer) as server:
        done = command.run("play", f"{server.url}/a", "--json", env=env, cwd=tmp_path)
        asked = server.requests
    heard_whole(done, recording)
    assert [request.headers.get("range") for request in asked] == [None, "bytes=20001-"]
    assert not any("authorization" in request.headers for request in asked)


def test_it_obeys_verbs_while_it_comes(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    env["VOICESTREAM_TURN"] = "wait"

    def verb(*words: str) -> list[dict[str, object]]:
        done = command.run(*words, "--json", env=env, cwd=tmp_path)
        found = json.loads(done.stdout)
        assert isinstance(found, list)
        return found

    playing = command.start(
        *("play", "-", "--rate", "24000", "--json"), env=env, cwd=tmp_path, stdin=subprocess.PIPE
    )
    assert playing.stdin is not None
    playing.stdin.write(HALVES[0].tobytes())
    playing.stdin.flush()
    recording.wait_sound()
    verb("pause")
    [told] = verb("status")
    assert told["state"] == "paused"
    assert told["text"] == "stdin"
    playing.stdin.write(HALVES[1].tobytes())
    playing.stdin.close()
    playing.stdin = None
    verb("resume")
    out, err = playing.communicate(timeout=30)
    recording.wait_silence()
    recording.stop()
    assert playing.returncode == 0, err
    assert recording.missing(RAMP) == 0
    assert json.loads(out)["completed"]
