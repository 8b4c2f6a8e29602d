"""The real command, a real server, a real sound card: what is heard is what was sent."""

from __future__ import annotations

import json
import signal
import threading
import time
import wave
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.support import command, encode, sound
from tests.support.loudspeaker import Loudspeaker, missing_programs
from tests.support.recording import Recording
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.pcm import from_int16

each_backend = pytest.mark.usefixtures("_backend")

FOUR_TIMES = 4 * 48_000
RAMP = sound.ramp(24_000)
CLEAN = "heard "


def reply(body: bytes, content_type: str, **more: object) -> Script:
    settings: dict[str, object] = {
        "first_byte_delay_s": 0.1,
        "rate_bytes_per_s": FOUR_TIMES,
        "piece_bytes": (777, 4096, 31),
    }
    return Script(body=body, content_type=content_type, **(settings | more))  # type: ignore[arg-type]


@pytest.fixture
def env(loudspeaker: Loudspeaker, tmp_path: Path) -> dict[str, str]:
    speaker: Mapping[str, str] = loudspeaker.env
    wanted = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME", "PULSE_COOKIE", "ALSA_CONFIG_PATH")
    return command.environment(
        tmp_path, {name: speaker[name] for name in wanted if name in speaker}
    )


def wav_samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


@each_backend
@pytest.mark.parametrize(
    ("form", "body", "kind"),
    [
        ("pcm", RAMP.tobytes(), "audio/pcm"),
        ("wav", sound.wav(RAMP), "audio/wav"),
    ],
)
def test_every_sample_is_heard_once_in_order(
    form: str,
    body: bytes,
    kind: str,
    env: dict[str, str],
    recording: Recording,
    dropped_frames: int,
    tmp_path: Path,
) -> None:
    with ScriptedServer(reply(body, kind)) as server:
        done = command.run(
            *("say", "A ramp.", "--base-url", server.url, "--format", form),
            *("--json", "--save", "kept.wav"),
            env=env,
            cwd=tmp_path,
        )
        request = server.wait_request()
    recording.wait_silence()
    recording.stop()
    assert done.returncode == 0, done.stderr
    assert request.json["response_format"] == form
    # all, in order; a machine too busy to feed its sound card may put silence between, and where
    # it did PortAudio goes on a period later
    assert recording.missing(RAMP) <= len(recording.silences()) * dropped_frames
    assert np.array_equal(wav_samples(tmp_path / "kept.wav"), RAMP)
    # stderr is clean of ALSA and JACK
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(CLEAN)
    figures = command.figures(done)
    assert figures["completed"]
    assert figures["underruns"] == 0
    assert figures["audio_s"] == 1.0


def heard_as_it_was_spoken(
    form: str,
    script: Script,
    spoken: sound.Int16,
    env: dict[str, str],
    recording: Recording,
    folder: Path,
) -> None:
    """A reply in a lossy format: no sample of it is lost, and none is shifted."""
    with ScriptedServer(script) as server:
        done = command.run(
            *("say", "Hi.", "--base-url", server.url, "--format", form, "--save", "kept.wav"),
            *("--panel", "off"),
            env=env,
            cwd=folder,
        )
    recording.wait_silence()
    recording.stop()
    assert done.returncode == 0, done.stderr
    kept = wav_samples(folder / "kept.wav")
    # what was kept is what was heard, sample for sample ...
    assert recording.missing(kept) == 0
    # ... and it is the speech, not shifted: the codec's delay is gone
    assert abs(len(kept) - len(spoken)) <= 1152
    shared = min(len(kept), len(spoken))
    likeness = np.corrcoef(kept[:shared].astype(float), spoken[:shared].astype(float))[0, 1]
    assert likeness > 0.95


