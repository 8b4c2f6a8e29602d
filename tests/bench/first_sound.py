"""How soon is it heard? Cold processes beside each other on a recorded loudspeaker.

    python tests/bench/first_sound.py [--runs 5] [--only NAME ...]

A scripted server in a process of its own answers with the first byte after 200 ms,
then at four times realtime. The programs take turns, round by round, after one
round that is not counted (it warms the file cache and writes bytecode). What is
heard is taken from the null sink's monitor; ``tests/support`` says how exactly.

request: start of the process to the whole request at the server. byte to sound:
first byte of the body sent to first sound heard. sound: start of the process to
first sound heard. lost: samples never heard, or not in order. CPU and peak memory
are those of all processes of a row. ``x``: against the row named in the heading.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.rows import BARE, PACAT, TEXT, Row, rows, voicestream
from tests.support.loudspeaker import Loudspeaker
from tests.support.recording import Recording
from tests.support.remote import ServerProcess
from tests.support.script import Script
from tests.support.sound import mp3, ramp, speechlike, wav

ROOT = Path(__file__).parents[2]
RATE_HZ = 24_000
SOUND_S = 2.0
SPEED = 4.0
FIRST_BYTE_DELAY_S = 0.2
PIECE_S = 0.01
PREBUFFER_MS = 150
QUIET = 300
"""A voice begins softly: a sample further from zero than this is its first sound."""
GIVE_UP_S = 30.0
_POLL_S = 0.02


@dataclass
class Run:
    """One process's figures; None where a row has none."""

    request_ms: float | None = None
    byte_to_sound_ms: float | None = None
    sound_ms: float | None = None
    lost: float | None = None
    cpu_ms: float | None = None
    memory_mb: float | None = None


class BenchError(Exception):
    """A program could not be measured."""


def scripts(delay_s: float = FIRST_BYTE_DELAY_S, speed: float = SPEED) -> dict[str, Script]:
    """The replies by format, all of the same length.

    Args:
        delay_s: to the first byte.
        speed: after that, in realtimes.
    """
    sound = ramp(round(SOUND_S * RATE_HZ))
    bodies = {
        "pcm": (sound.tobytes(), "audio/pcm"),
        "realtime": (sound.tobytes(), ""),
        "wav": (wav(sound, sizes="max"), "audio/wav"),
        "mp3": (mp3(speechlike(SOUND_S)), "audio/mpeg"),
    }
    return {
        name: Script(
            body,
            content_type=kind,
            first_byte_delay_s=delay_s,
            rate_bytes_per_s=speed * len(body) / SOUND_S,
            piece_bytes=round(len(body) / SOUND_S * PIECE_S) // 2 * 2,
        )
        for name, (body, kind) in bodies.items()
    }


def measure(row: Row, server: ServerProcess, speaker: Loudspeaker) -> Run:
    """Start the row's program, hear it to the end, and take its figures.

    Raises:
        BenchError: it failed, asked for nothing, or was not heard.
    """
    server.take_requests()
    with speaker.record() as recording:
        started_s, run = _run(row, server.url(row.format), speaker.env)
        if not row.mute:
            recording.wait_silence(0.2, GIVE_UP_S)
        recording.stop()
    first_byte_s = None
    if row.format != "embedded" and not row.kept:
        asked = [request for request in server.take_requests() if request.method == row.asks]
        if not asked or asked[0].first_byte_s is None:
            raise BenchError("never asked the server")
        first_byte_s = asked[0].first_byte_s
        run.request_ms = 1000 * (asked[0].complete_s - started_s)
    if not row.mute:
        _hear(row, recording, run, started_s, first_byte_s)
    return run


def _hear(
    row: Row, recording: Recording, run: Run, started_s: float, first_byte_s: float | None
) -> None:
    heard_s = recording.first_sound_s(QUIET)
    if heard_s is None:
        raise BenchError("was not heard")
    run.sound_ms = 1000 * (heard_s - started_s)
    if first_byte_s is not None:
        run.byte_to_sound_ms = 1000 * (heard_s - first_byte_s)
    if row.exact:
        run.lost = recording.missing(ramp(round(SOUND_S * RATE_HZ)))


def program_env(env: dict[str, str]) -> dict[str, str]:
    """The environment of a program that is measured."""
    # what was sent is compared with what is heard
    env = env | {"VOICESTREAM_API_KEY": "test", "VOICESTREAM_LOUDNESS": "off"}
    env["VOICESTREAM_CACHE"] = "off"  # what was said before is asked for again
    env["VOICESTREAM_ENGINE"] = "off"  # cold, where a row does not say otherwise
    # Without bytecode every import takes twice as long.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env


def _run(row: Row, url: str, env: dict[str, str]) -> tuple[float, Run]:
    """Run the row's processes to their end: when they were started, and what they took."""
    env = program_env(env)
    with tempfile.TemporaryFile() as errors:
        commands = row.start(url)
        started_s = time.monotonic()
        processes: list[subprocess.Popen[bytes]] = []
        for command in commands:
            processes.append(
                subprocess.Popen(
                    command,
                    env=env,
                    cwd=ROOT,
                    stdin=processes[-1].stdout if processes else subprocess.DEVNULL,
                    stdout=subprocess.PIPE if command is not commands[-1] else errors,
                    stderr=errors,
                )
            )
        for process in processes:
            if process.stdout is not None:
                process.stdout.close()
        run = _follow(processes, started_s + GIVE_UP_S)
        failed = [process for process in processes if process.returncode != 0]
        if failed:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            raise BenchError(f"exit {failed[0].returncode}: {said[-1] if said else 'no word'}")
    return started_s, run


