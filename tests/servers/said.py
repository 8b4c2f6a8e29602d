"""What is heard of a scripted server, judged by the samples that were saved."""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.cli.command import Call, Run, run
from tests.support.script import Request
from tests.support.server import Answer, ScriptedServer
from voicestream.cli.options import quick_say
from voicestream.metrics import Metrics
from voicestream.output.null import NullSink
from voicestream.output.save import Saver
from voicestream.session.conductor import Session
from voicestream.session.script import Script
from voicestream.session.wiring import make_endpoint
from voicestream.settings.table import load

Int16 = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Said:
    """What came of one ``say``."""

    run: Run
    samples: Int16
    """Shape ``(frames, channels)``; empty if nothing was saved."""
    rate_hz: int
    requests: Sequence[Request] = ()

    @property
    def formats(self) -> list[str | None]:
        """What each request asked for, in order."""
        return [request.json.get("response_format") for request in self.requests if request.body]


def say(answer: Answer, folder: Path, *arguments: str, text: str = "Hello there.") -> Said:
    """Speak by the real command to a simulated device and a file."""
    with ScriptedServer(answer) as server:
        said = say_at(server.url, folder, *arguments, text=text)
    return replace(said, requests=server.requests)


def say_at(url: str, folder: Path, *arguments: str, text: str) -> Said:
    """The same with any server."""
    more = ["--base-url", url, "--device", "null", "--save", "out.wav", *arguments]
    ended = run(Call(["say", text, *more]), folder)
    samples, rate_hz = saved(folder / "out.wav")
    return Said(ended, samples, rate_hz)


def speak(answer: Answer, folder: Path, *arguments: str, text: str = "Hello there.") -> Said:
    """As ``say``, in this process and on a faster clock, where there are many cases."""
    with ScriptedServer(answer) as server:
        said = speak_at(server.url, folder, *arguments, text=text)
    return replace(said, requests=server.requests)


def speak_at(url: str, folder: Path, *arguments: str, text: str) -> Said:
    call = quick_say(["say", text, "--base-url", url, *arguments])
    assert call is not None
    settings = load(call.settings, {}, folder, folder / "none.toml")
    saver = Saver(str(folder / "out.wav"))
    metrics = Metrics()
    endpoint = make_endpoint(settings, metrics.notices)
    parts = endpoint, Script(settings, text), NullSink(10.0), saver, metrics
    session = Session(settings, *parts)
    session.start()
    assert session.wait(30)
    result = session.result()
    told = [f"voicestream: {error}" for error in result.errors]
    told += [f"voicestream: warning: {warning}" for warning in result.snapshot.warnings]
    code = result.errors[0].exit_code if result.errors else 0
    samples, rate_hz = saved(folder / "out.wav")
    ended = Run(code, json.dumps(result.to_dict()).encode(), "\n".join(told), {})
    return Said(ended, samples, rate_hz)


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
