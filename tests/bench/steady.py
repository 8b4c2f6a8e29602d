"""What it costs to go on: CPU, memory, and how fast it falls silent.

    python tests/bench/steady.py [--runs 5] [--hour]

Against a scripted server in a process of its own, on a recorded null sink.

CPU per audio second: two lengths of the same reply; the difference in CPU over the
difference in sound, so that the start is not counted; with and without the panel (on
a pseudo terminal), beside curl with pacat and mpv, which take turns with them. ``x``: against
curl with pacat. Interrupt: from SIGINT to the last sound in the recording, and to
the end of the process. Back: from the return of a killed sound server to sound.
TTFA: what --json reports against the recording.

--hour: one hour of speech through the whole program on a simulated device whose clock
runs sixty times as fast; memory, threads and descriptors after five minutes and at
the end.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(_ROOT))

from tests.bench.rows import PACAT, Row, rows
from tests.support.loudspeaker import Loudspeaker
from tests.support.remote import ServerProcess
from tests.support.script import Script
from tests.support.sound import ramp, speechlike

RATE_HZ = 24_000
SHORT_S, LONG_S = 1.0, 11.0
CPU_GOALS_MS = {"no panel": 12.0, "with panel": 20.0}


def scripts() -> dict[str, Script]:
    speech = speechlike(LONG_S).tobytes()
    four_times = 4 * 2 * RATE_HZ
    return {
        "short": Script(speech[: int(SHORT_S * 2 * RATE_HZ)], rate_bytes_per_s=four_times),
        "long": Script(speech, rate_bytes_per_s=four_times),
        "ramp": Script(
            ramp(RATE_HZ).tobytes(), first_byte_delay_s=0.2, rate_bytes_per_s=four_times
        ),
        "hour": Script(speechlike(10.0).tobytes() * 6),
    }


def command(url: str, *more: str) -> list[str]:
    return [sys.executable, "-m", "voicestream", "say", "Hello.", "--base-url", url, *more]


def cpu_s(arguments: list[str], env: Mapping[str, str], cwd: str, terminal: bool) -> float:
    """CPU seconds of one process, user and system."""
    stderr: int = subprocess.DEVNULL
    if terminal:
        reading, stderr = pty.openpty()
        threading.Thread(target=swallow, args=(reading,), daemon=True).start()
    process = subprocess.Popen(
        arguments, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=stderr,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if terminal:
        os.close(stderr)
    if process.returncode:
        raise SystemExit(f"exit {process.returncode}: {' '.join(arguments)}")
    return usage.ru_utime + usage.ru_stime


def swallow(reading: int) -> None:
    try:
        while os.read(reading, 65536):
            pass
    except OSError:
        return  # the other end is closed


def interrupt_ms(
    speaker: Loudspeaker, url: str, env: Mapping[str, str], cwd: str
) -> tuple[float, float]:
    """SIGINT to silence, SIGINT to the end of the process."""
    with speaker.record() as recording:
        process = subprocess.Popen(
            command(url, "--quiet"), env=env, cwd=cwd, stdin=subprocess.DEVNULL
        )
        recording.wait_sound()
        time.sleep(0.7)  # into the speech
        sent_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(20)
        ended_s = time.monotonic()
        recording.wait_silence()
        recording.stop()
        last_s = recording.last_sound_s() or sent_s
    return 1000 * (last_s - sent_s), 1000 * (ended_s - sent_s)


def ttfa_error_ms(speaker: Loudspeaker, url: str, env: Mapping[str, str], cwd: str) -> float:
    """The time to first audio that is reported, less the one that is heard."""
    with speaker.record() as recording:
        started_s = time.monotonic()
        done = subprocess.run(
            command(url, "--quiet", "--json"), env=env, cwd=cwd, capture_output=True, check=True
        )
        recording.wait_silence()
        recording.stop()
        heard_s = recording.first_sound_s() or 0.0
    return float(json.loads(done.stdout)["ttfa_ms"] - 1000 * (heard_s - started_s))


def back_to_sound_ms(speaker: Loudspeaker, url: str, env: Mapping[str, str], cwd: str) -> float:
    """The sound server is killed in mid-word: from its return to sound again."""
    with speaker.record() as before:
        process = subprocess.Popen(
            command(url, "--quiet"), env=env, cwd=cwd, stdin=subprocess.DEVNULL
        )
        before.wait_sound()
        speaker.kill()
    speaker.restart()
    back_s = time.monotonic()
    with speaker.record() as after:
        after.wait_sound()
        process.kill()
        process.wait()
        after.stop()
    return 1000 * ((after.first_sound_s() or 0.0) - back_s)


def hour(url: str) -> None:
    """An hour of speech, sixty times as fast, in this process."""
    from voicestream.output.null import NullSink
    from voicestream.session.conductor import Session
    from voicestream.session.script import Script as Text
    from voicestream.session.wiring import make_endpoint
    from voicestream.settings.table import Settings

    settings = Settings(base_url=url, pause_sentence_ms=0, batch_chars=1, format="pcm")
    text = Text(settings, "This is one minute of speech, as the server has it. " * 60)
    session = Session(settings, make_endpoint(settings), text, NullSink(speed=60.0))
    session.start()
    seen: list[tuple[float, float, int, int]] = []
    while not session.wait(0.5):
        seen.append(
            (session.snapshot().played_s, resident_mb(), threading.active_count(), descriptors())
        )
    session.wait()
    early = next(row for row in seen if row[0] > 300)
    late = seen[-1]
    figures = session.result().snapshot
    print(f"\nan hour of speech: {figures.played_s:.0f} s played, {figures.underruns} underruns")
    print(f"  {'':22}{'5 min':>8}{'end':>8}{'growth':>8}{'goal':>6}")
    rows = (("memory, MB", 1, 2), ("threads", 2, 0), ("descriptors", 3, 0))
    for name, at, goal in rows:
        growth = late[at] - early[at]
        print(f"  {name:22}{early[at]:8.1f}{late[at]:8.1f}{growth:8.1f}{goal:6}")
    early_mb, late_mb = hour_of_arrivals()
    growth = late_mb - early_mb
    print(f"  {'the policy alone, MB':22}{early_mb:8.1f}{late_mb:8.1f}{growth:8.1f}{2:6}")


def hour_of_arrivals() -> tuple[float, float]:
    """What the policy and a trace hold of 90,000 arrivals, after five minutes and at the end.

    Sixty times as fast, most arrivals come as one: here they come as they would in an hour.
    """
    import tracemalloc

    from voicestream.policy.adaptive import Adaptive
    from voicestream.trace import TraceRecorder

    tracemalloc.start()
    policy, recorder = Adaptive(), TraceRecorder("hour", RATE_HZ, 0.0)
    held_mb = []
    for number in range(90_000):
        policy.arrived(0.04 * number, 0.04)
        recorder.arrived(0.04 * number, 960)
        if number in (7500, 89_999):
            held_mb.append(tracemalloc.get_traced_memory()[0] / 2**20)
    tracemalloc.stop()
    return held_mb[0], held_mb[1]


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--hour", action="store_true")
    chosen = parser.parse_args()
    with ServerProcess(scripts()) as server, tempfile.TemporaryDirectory() as cwd:
        if chosen.hour:
            hour(server.url("hour"))
            return 0
        with Loudspeaker() as speaker:
            measure(server, speaker, cwd, chosen.runs)
    return 0


def going_on(server: ServerProcess, env: Mapping[str, str], cwd: str, runs: int) -> None:
    """Print the CPU per audio second of the program and of others, which take turns."""

    def ours(panel: str) -> Callable[[str], list[str]]:
        return lambda url: command(url, "--panel", panel)

    def piped(row: Row) -> Callable[[str], list[str]]:
        # a shell waits for all of its commands, and so has their CPU
        return lambda url: ["sh", "-c", " | ".join(map(shlex.join, row.start(url)))]

    beside = [row for row in rows() if row.name in (PACAT, "curl | mpv pcm") and not row.lacking]
    programs = {"no panel": ours("off"), "with panel": ours("on")}
    programs |= {row.name: piped(row) for row in beside}
    per_s: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(runs):
        for name, made in programs.items():
            long_s, short_s = (
                cpu_s(made(server.url(length)), env, cwd, name == "with panel")
                for length in ("long", "short")
            )
            per_s[name].append(1000 * (long_s - short_s) / (LONG_S - SHORT_S))
    median = {name: statistics.median(figures) for name, figures in per_s.items()}
    print(f"{'CPU per audio second':36}{'ms':>8}{'goal':>8}{'x':>8}")
    for name, value in median.items():
        goal = f"{CPU_GOALS_MS[name]:8.0f}" if name in CPU_GOALS_MS else " " * 8
        against = f"{value / median[PACAT]:8.1f}" if PACAT in median else ""
        print(f"{name:36}{value:8.1f}{goal}{against}")


def measure(server: ServerProcess, speaker: Loudspeaker, cwd: str, runs: int) -> None:
    env = {**speaker.env, "PYTHONPATH": str(_ROOT), "TERM": "xterm-256color"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    cpu_s(command(server.url("short")), env, cwd, False)  # warms the cache, writes bytecode
    print(f"{runs} runs, medians; load {os.getloadavg()[0]:.1f}\n")
    going_on(server, env, cwd, runs)
    interrupts = [interrupt_ms(speaker, server.url("long"), env, cwd) for _ in range(runs)]
    errors = [ttfa_error_ms(speaker, server.url("ramp"), env, cwd) for _ in range(runs)]
    returns = [back_to_sound_ms(speaker, server.url("long"), env, cwd) for _ in range(runs)]
    median = statistics.median
    rows = [
        ("SIGINT to silence", median(silent for silent, _ in interrupts), 60.0),
        ("SIGINT to silence, worst", max(silent for silent, _ in interrupts), 60.0),
        ("SIGINT to exit", median(ended for _, ended in interrupts), 300.0),
        ("sound server back to sound again", median(returns), 1000.0),
        ("reported TTFA less the recording's", median(errors), 20.0),
    ]
    print(f"\n{'':36}{'ms':>8}{'goal':>8}{'ratio':>8}")
    for name, value, goal in rows:
        print(f"{name:36}{value:8.1f}{goal:8.0f}{value / goal:8.2f}")


if __name__ == "__main__":
    sys.exit(main())
