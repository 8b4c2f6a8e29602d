"""The random faults once more, heard: the real command on a recorded loudspeaker is the judge."""

from __future__ import annotations

import json
import queue
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.faults.random_runs import fault_of, text_of
from tests.faults.stage import TEN, port_of
from tests.support import command
from tests.support.loudspeaker import Loudspeaker
from tests.support.matching import match
from tests.support.proxy import Exchange, Fault, FaultProxy
from tests.support.recording import LOUD, Recording
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.support.sound import Int16, ramp

_FADED = 2 * 96 + 8
"""Samples that the fades around a hole change."""
_BUFFER = 1152
"""What PortAudio may drop, at most, when a machine is too busy to feed the sound server in time.
Nobody is told of it: the recording has a hole then, and the program knows of none."""
_WITHIN_S = 60.0
_KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME")
_FIRST_WORDS = [sentence.split()[0] for sentence in TEN.split(". ")]


@dataclass(frozen=True)
class Heard:
    """What one run came to.

    Attributes:
        missing: samples that should have been heard, and were not.
        doubled: samples heard beyond those.
        allowed: samples that may be missing, next to holes.
        starved: holes that are the busy machine's.
        requests: for all of them.
        problem: what is not as it should be; empty if nothing.
    """

    seed: int
    sentences: int = 0
    named: int = 0
    missing: int = 0
    doubled: int = 0
    allowed: int = 0
    starved: int = 0
    requests: int = 0
    problem: str = ""


def sound_of(sentence: str) -> Int16:
    """Each sentence has numbers of its own: what is heard tells which of it, and how often."""
    number = _FIRST_WORDS.index(sentence.split()[0])
    return ramp(7_200 + 700 * number, start=20_000 * number)


def _reply(request: Request) -> Script:
    return Script(sound_of(request.json["input"]).tobytes(), framing="length")


def play_seeds(
    seeds: Sequence[int], at_once: int = 2, told: Callable[[Heard], Any] = lambda _: None
) -> list[Heard]:
    """Run them all, each on a loudspeaker of which there are ``at_once``; ``told`` after each."""

    def plan(exchange: Exchange) -> Fault:
        return fault_of(int(exchange.path.split("/")[1]), exchange)

    def one(seed: int) -> Heard:
        speaker = speakers.get()
        try:
            heard = _play(seed, proxy, speaker)
        finally:
            speakers.put(speaker)
        told(heard)
        return heard

    speakers: queue.SimpleQueue[Loudspeaker] = queue.SimpleQueue()
    with ExitStack() as stack:
        server = stack.enter_context(ScriptedServer(_reply))
        proxy = stack.enter_context(FaultProxy(port_of(server), plan))
        for _ in range(at_once):
            speakers.put(stack.enter_context(Loudspeaker()))
        pool = stack.enter_context(ThreadPoolExecutor(at_once))
        return list(pool.map(one, seeds))


def _play(seed: int, proxy: FaultProxy, speaker: Loudspeaker) -> Heard:
    text = text_of(seed)
    patience = ("--timeout", "0.6", "--stall-timeout", "0.4", "--retries", "2")
    plain = ("--no-trim", "--no-normalize", "--batch-above-s", "600")
    url = proxy.url(str(seed))
    with tempfile.TemporaryDirectory() as folder, speaker.record() as recording:
        ended = command.run(
            *("say", text, "--base-url", url, "--lookahead", str(seed % 4), "--json", "--quiet"),
            *(patience + plain),
            env=command.environment(Path(folder), {name: speaker.env[name] for name in _KEPT}),
            cwd=Path(folder),
            timeout_s=_WITHIN_S,
        )
        recording.wait_silence()
        recording.stop()
    requests = sum(proxy.attempts(f"/{seed}/").values())
    return judge(seed, text, json.loads(ended.stdout), ended.returncode, recording, requests)


def judge(
    seed: int, text: str, figures: dict[str, Any], code: int, recording: Recording, requests: int
) -> Heard:
    """Every sentence was heard exactly once and whole, or is named and was heard up to a place."""
    wanted: list[Int16] = [np.zeros(0, np.int16)]
    named = 0
    for segment in figures["segments"]:
        sound = sound_of(segment["text"])
        done = segment["status"] == "done"
        named += not done
        wanted.append(sound if done else sound[: round(24_000 * segment["audio_s"])])
    reference = np.concatenate(wanted)
    loud = int((np.abs(recording.mono.astype(np.int32)) > LOUD).sum())
    missing = match(reference, recording.mono).missing if len(reference) else 0
    holes = figures["rebuffers"]
    starved = max(len(recording.silences()) - (len(figures["segments"]) - 1) - holes, 0)
    allowed = 8 + _FADED * holes + _BUFFER * starved
    # a device that takes the place of another is given once more what that one may not have played
    changes = sum("audio device stopped" in warning for warning in figures["warnings"])
    doubled = max(loud - len(reference) - _BUFFER * changes, 0)
    problems = []
    if "".join(segment["text"] for segment in figures["segments"]).split() != text.split():
        problems.append("not all of the text was asked for")
    if missing > allowed:
        problems.append(f"{missing} samples missing, {allowed} of them by right")
    if doubled:
        problems.append(f"{doubled} samples too many")
    if code != (3 if named else 0):
        problems.append(f"exit code {code} with {named} sentences not heard")
    return Heard(
        seed,
        len(figures["segments"]),
        named,
        missing,
        doubled,
        allowed,
        starved,
        requests,
        "; ".join(problems),
    )
