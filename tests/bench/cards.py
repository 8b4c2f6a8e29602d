"""Sound cards as they come, on a machine under load: is every word heard once?

    python -m tests.bench.cards [--minutes 5] [--seed 1]

Each trial speaks twelve words that can be told apart over a real sink and a real server, and
draws: the backend, the sink (awake, or asleep and read slowly, or asleep and read fast), and
what disturbs it (nothing, two busy loops, a process that is nice, one that is stopped now and
then, a sink that is suspended for a moment). A row for each kind: words lost, words heard
twice, silence that the recording holds beyond the speech (it stands still with its sink while
that is suspended), silence that ``--json`` tells of.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.support import command, words
from tests.support.loudspeaker import SINK, Loudspeaker
from tests.support.recording import Recording
from tests.support.remote import ServerProcess
from tests.support.script import Script

LENGTHS_S = np.full(12, 0.3)
PAUSES_S = np.full(12, 0.05)
SPEECH_S = float((LENGTHS_S + PAUSES_S).sum() - PAUSES_S[-1])
SINKS = ("awake", "asleep", "asleep, fast reader")
DISTURBANCES = ("nothing", "two busy loops", "nice", "stopped", "suspended sink")
ASLEEP_S = 2.5
"""After so long an idle null sink asks for 2 s at a time."""
_KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME")


@dataclass
class Trial:
    lost: int
    twice: int
    hole_s: float
    card_s: float
    stall_s: float
    failed: bool


def speak(backend: str, sink: str, disturbance: str, url: str, draw: random.Random) -> Trial:
    """One process, heard."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        awake = sink == "awake"
        speaker = stack.enter_context(Loudspeaker(awake=awake, plain=not awake))
        latency_ms = None if sink == "asleep" else 5
        recording = stack.enter_context(speaker.record(latency_ms=latency_ms))
        if not awake:
            time.sleep(ASLEEP_S)
        if disturbance == "two busy loops":
            stack.enter_context(busy(2))
        kept = {name: speaker.env[name] for name in _KEPT}
        env = command.environment(home, kept, {"VOICESTREAM_BACKEND": backend})
        said = ("say", "Twelve words.", "--base-url", url, "--json")
        with subprocess.Popen(
            [*(["nice", "-n", "19"] if disturbance == "nice" else []), *command.command(*said)],
            env=env,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            if disturbance in ("stopped", "suspended sink"):
                disturb(process, disturbance, speaker, recording, draw)
            told, errors = process.communicate(timeout=120)
            if process.returncode:
                sys.stdout.write(f"exit {process.returncode}: {errors.decode()[-300:]}\n")
        recording.wait_silence(0.5)
    return judged(recording, json.loads(told or b"{}"), process.returncode)


def disturb(
    process: subprocess.Popen[bytes],
    disturbance: str,
    speaker: Loudspeaker,
    recording: Recording,
    draw: random.Random,
) -> None:
    """Twice, at any moment, for up to 700 ms."""
    recording.wait_sound()
    for _ in range(2):
        time.sleep(draw.uniform(0.1, 1.5))
        for begins in (True, False):
            if disturbance == "stopped":
                os.kill(process.pid, signal.SIGSTOP if begins else signal.SIGCONT)
            else:
                order = ["pactl", "suspend-sink", SINK, str(int(begins))]
                subprocess.run(order, env=speaker.env, check=True, timeout=10)
            if begins:
                time.sleep(draw.uniform(0.05, 0.7))


def judged(recording: Recording, told: dict[str, float], code: int) -> Trial:
    samples = recording.samples
    heard = samples[:, None] / np.float32(32768)
    lost, twice = words.faults(heard, LENGTHS_S)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 200)
    length_s = (loud[-1] - loud[0]) / recording.rate_hz if len(loud) else 0.0
    card_s, stall_s = (told.get(name, 0.0) / 1000 for name in ("device_hole_ms", "stall_ms"))
    return Trial(lost, twice, max(length_s - SPEECH_S, 0.0), card_s, stall_s, code != 0)


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many processes that use a core each."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    draw = random.Random(chosen.seed)
    body = np.round(words.rendering(LENGTHS_S, PAUSES_S) * 32767).astype("<i2").tobytes()
    until_s = time.monotonic() + 60 * chosen.minutes
    trials: dict[tuple[str, str, str], list[Trial]] = defaultdict(list)
    with ServerProcess({"words": Script(body, rate_bytes_per_s=4 * 48_000)}) as server:
        while time.monotonic() < until_s:
            kind = (
                draw.choice(("miniaudio", "pyaudio")),
                draw.choice(SINKS),
                draw.choice(DISTURBANCES),
            )
            try:
                trials[kind].append(speak(*kind, server.url("words"), draw))
            except subprocess.SubprocessError as error:  # the sound server took no order
                sys.stdout.write(f"not judged, {', '.join(kind)}: {error}\n")
            sys.stdout.flush()
    write = sys.stdout.write
    write(f"{'backend':<10} {'sink':<20} {'disturbed by':<16} runs  lost twice failed")
    write("  silence, ms a run: heard, told: of the card + of the sound\n")
    for (backend, sink, disturbance), runs in sorted(trials.items()):
        lost, twice = sum(run.lost for run in runs), sum(run.twice for run in runs)
        heard_ms, card_ms, stall_ms = (
            1000 * sum(getattr(run, name) for run in runs) / len(runs)
            for name in ("hole_s", "card_s", "stall_s")
        )
        failed = sum(run.failed for run in runs)
        write(f"{backend:<10} {sink:<20} {disturbance:<16} {len(runs):>4} {lost:>5} {twice:>5}")
        write(f" {failed:>6} {heard_ms:>12.0f}, {card_ms:.0f} + {stall_ms:.0f}\n")


if __name__ == "__main__":
    main()
