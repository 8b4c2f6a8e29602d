"""An answer that is still being written, heard: pipelined, one by one, or all at the end.

    python tests/bench/pipeline.py [--speeds 2 4] [--only NAME ...] [--warm 10]

A writer gives 12 sentences token by token, 30 tokens a second. A scripted server in
a process of its own answers each request with the first byte after 300 ms, then at
so many times realtime; its voice reads 15 characters a second and leaves 100 ms of
silence at both ends. What is heard is taken from the null sink's monitor.

first sound: first token written (the process starts at the same time) to first sound.
joins: silences of 120 ms and more between the first and the last sound; beyond: what
they have over the pause asked for, which is 350 ms after a sentence and 150 ms after
a clause. holes: silences of 5 to 120 ms, of which there should be none: the sound
card's, on a machine that is busy elsewhere. total: first token to last sound.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from tests.support import tones
from tests.support.loudspeaker import Loudspeaker
from tests.support.recording import Recording
from tests.support.remote import ServerProcess
from tests.support.script import Request, Script

ROOT = Path(__file__).parents[2]
RATE_HZ = 24_000
CHARS_PER_S = 15.0
TOKENS_PER_S = 30.0
AUDIBLE = 60
SENTENCE_MS, CLAUSE_MS, LEAST_JOIN_MS = 350.0, 150.0, 120.0
SAY = (sys.executable, "-m", "voicestream", "say", "--panel", "off", "--base-url")
PLAIN = (sys.executable, str(ROOT / "tests/bench/players/one_by_one.py"))
_ENDS = " today|, it seems|| at noon||, as we know| again|| and wide||, they say| at last"
ANSWER = " ".join(
    f"Sentence {number} of the answer tells a little more about why the sky is blue{end}."
    for number, end in enumerate(_ENDS.split("|"), start=1)
)


@dataclass
class Run:
    """What one way of speaking came to; times in milliseconds."""

    first_ms: float
    total_ms: float
    joins_ms: list[float]
    beyond_ms: list[float]
    underruns: int | None
    holes: int


def reply(speed: float, request: Request) -> Script:
    """A voice of 15 characters a second with 100 ms of silence at both ends."""
    seconds = max(len(request.json["input"]) / CHARS_PER_S - 0.2, 0.1)
    silence = np.zeros(RATE_HZ // 10, np.int16)
    sound = np.concatenate([silence, tones.tone(1, seconds), silence])
    return Script(
        sound.tobytes(),
        first_byte_delay_s=0.3,
        rate_bytes_per_s=speed * 2 * RATE_HZ,
        piece_bytes=960,
    )


def written(process: subprocess.Popen[bytes]) -> None:
    """Write the answer into the process as a language model would."""
    assert process.stdin is not None
    due_s = time.monotonic()
    for token in tones.tokens(ANSWER):
        time.sleep(max(due_s - time.monotonic(), 0.0))
        due_s += 1 / TOKENS_PER_S
        process.stdin.write(token.encode())
        process.stdin.flush()
    process.stdin.close()
    process.stdin = None  # or communicate() would flush it


def start(command: list[str], env: dict[str, str], piped: bool = True) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=env,
        cwd=ROOT,
        stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def piped(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    process = start(command, env)
    written(process)
    return process


def waited(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    """The whole text is gathered first, then given at once."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as gathering:
        written(gathering)
        assert gathering.stdout is not None
        text = gathering.stdout.read().decode()
    return start([*command, text], env, piped=False)


Way = Callable[[list[str], dict[str, str]], subprocess.Popen[bytes]]


def rows(url: str) -> dict[str, tuple[Way, list[str]]]:
    return {
        "voicestream": (piped, [*SAY, url, "--json"]),
        "voicestream --lookahead 0": (piped, [*SAY, url, "--json", "--lookahead", "0"]),
        "one after the other": (piped, [*PLAIN, url]),
        "whole text first": (waited, [*SAY, url, "--json"]),
    }


def measure(way: Way, command: list[str], speaker: Loudspeaker, server: ServerProcess) -> Run:
    server.take_requests()
    with speaker.record() as recording:
        started_s = time.monotonic()
        process = way(command, environment(speaker))
        out, err = process.communicate()
        if process.returncode:
            raise RuntimeError(f"exit {process.returncode}: {err.decode()}")
        recording.wait_silence(0.2)
        recording.stop()
    first_s, last_s = recording.first_sound_s(AUDIBLE), recording.last_sound_s(AUDIBLE)
    assert first_s is not None
    assert last_s is not None
    silences_ms = [1000 * (s.end - s.start) / RATE_HZ for s in recording.silences(AUDIBLE, 5)]
    joins_ms = [length for length in silences_ms if length >= LEAST_JOIN_MS]
    asked = asked_pauses_ms([request.json["input"] for request in server.take_requests()])
    if len(asked) != len(joins_ms):
        print(f"{len(joins_ms)} silences at {len(asked)} joins: {joins_ms}")
        asked = [SENTENCE_MS] * len(joins_ms)
    return Run(
        1000 * (first_s - started_s),
        1000 * (last_s - started_s),
        joins_ms,
        [join - pause for join, pause in zip(joins_ms, asked, strict=True)],
        json.loads(out)["underruns"] if out else None,
        len(silences_ms) - len(joins_ms),
    )


