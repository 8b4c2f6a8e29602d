"""The real command, a Realtime API on a real WebSocket, a real sound card."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.loudspeaker.test_say import env, wav_samples  # noqa: F401  a fixture
from tests.support import command, sound
from tests.support.canary import KEY
from tests.support.realtime_events import Asked, Step, speak
from tests.support.realtime_server import RealtimeServer
from tests.support.recording import Recording

FOUR_TIMES = 4 * 48_000
RAMP = sound.ramp(48_000)
SENTENCES = [
    "Alpha is the word that stands at the beginning.",
    "Bravo is the word that comes right after it.",
    "Charlie is the third of the words in this row.",
    "Delta is the word with which all of it ends.",
]
WORDS = " ".join(SENTENCES)
FLAT = ["--no-trim", "--no-normalize", "--batch-above-s", "600"]
FLAT += [f"--pause-{kind}-ms=0" for kind in ("clause", "sentence", "paragraph")]


def part(text: str) -> bytes:
    """The share of the ramp that a sentence of the text is."""
    number = SENTENCES.index(text)
    return RAMP[number * 12_000 : (number + 1) * 12_000].tobytes()


def honest(asked: Asked) -> Iterator[Step]:
    late_s = 0.2 if asked.text.startswith("Bravo") else 0.1  # Charlie is there before it
    return speak(asked, part(asked.text), delay_s=late_s, rate_bytes_per_s=FOUR_TIMES)


def broken(asked: Asked) -> Iterator[Step]:
    steps = list(honest(asked))
    if asked.text.startswith("Charlie") and asked.attempt == 1:
        return iter([*steps[:10], (0.0, "close")])
    return iter(steps)


@pytest.mark.parametrize("answer", [honest, broken])
def test_every_sample_is_heard_once_in_order(
    answer: object,
    env: dict[str, str],  # noqa: F811
    recording: Recording,
    tmp_path: Path,
) -> None:
    with RealtimeServer(answer) as server:  # type: ignore[arg-type]
        done = command.run(
            *("say", WORDS, "--base-url", server.url, "--json", "--save", "kept.wav", *FLAT),
            env=env | {"VOICESTREAM_API_KEY": KEY},
            cwd=tmp_path,
        )
        attempts = {asked.text: asked.attempt for asked in server.asked}
    recording.wait_silence()
    recording.stop()
    assert done.returncode == 0, done.stderr
    # they are asked for side by side, in no order that matters; what is heard has one
    assert set(attempts) == set(SENTENCES)
    assert np.array_equal(wav_samples(tmp_path / "kept.wav"), RAMP)
    figures = command.figures(done)
    # a busy machine may leave a hole, on either side of which 4 ms are faded
    assert recording.missing(RAMP) <= 2 * 96 * figures["underruns"]
    assert figures["completed"]
    assert figures["reworded"] == []
    assert (2 in attempts.values()) is (answer is broken)


def test_an_interrupt_cancels_at_the_server_and_is_silence(
    env: dict[str, str],  # noqa: F811
    recording: Recording,
    tmp_path: Path,
) -> None:
    def endless(asked: Asked) -> Iterator[Step]:
        loud = np.tile(RAMP, 20).astype("<i2").tobytes()
        return speak(asked, loud, rate_bytes_per_s=FOUR_TIMES, piece_bytes=960)

    with RealtimeServer(endless) as server:
        running = command.start(
            *("say", "Alpha goes on.", "--base-url", server.url), env=env, cwd=tmp_path
        )
        recording.wait_sound()
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate(timeout=20)
        assert running.returncode == 130, stderr
        server.wait(lambda: server.asked[0].end_s is not None)
        assert server.asked[0].cancelled_s is not None
    recording.wait_silence()
