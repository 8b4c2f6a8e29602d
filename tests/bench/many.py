"""Many replies at once, each on a simulated device with a real clock.

    python tests/bench/many.py [--streams 50] [--sentences 8]
    python tests/bench/many.py --processes 10 [--seconds 10]

In one process: the server (in the same one) sends three times as fast as the sound
plays. Told are underruns, CPU, and the threads and descriptors that are left afterwards.

--processes: so many commands started together, each with one reply that a steady server
(in a process of its own) sends at the pace of the sound; told are the same, and the
threads and descriptors that the server is left with.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.crowd import speak_at_once
from tests.faults.stage import samples_of
from tests.support import command
from tests.support.remote import ServerProcess
from tests.support.script import Script
from tests.support.sound import ramp

_RATE_HZ = 24_000
_PIECE_S = 0.04


def streams(count: int, sentences: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        crowd = speak_at_once(count, Path(folder), sentences)
    audio_s = sum(result.snapshot.audio_s for result in crowd.results)
    print(f"{crowd.streams} streams, {audio_s:.0f} s of sound in {crowd.took_s:.1f} s")
    print(f"{crowd.cpu_s:.1f} s of CPU, the server included")
    print(f"{crowd.whole} heard whole, {crowd.underruns} underruns")
    print(f"left behind: {crowd.threads} threads, {crowd.descriptors} descriptors")
    return bool(crowd.underruns or crowd.whole < count or crowd.threads or crowd.descriptors)


def processes(count: int, seconds: float) -> bool:
    body = ramp(round(seconds * _RATE_HZ)).tobytes()
    steady = Script(body, rate_bytes_per_s=2 * _RATE_HZ, piece_bytes=int(2 * _RATE_HZ * _PIECE_S))
    with ServerProcess({"steady": steady}) as server, tempfile.TemporaryDirectory() as folder:
        homes = [Path(folder, str(number)) for number in range(count + 1)]
        for home in homes:
            home.mkdir()
        _say(server, homes.pop(), 0.2).communicate()  # writes bytecode, warms the cache
        before = _held_by(server.pid)
        began_s, before_cpu_s = time.monotonic(), _children_cpu_s()
        running = [_say(server, home, seconds) for home in homes]
        ended = [process.communicate(timeout=60 + 4 * seconds) for process in running]
        took_s, cpu_s = time.monotonic() - began_s, _children_cpu_s() - before_cpu_s
        figures: list[dict[str, Any]] = [json.loads(out) for out, _ in ended]
        whole = sum(_is_whole(home, body) for home in homes)
        left = _left_by(server.pid, before)
    failed = sum(process.returncode != 0 for process in running)
    underruns = sum(figure["underruns"] for figure in figures)
    print(f"{count} processes, {count * seconds:.0f} s of sound in {took_s:.1f} s, {failed} failed")
    ttfa_ms = sorted(figure["ttfa_ms"] for figure in figures)
    print(f"first sound after {ttfa_ms[0]:.0f} to {ttfa_ms[-1]:.0f} ms, all started at once")
    print(f"{cpu_s:.1f} s of CPU on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{whole} heard whole, {underruns} underruns (goal: 0)")
    print(f"left behind at the server: {left[0]} threads, {left[1]} descriptors")
    return bool(failed or underruns or whole < count or left[0] > 0 or left[1] > 0)


def _say(server: ServerProcess, home: Path, seconds: float) -> Any:
    # as many words as take about so long to say: how much is to come is part of the plan
    text = "word " * max(int(seconds * 3), 1)
    plain = ("--device", "null", "--no-trim", "--no-normalize", "--batch-chars", "4096")
    url = server.url("steady")
    return command.start(
        *("say", text, *plain, "--base-url", url, "--json", "--quiet", "--save", "out.wav"),
        env=command.environment(home),
        cwd=home,
    )


def _is_whole(home: Path, body: bytes) -> bool:
    file = home / "out.wav"
    return file.exists() and samples_of(file.read_bytes()).tobytes() == body


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _held_by(pid: int) -> tuple[int, int]:
    """Threads and descriptors of a process."""
    return len(os.listdir(f"/proc/{pid}/task")), len(os.listdir(f"/proc/{pid}/fd"))


def _left_by(pid: int, before: tuple[int, int], within_s: float = 10.0) -> tuple[int, int]:
    """How many more than before, once what ends has had its time."""
    until_s = time.monotonic() + within_s
    while (now := _held_by(pid)) > before and time.monotonic() < until_s:
        time.sleep(0.05)
    return now[0] - before[0], now[1] - before[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--sentences", type=int, default=8)
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    if chosen.processes:
        return processes(chosen.processes, chosen.seconds)
    return streams(chosen.streams, chosen.sentences)


if __name__ == "__main__":
    sys.exit(main())
