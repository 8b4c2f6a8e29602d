"""Servers that are slow or fast: what is waited for, where, and what the next run knows."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import command, sound
from tests.support.loudspeaker import Loudspeaker
from tests.support.recording import LOUD, Recording
from tests.support.script import Script
from tests.support.server import ScriptedServer

REALTIME = 48_000
PHRASE, PAUSE = 14_400, 3_600
RAMP = sound.ramp(5 * PHRASE)
SPEECH = np.concatenate(
    [
        part
        for start in range(0, len(RAMP), PHRASE)
        for part in (RAMP[start : start + PHRASE], np.zeros(PAUSE, np.int16))
    ]
)[:-PAUSE]
"""Phrases of 0.6 s with pauses of 150 ms between them."""


def server(share_of_realtime: float, speech: np.ndarray = SPEECH) -> ScriptedServer:
    return ScriptedServer(
        Script(
            body=speech.tobytes(),
            first_byte_delay_s=0.1,
            rate_bytes_per_s=share_of_realtime * REALTIME,
            piece_bytes=1920,
        )
    )


@pytest.fixture
def env(loudspeaker: Loudspeaker, tmp_path: Path) -> dict[str, str]:
    wanted = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "ALSA_CONFIG_PATH")
    (tmp_path / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }")
    speaker: Mapping[str, str] = loudspeaker.env
    return command.environment(
        tmp_path, {name: speaker[name] for name in wanted if name in speaker}
    )


def state_file(home: Path) -> Path:
    return home / ".local" / "state" / "voicestream" / "playout.json"


def say(server: ScriptedServer, env: Mapping[str, str], home: Path, *more: str) -> dict[str, Any]:
    text = "Five phrases, one as long as the other, and each is followed by a pause."
    done = command.run(
        *("say", text, "--base-url", server.url, "--json", "--first-chars", "200", *more),
        env=env,
        cwd=home,
    )
    assert done.returncode == 0, done.stderr
    return command.figures(done)


def waited_ms(figures: Mapping[str, Any]) -> float:
    """From the request, with which the server's clock begins, to the start of playback."""
    line = figures["timeline_ms"]
    return float(line["playback_start"] - line["request_sent"])


def heard_words(recording: Recording) -> np.ndarray:
    samples = recording.stop()
    return samples[np.abs(samples) >= LOUD]


def test_a_fast_server_is_heard_once_its_150_ms_are_there(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    with ScriptedServer(
        Script(
            body=SPEECH.tobytes(),
            # 160 ms at once, and nothing more until playback has begun
            hold_at_bytes=7680,
            hold=(go_on := threading.Event()),
        )
    ) as fast:
        running = threading.Thread(target=lambda: (recording.wait_sound(), go_on.set()))
        running.start()
        figures = say(fast, env, tmp_path)
        running.join()
    recording.wait_silence()
    assert figures["completed"]
    assert recording.missing(RAMP[:3000]) == 0


def test_what_a_slow_server_lacks_is_waited_for_at_pauses_by_who_knows_it(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    with server(0.8) as slow:
        cold = say(slow, env, tmp_path, "--device", "null")
        first = json.loads(state_file(tmp_path).read_text())
        warm = say(slow, env, tmp_path)
        second = json.loads(state_file(tmp_path).read_text())
    recording.wait_silence()
    # half a second at most where nothing is known
    assert waited_ms(warm) > waited_ms(cold)
    assert warm["underruns"] == 0
    # a wait inside a word would have faded some of it
    assert np.array_equal(heard_words(recording), RAMP)
    (endpoint,) = first["endpoints"]
    assert endpoint.startswith(slow.url)
    assert second["endpoints"][endpoint]["replies"] == 2
    assert second["endpoints"][endpoint]["rate"] == pytest.approx(0.8, rel=0.1)


def test_a_damaged_state_file_is_told_of_and_replaced(env: dict[str, str], tmp_path: Path) -> None:
    file = state_file(tmp_path)
    file.parent.mkdir(parents=True)
    file.write_text('{"version": 1, "endpoints": [[[[')
    with server(8.0, SPEECH[:PHRASE]) as fast:
        first = say(fast, env, tmp_path, "--device", "null")
        second = say(fast, env, tmp_path, "--device", "null")
    assert [text for text in first["warnings"] if "damaged" in text]
    assert second["warnings"] == []
    assert json.loads(file.read_text())["endpoints"]


def test_a_kept_trace_is_played_back_and_figures_tell_of_the_buffer(
    env: dict[str, str], tmp_path: Path
) -> None:
    # long enough that some of it is still to come when a slow machine begins to read
    with server(1.3, SPEECH[: 4 * PHRASE]) as even:
        figures = say(even, env, tmp_path, "--device", "null", "--trace", "kept.json")
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert sum(frames for _, frames in kept["arrivals"]) == 4 * PHRASE
    # the end of a segment is one too
    ends = [n * (PHRASE + PAUSE) for n in (1, 2, 3)]
    pauses = [[end - PAUSE, end] for end in ends]
    assert kept["pauses"] == [*pauses, [4 * PHRASE, 4 * PHRASE]]
    shown = command.run("trace", "replay", "kept.json", env=env, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "adaptive warm" in shown.stdout.decode()
    assert figures["buffer_health"].startswith("healthy") is (figures["underruns"] == 0)
    assert figures["jitter_ms"] > 0
    assert 16 < figures["recommended_buffer_ms"] < 500
    assert figures["states_ms"]["draining"] > 0
    refused = command.run("trace", "replay", "nothing.json", env=env, cwd=tmp_path)
    assert refused.returncode == 2
    assert b"nothing.json" in refused.stderr