def _follow(processes: Sequence[subprocess.Popen[bytes]], deadline_s: float) -> Run:
    """Wait for all: their CPU time and the sum of their peak memories."""
    peaks_mb = dict.fromkeys([process.pid for process in processes], 0.0)
    cpu_s = 0.0
    running = list(processes)
    while running:
        for process in list(running):
            # ru_maxrss would count this very process before exec.
            peaks_mb[process.pid] = max(peaks_mb[process.pid], _peak_mb(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                cpu_s += usage.ru_utime + usage.ru_stime
                running.remove(process)
            elif time.monotonic() > deadline_s:
                process.kill()
        time.sleep(_POLL_S)
    return Run(cpu_ms=1000 * cpu_s, memory_mb=sum(peaks_mb.values()))


def _peak_mb(pid: int) -> float:
    """Peak resident memory so far; 0 when the process has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def median(runs: Sequence[Run], name: str) -> float | None:
    values = [value for run in runs if (value := getattr(run, name)) is not None]
    return statistics.median(values) if values else None


def table(taken: dict[str, list[Run]], notes: dict[str, str]) -> str:
    """The medians of each row as lines of text."""
    heading = (
        f"{'':24}{'request':>9}{'x httpx':>9}{'byte to':>9}{'sound':>9}{'x curl':>9}"
        f"{'lost':>8}{'CPU':>8}{'memory':>8}\n"
        f"{'median of runs':24}{'ms':>9}{'':>9}{'sound ms':>9}{'ms':>9}{'| pacat':>9}"
        f"{'samples':>8}{'ms':>8}{'MB':>8}"
    )
    lines = [heading]
    base_request = median(taken.get(BARE, []), "request_ms")
    base_sound = median(taken.get(PACAT, []), "sound_ms")
    for name, runs in taken.items():
        request, sound = median(runs, "request_ms"), median(runs, "sound_ms")
        line = f"{name:24}{_cell(request, 9)}{_ratio(request, base_request)}"
        line += f"{_cell(median(runs, 'byte_to_sound_ms'), 9)}{_cell(sound, 9)}"
        line += f"{_ratio(sound, base_sound)}{_cell(median(runs, 'lost'), 8)}"
        line += f"{_cell(median(runs, 'cpu_ms'), 8)}{_cell(median(runs, 'memory_mb'), 8)}"
        lines.append(line if runs else f"{name:24}")
        if name in notes:
            lines[-1] += f"  {notes[name]}"
    return "\n".join(lines)


def _cell(value: float | None, width: int) -> str:
    return f"{'-' if value is None else format(value, '.0f'):>{width}}"


def _ratio(value: float | None, base: float | None) -> str:
    return f"{'-' if value is None or not base else format(value / base, '.2f'):>9}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="counted rounds (default 5)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="rows with one of these words")
    options = parser.parse_args()
    wanted = [
        row
        for row in rows()
        if not options.only or any(word.lower() in row.name.lower() for word in options.only)
    ]
    notes = {row.name: f"not installed: {row.lacking}" for row in wanted if row.lacking}
    taken: dict[str, list[Run]] = {row.name: [] for row in wanted}
    with Loudspeaker() as speaker, ServerProcess(scripts()) as server:
        for turn in range(options.runs + 1):
            for row in wanted:
                if row.lacking:
                    continue
                try:
                    run = measure(row, server, speaker)
                except (BenchError, TimeoutError) as error:
                    notes[row.name] = f"failed in round {turn}: {error}"
                    continue
                if turn:
                    taken[row.name].append(run)
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}; {options.runs} rounds; {SOUND_S:g} s of sound at "
        f"{SPEED:g}x realtime, first byte after {1000 * FIRST_BYTE_DELAY_S:.0f} ms; "
        f"{PREBUFFER_MS} ms of sound take {PREBUFFER_MS / SPEED:.1f} ms to arrive\n"
    )
    print(table(taken, notes))
    if {"voicestream pcm", "voicestream realtime"} <= set(taken):
        print(f"\n{second_segment(options.runs)}")
    return 0


def second_segment(rounds: int) -> str:
    """How long the second segment takes from its request to its first byte, by endpoint."""
    taken: dict[str, list[float]] = {"pcm": [], "realtime": []}
    two = f"{TEXT} It is {TEXT.lower()}"
    with ServerProcess(scripts()) as server:
        for _ in range(rounds):
            for kind, waits_ms in taken.items():
                [command] = voicestream(kind, "--device", "null", "--json").start(server.url(kind))
                done = subprocess.run(
                    [two if word == TEXT else word for word in command],
                    env=os.environ | {"VOICESTREAM_API_KEY": "test"},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    check=True,
                )
                second = json.loads(done.stdout)["segments"][1]
                waits_ms.append(second["first_byte_ms"] - second["request_ms"])
    speech, realtime = (statistics.median(waits_ms) for waits_ms in taken.values())
    return (
        f"second segment, request to first byte: speech route {speech:.0f} ms, Realtime "
        f"{realtime:.0f} ms ({realtime / speech:.2f} x)"
    )


if __name__ == "__main__":
    sys.exit(main())