def asked_pauses_ms(texts: list[str]) -> list[float]:
    """The pause after each request but the last, in the order of the text."""
    in_order = sorted(texts, key=ANSWER.index)
    return [SENTENCE_MS if text.endswith(".") else CLAUSE_MS for text in in_order[:-1]]


def environment(speaker: Loudspeaker) -> dict[str, str]:
    env = speaker.env | {"VOICESTREAM_API_KEY": "test"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env


def shown(name: str, run: Run, base: Run | None) -> str:
    ratio = f"{base.first_ms / run.first_ms:>8.1f}x" if base else f"{'':>9}"
    underruns = "-" if run.underruns is None else run.underruns
    return (
        f"{name:28}{run.first_ms:>8.0f}{ratio}{statistics.mean(run.joins_ms):>9.0f}"
        f"{max(run.joins_ms):>8.0f}{min(run.beyond_ms):>9.0f}{max(run.beyond_ms):>7.0f}"
        f"{underruns:>10}{run.holes:>7}{run.total_ms / 1000:>9.1f}"
    )


def compare(speeds: list[float], only: list[str], speaker: Loudspeaker) -> None:
    scripts = {f"x{speed:g}": partial(reply, speed) for speed in speeds}
    with ServerProcess(scripts) as server:
        for speed in speeds:
            print(
                f"\nserver at {speed:g}x realtime, first byte after 300 ms\n"
                f"{'':28}{'first':>8}{'sooner':>9}{'join':>9}{'join':>8}"
                f"{'beyond the pause':>16}{'underruns':>10}{'holes':>7}{'total':>9}\n"
                f"{'':28}{'ms':>8}{'':>9}{'mean ms':>9}{'max':>8}{'min':>9}{'max':>7}"
                f"{'':>17}{'s':>9}"
            )
            runs: dict[str, Run] = {}
            for name, (way, command) in rows(server.url(f"x{speed:g}")).items():
                if not only or name in only:
                    runs[name] = measure(way, command, speaker, server)
            base = runs.get("one after the other")
            for name, run in runs.items():
                print(shown(name, run, base), flush=True)
    print("for reference, batched: 5945 ms to first sound, gaps of 440; pipelined: 1200, 0")


def warm_request_ms(speaker: Loudspeaker, server: ServerProcess) -> float:
    """The first clause is complete on stdin of a warm process: until the request is there."""
    server.take_requests()
    process = start([*SAY, server.url("x4"), "--device", "null"], environment(speaker))
    assert process.stdin is not None
    time.sleep(1.5)
    process.stdin.write(b"This is the first clause of it")
    process.stdin.flush()
    time.sleep(0.1)
    written_s = time.monotonic()
    process.stdin.write(b", and")
    process.stdin.flush()
    while not (requests := server.take_requests()):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    process.communicate()
    return 1000 * (requests[0].complete_s - written_s)


def interrupt_ms(speaker: Loudspeaker, server: ServerProcess) -> tuple[float, float]:
    """A signal while it speaks: until silence, and until the process has ended."""
    with speaker.record() as recording:
        process = start([*SAY, server.url("x4")], environment(speaker))
        assert process.stdin is not None
        process.stdin.write(ANSWER.encode())
        process.stdin.flush()
        recording.wait_sound()
        time.sleep(0.5)
        signalled_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(10)
        ended_s = time.monotonic()
        process.communicate()
        recording.wait_silence(0.2)
        recording.stop()
    return _since(signalled_s, recording), 1000 * (ended_s - signalled_s)


def _since(moment_s: float, recording: Recording) -> float:
    last_s = recording.last_sound_s(AUDIBLE)
    assert last_s is not None
    return 1000 * (last_s - moment_s)


def warm(rounds: int, speaker: Loudspeaker) -> None:
    with ServerProcess({"x4": partial(reply, 4.0)}) as server:
        requests = [warm_request_ms(speaker, server) for _ in range(rounds)]
        stops = [interrupt_ms(speaker, server) for _ in range(rounds)]
    named = {
        "clause on stdin to request at the server": (requests, 10),
        "signal to silence": ([silent for silent, _ in stops], 60),
        "signal to the end of the process": ([ended for _, ended in stops], 300),
    }
    print(f"\n{'':42}{'median ms':>10}{'worst':>8}{'goal':>8}")
    for name, (values, goal) in named.items():
        print(f"{name:42}{statistics.median(values):>10.1f}{max(values):>8.1f}{goal:>8}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speeds", nargs="*", type=float, default=[2.0, 4.0], metavar="TIMES")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these rows")
    parser.add_argument("--warm", type=int, default=10, help="rounds of the warm figures")
    options = parser.parse_args()
    with Loudspeaker() as speaker:
        print(f"{len(ANSWER)} characters, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        compare(options.speeds, options.only, speaker)
        if options.warm:
            warm(options.warm, speaker)
    return 0


if __name__ == "__main__":
    sys.exit(main())
