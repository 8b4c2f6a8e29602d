"""The real command against a scripted server, judged by the samples it saved."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.cli.command import Call, Run, run
from tests.support.script import Request
from tests.support.server import Answer, ScriptedServer

Int16 = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Said:
    """What came of one ``say``."""

    run: Run
    requests: list[Request]
    samples: Int16
    """Shape ``(frames, channels)``; empty if nothing was saved."""
    rate_hz: int

    @property
    def formats(self) -> list[str | None]:
        """What each request asked for, in order."""
        return [request.json.get("response_format") for request in self.requests]


def say(answer: Answer, folder: Path, *arguments: str, text: str = "Hello there.") -> Said:
    """Speak to a simulated device and a file."""
    with ScriptedServer(answer) as server:
        more = ["--base-url", server.url, "--device", "null", "--save", "out.wav", *arguments]
        ended = run(Call(["say", text, *more]), folder)
    samples, rate_hz = saved(folder / "out.wav")
    return Said(ended, server.requests, samples, rate_hz)


def saved(file: Path) -> tuple[Int16, int]:
    if not file.exists():
        return np.zeros((0, 1), np.int16), 0
    with wave.open(str(file)) as kept:
        values = np.frombuffer(kept.readframes(kept.getnframes()), "<i2")
        return values.reshape(-1, kept.getnchannels()), kept.getframerate()


def assert_heard(said: Said, expected: Int16, rate_hz: int = 24_000) -> None:
    """It went well, and every sample is there once, in order."""
    assert said.run.errors == []
    assert said.run.code == 0
    assert said.rate_hz == rate_hz
    assert np.array_equal(said.samples.ravel(), expected.ravel())


def assert_like(said: Said, expected: Int16, slack_frames: int) -> None:
    """It went well, and sounds the same to within a codec's rounding, neither late nor cut."""
    assert said.run.errors == []
    assert said.run.code == 0
    heard = said.samples[:, 0]
    assert abs(len(heard) - len(expected)) <= slack_frames
    shared = min(len(heard), len(expected))
    likeness = np.corrcoef(heard[:shared].astype(float), expected[:shared].astype(float))[0, 1]
    assert likeness > 0.9
