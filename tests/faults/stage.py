"""One run of a whole session against a spoiled network, and the judgement of what was heard."""

from __future__ import annotations

import io
import json
import time
import wave
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.canary import KEY
from tests.support.encode import mp3, opus, speech
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.support.sound import Int16
from voicestream.decode.registry import open_decoder
from voicestream.metrics import Metrics
from voicestream.output.null import NullSink
from voicestream.output.save import Saver
from voicestream.pcm import Samples, to_int16
from voicestream.session.conductor import Session
from voicestream.session.result import Event, Result
from voicestream.session.script import Script as Text
from voicestream.session.wiring import make_endpoint
from voicestream.settings.table import Settings

TYPES = {"pcm": "audio/pcm", "mp3": "audio/mpeg", "opus": "audio/ogg"}
SPEED = 16.0
ONE = "The quick brown fox jumps over the lazy dog."
TEN = " ".join(
    f"{word} is the word that stands at the beginning of this sentence."
    for word in "Alpha Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliet".split()
)
_JUNK_FRAMES = 6000
"""So much may a decoder make of the end of a reply that never came."""


@cache
def body(text: str, form: str) -> bytes:
    """What the server answers: always the same for the same text."""
    seed = zlib.crc32(text.encode())
    seconds = 0.25 + (seed % 7) / 20
    rate_hz = 48_000 if form == "opus" else 24_000
    start = round(seed % 15_000 / 1000 * rate_hz)  # no two sentences sound alike
    sound = _recording(rate_hz)[start : start + round(seconds * rate_hz)]
    if form == "opus":
        return opus(sound)
    return mp3(sound) if form == "mp3" else to_int16(sound).tobytes()


@cache
def _recording(rate_hz: int) -> Samples:
    return speech(16.0, rate_hz)


@cache
def expected(text: str, form: str) -> Int16:
    """The samples of it, as our decoder has them from an undisturbed reply."""
    decoder = open_decoder(TYPES[form], form)
    samples = np.concatenate((decoder.feed(body(text, form)), decoder.flush()))
    return to_int16(samples)[:, 0]


def honest(request: Request) -> Script:
    asked = request.json
    form = asked["response_format"]
    return Script(body(asked["input"], form), content_type=TYPES[form], framing="length")


def upstream() -> ScriptedServer:
    """The server without a fault. What encoding needs is loaded: no first reply is a late one."""
    for form in TYPES:
        body(ONE, form)
    return ScriptedServer(honest)


def port_of(server: ScriptedServer) -> int:
    return int(server.url.rsplit(":", 1)[1].split("/")[0])


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    result: Result
    saved: Int16
    took_s: float
    evidence: str
    """All that it said."""

    @property
    def failed(self) -> list[str]:
        """The texts that are named as not heard to their end."""
        return [s.text.strip() for s in self.result.snapshot.segments if s.status != "done"]

    @property
    def exit_code(self) -> int:
        return self.result.errors[0].exit_code if self.result.errors else 0


def settings_for(url: str, form: str, **more: Any) -> Settings:
    plain = {"trim": False, "normalize": False, "batch_above_s": 600}
    # longer than a loaded machine takes to answer
    patience = {"timeout_s": 5.0, "stall_timeout_s": 3.0, "retries": 2, "retry_budget_s": 30}
    return Settings(base_url=url, api_key=KEY, format=form, **(plain | patience | more))


def run(
    text: str, settings: Settings, folder: Path, speed: float = SPEED, within_s: float = 40.0
) -> Outcome:
    """Speak ``text`` on a simulated device, saving what is played.

    Raises:
        AssertionError: it does not come to an end in time.
    """
    file = folder / f"{time.monotonic_ns()}-{id(settings)}.wav"
    events: list[Event] = []
    began_s = time.monotonic()
    metrics = Metrics()
    session = Session(
        settings,
        make_endpoint(settings, metrics.notices),
        Text(settings, text),
        NullSink(speed),
        Saver(str(file)),
        metrics,
        on_event=events.append,
    )
    session.start()
    assert session.wait(within_s), f"not ended within {within_s} s: {session.snapshot()}"
    result = session.result()
    data = file.read_bytes() if file.exists() else b""
    evidence = json.dumps(result.to_dict()) + repr(events) + repr(settings) + repr(result)
    return Outcome(
        result, samples_of(data), time.monotonic() - began_s, evidence + data.decode("latin-1")
    )


def samples_of(data: bytes) -> Int16:
    """The samples of a WAV file; none of no file."""
    if not data:
        return np.zeros(0, np.int16)
    with wave.open(io.BytesIO(data)) as source:
        assert source.getnchannels() == 1
        return np.frombuffer(source.readframes(source.getnframes()), "<i2")


def judge(outcome: Outcome, text: str, form: str) -> None:
    """Every sentence was heard exactly once and whole, or is named and was heard up to a place."""
    segments = outcome.result.snapshot.segments
    assert "".join(segment.text for segment in segments).split() == text.split()
    at = slack = 0
    for segment in segments:
        wanted = expected(segment.text.strip(), form)
        if segment.status == "done":
            at = _found(outcome.saved, at, at + slack, wanted)
            heard = outcome.saved[at : at + len(wanted)]
            assert np.array_equal(heard, wanted), f"{segment.text!r}: {_differ(heard, wanted)}"
            at, slack = at + len(wanted), 0
        elif segment.audio_s:
            # up to some place it is right; what the decoder made of the last bytes may not be
            slack += _common(outcome.saved[at + slack :], wanted) + _JUNK_FRAMES
    rest = len(outcome.saved) - at
    assert 0 <= rest <= slack, f"{rest} frames too many"


def _common(left: Int16, right: Int16) -> int:
    length = min(len(left), len(right))
    different = np.flatnonzero(left[:length] != right[:length])
    return int(different[0]) if len(different) else length


def _found(saved: Int16, first: int, last: int, wanted: Int16) -> int:
    """Where ``wanted`` stands, from ``first`` to ``last``."""
    for place in range(first, last + 1):
        if np.array_equal(saved[place : place + 64], wanted[:64]) and np.array_equal(
            saved[place : place + len(wanted)], wanted
        ):
            return place
    return first


def _differ(heard: Int16, wanted: Int16) -> str:
    return f"{len(heard)} of {len(wanted)} frames, alike up to {_common(heard, wanted)}"