def test_mp3_is_heard_from_its_first_sample_to_its_last(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    spoken = sound.speechlike(1.5)
    script = reply(sound.mp3(spoken), "audio/mpeg", rate_bytes_per_s=64_000)
    heard_as_it_was_spoken("mp3", script, spoken, env, recording, tmp_path)


@pytest.mark.skipif(bool(missing_programs()), reason="no loudspeaker")
def test_opus_is_heard_from_its_first_sample_to_its_last(tmp_path: Path) -> None:
    spoken = sound.speechlike(1.5, 48_000)
    data = encode.opus(from_int16(spoken[:, None]), bit_rate=64_000)
    script = reply(data, "audio/ogg", rate_bytes_per_s=32_000)
    # the codec's own rate, so that nothing is resampled on the way to the recording
    with Loudspeaker(rate_hz=48_000) as speaker, speaker.record() as recording:
        env = command.environment(tmp_path, speaker.env)
        heard_as_it_was_spoken("opus", script, spoken, env, recording, tmp_path)


def test_the_embedded_voice_is_heard_as_it_was_made(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    env["OPENAI_API_KEY"] = ""
    done = command.run("say", "Hello there.", "--save", "kept.wav", env=env, cwd=tmp_path)
    recording.wait_silence()
    recording.stop()
    assert done.returncode == 0, done.stderr
    kept = wav_samples(tmp_path / "kept.wav")
    from hibari import Hibari

    made = np.rint(Hibari()("Hello there.", seed=0) * 32768).astype(np.int16)
    assert len(kept)
    faded = 120  # 5 ms at the front, where the silence was cut
    assert np.array_equal(kept[faded:], made[len(made) - len(kept) + faded :])
    # what was left out at the front was silence
    assert np.abs(made[: len(made) - len(kept)]).max(initial=0) < 200
    loud = np.flatnonzero(np.abs(kept.astype(int)) > 100)
    assert recording.missing(kept[loud[0] : loud[-1] + 1]) == 0


@each_backend
def test_reported_time_to_first_audio_agrees_with_the_recording(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    with ScriptedServer(reply(RAMP.tobytes(), "audio/pcm")) as server:
        started_s = time.monotonic()
        done = command.run(
            "say", "A ramp.", "--base-url", server.url, "--json", env=env, cwd=tmp_path
        )
    recording.wait_silence()
    recording.stop()
    heard_s = recording.first_sound_s()
    assert heard_s is not None
    reported_s = command.figures(done)["ttfa_ms"] / 1000
    # generous here, for loaded machines; the bench holds it to 20 ms
    assert abs((heard_s - started_s) - reported_s) < 0.3


@each_backend
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_fades_out_and_leaves_a_valid_file(
    number: int, env: dict[str, str], recording: Recording, dropped_frames: int, tmp_path: Path
) -> None:
    long = sound.speechlike(8.0)
    with ScriptedServer(reply(long.tobytes(), "audio/pcm")) as server:
        process = command.start(
            *("say", "A long story.", "--base-url", server.url, "--save", "kept.wav", "--json"),
            env=env,
            cwd=tmp_path,
        )
        recording.wait_sound()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    recording.wait_silence()
    recording.stop()
    assert process.returncode == 128 + number
    assert b"Traceback" not in err
    assert b'"completed": false' in out
    kept = wav_samples(tmp_path / "kept.wav")
    assert 0 < len(kept) < len(long)
    assert np.array_equal(kept, long[: len(kept)])
    heard = recording.samples
    loud = np.flatnonzero(np.abs(heard.astype(int)) > 0)
    heard = heard[loud[0] : loud[-1] + 1].ravel()
    if not (dropped_frames and recording.silences()):
        # no click: the last step down to silence is no larger than the steps of the speech itself
        # (before these 4 ms a busy machine may have left a hole)
        steps = np.abs(np.diff(heard.astype(int), append=0))
        assert steps[-96:].max() <= np.abs(np.diff(long.astype(int))).max()
        assert abs(int(heard[-1])) < 600


@each_backend
def test_a_second_signal_ends_at_once_even_if_the_server_hangs(
    env: dict[str, str], tmp_path: Path
) -> None:
    hold = threading.Event()
    env.pop("PYTHONWARNINGS")  # an import that is cut short may leave a file unclosed
    try:
        script = reply(RAMP.tobytes(), "audio/pcm", hold_at_bytes=4096, hold=hold)
        with ScriptedServer(script) as server:
            process = command.start(
                "say", "Stuck.", "--base-url", server.url, env=env, cwd=tmp_path
            )
            server.wait_sent()
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
            hold.set()
    finally:
        hold.set()
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_without_streaming_everything_is_downloaded_before_it_is_heard(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    with ScriptedServer(reply(RAMP.tobytes(), "audio/pcm", rate_bytes_per_s=48_000)) as server:
        done = command.run(
            "say", "A ramp.", "--base-url", server.url, "--no-stream", env=env, cwd=tmp_path
        )
        end_s = server.wait_end().end_s
    recording.wait_silence()
    recording.stop()
    assert done.returncode == 0, done.stderr
    first_s = recording.first_sound_s()
    assert first_s is not None
    assert end_s is not None
    assert first_s > end_s - 0.01
    assert recording.missing(RAMP) == 0


def test_a_slow_server_costs_silence_but_no_samples(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    asked = ["say", "A ramp.", "--json", "--playout", "fixed"]
    with ScriptedServer(reply(RAMP.tobytes(), "audio/pcm", rate_bytes_per_s=12_000)) as server:
        done = command.run(*asked, "--base-url", server.url, env=env, cwd=tmp_path)
    recording.wait_silence(1.0)
    recording.stop()
    figures = command.figures(done)
    assert figures["completed"]
    assert figures["underruns"] > 0
    assert figures["stall_ms"] > 0
    # each hole has a fade of 4 ms at both edges; every other sample is heard
    assert recording.missing(RAMP) <= figures["underruns"] * 2 * 97 + 16


def test_a_rate_the_reply_names_is_the_pitch_that_is_heard(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype("<i2")
    with ScriptedServer(reply(tone.tobytes(), "audio/pcm; rate=16000")) as server:
        said = ("say", "A tone.", "--base-url", server.url, "--json")
        done = command.run(*said, env=env, cwd=tmp_path)
    recording.wait_silence()
    recording.stop()
    assert done.returncode == 0, done.stderr
    heard = recording.samples.ravel()
    hole_s = json.loads(done.stdout)["device_hole_ms"] / 1000  # a busy machine's
    loud = np.flatnonzero(np.abs(heard.astype(int)) > 400)
    heard = heard[loud[0] + 2000 : loud[-1] - 2000].astype(float)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    loudest_hz = np.argmax(spectrum) * 24_000 / len(heard)
    assert abs(loudest_hz - 440) < 3
    assert abs((loud[-1] - loud[0]) / 24_000 - hole_s - 1.0) < 0.02
