"""Many replies at once in one process, on simulated devices with a real clock."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.faults.stage import expected, honest, samples_of
from tests.support.canary import KEY
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.output.null import NullSink
from voicestream.output.save import Saver
from voicestream.session.conductor import Session
from voicestream.session.result import Result
from voicestream.session.script import Script as Text
from voicestream.session.wiring import make_endpoint
from voicestream.settings.table import Settings

PACE = 3.0
"""The server sends so many times as fast as the sound plays."""


@dataclass(frozen=True)
class Crowd:
    """What became of them.

    Attributes:
        whole: how many were heard whole, sample for sample.
        underruns: of all of them together.
        threads, descriptors: how many more there are after than before.
    """

    streams: int
    whole: int
    underruns: int
    rebuffers: int
    threads: int
    descriptors: int
    took_s: float
    cpu_s: float
    results: tuple[Result, ...]


def paced(request: Request) -> Script:
    whole = honest(request)
    rate = PACE * 48_000
    return Script(
        whole.body, content_type=whole.content_type, rate_bytes_per_s=rate, piece_bytes=2400
    )


def text_of(number: int, sentences: int) -> str:
    return " ".join(
        f"This is sentence {part} of the speaker with the number {number}."
        for part in range(sentences)
    )


def speak_at_once(streams: int, folder: Path, sentences: int = 4) -> Crowd:
    """So many replies together, each of several segments."""
    with ScriptedServer(paced) as server:
        _warm_up(server.url, folder)
        before = _left()
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        running = [_session(server.url, folder, number, sentences) for number in range(streams)]
        for session in running:
            session.start()
        for session in running:
            assert session.wait(120)
        took_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
        results = tuple(session.result() for session in running)
        del running
        _settle(before)
        after = _left()
    whole = sum(_is_whole(folder, n, text_of(n, sentences)) for n in range(streams))
    return Crowd(
        streams,
        whole,
        sum(result.snapshot.underruns for result in results),
        sum(result.snapshot.rebuffers for result in results),
        after[0] - before[0],
        after[1] - before[1],
        took_s,
        cpu_s,
        results,
    )


def _session(url: str, folder: Path, number: int, sentences: int) -> Session:
    settings = Settings(
        base_url=url, api_key=KEY, trim=False, normalize=False, batch_above_s=600, lookahead=1
    )
    return Session(
        settings,
        make_endpoint(settings),
        Text(settings, text_of(number, sentences)),
        NullSink(),
        Saver(str(folder / f"{number}.wav")),
    )


def _warm_up(url: str, folder: Path) -> None:
    """What is loaded once and stays, is loaded now."""
    session = _session(url, folder, 999_999, 1)
    session.start()
    assert session.wait(60)


def _left() -> tuple[int, int]:
    """Threads but those of the server, and descriptors but those of its connections."""
    threads = [t for t in threading.enumerate() if t.name != "scripted server"]
    return len(threads), len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0


def _settle(before: tuple[int, int], within_s: float = 10.0) -> None:
    """Ended threads and closed connections need a moment to be gone on both sides."""
    deadline_s = time.monotonic() + within_s
    while _left() > before and time.monotonic() < deadline_s:
        time.sleep(0.02)


def _is_whole(folder: Path, number: int, text: str) -> bool:
    sentences = [part.strip() + "." for part in text.split(".") if part]
    wanted = np.concatenate([expected(sentence, "pcm") for sentence in sentences])
    return np.array_equal(samples_of((folder / f"{number}.wav").read_bytes()), wanted)
