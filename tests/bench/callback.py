"""How long the sound card's callback takes: shares of its period, on a real PortAudio stream.

    python -m tests.bench.callback [--seconds 40]

``voicestream say`` plays speech from a scripted server (4x realtime) on a null sink, without
the panel and with it (on a pseudo terminal). Three times of each callback:

cpu     processor time in the program's callback: what a busy machine does not change much
inside  from the callback's first line to its last
called  the same and the wait before it: PortAudio tells when it called, and of all calls the
        promptest shows how its clock differs from the program's

The 99.9th percentile of a stream of 40 s is its third longest of 2,500.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import pty
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.steady import RATE_HZ, swallow
from tests.support.command import ROOT
from tests.support.loudspeaker import Loudspeaker
from tests.support.remote import ServerProcess
from tests.support.script import Script
from tests.support.sound import speechlike

SHARES = (50.0, 99.0, 99.9)
GOAL_PERCENT = 10.0


def measure(
    url: str, speaker: Loudspeaker, panel: str, folder: Path
) -> tuple[dict[str, np.ndarray], float]:
    """Milliseconds of each callback by kind, and of the period."""
    file = folder / f"{panel}.json"
    arguments = ["say", "Hello.", "--base-url", url, "--panel", panel, "--backend", "pyaudio"]
    env = {**speaker.env, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    reading, terminal = pty.openpty()
    threading.Thread(target=swallow, args=(reading,), daemon=True).start()
    subprocess.run(
        [sys.executable, "-m", "tests.bench.callback", "--into", str(file), *arguments],
        env=env,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        check=True,
    )
    os.close(terminal)
    found = json.loads(file.read_text())
    called, began, ended, cpu = 1000 * np.array(found["times"]).T
    waited, inside = began - called, ended - began
    waited -= waited.min()
    kinds = {"cpu": cpu, "inside": inside, "called": inside + waited}
    return kinds, 1000 * found["period_s"]


def say_timed(file: str, arguments: Sequence[str]) -> int:
    """``voicestream`` in this process, its callback timed into a file."""
    from voicestream.cli.entry import run
    from voicestream.output.devices import PERIOD_S
    from voicestream.output.portaudio import PortAudioSink

    times: list[tuple[float, float, float, float]] = []
    answer = PortAudioSink._callback

    def timed(
        self: PortAudioSink, none: None, frames: int, info: Mapping[str, float], status: int
    ) -> tuple[Any, int]:
        began_s, cpu_s = time.perf_counter(), time.thread_time()
        found = answer(self, none, frames, info, status)
        cpu_s = time.thread_time() - cpu_s
        times.append((info["current_time"], began_s, time.perf_counter(), cpu_s))
        return found

    PortAudioSink._callback = timed  # type: ignore[method-assign]
    gc.disable()  # as the program's entry does; it goes on collecting once it plays
    code = run(arguments)
    Path(file).write_text(json.dumps({"period_s": PERIOD_S, "times": times}))
    return code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0)
    seconds = parser.parse_args().seconds
    speech = speechlike(1.0).tobytes() * round(seconds)
    script = Script(speech, rate_bytes_per_s=4 * 2 * RATE_HZ)
    sys.stdout.write(f"{'percent of the period':28}" + "".join(f"{s:>9}th" for s in SHARES))
    sys.stdout.write("   goal\n")
    with (
        ServerProcess({"speech": script}) as server,
        Loudspeaker() as speaker,
        tempfile.TemporaryDirectory() as folder,
    ):
        for panel in ("off", "on"):
            kinds, period_ms = measure(server.url("speech"), speaker, panel, Path(folder))
            for name, values in kinds.items():
                shares = 100 * np.percentile(values, SHARES) / period_ms
                cells = "".join(f"{share:11.2f}" for share in shares)
                head = f"panel {panel}, {name}"
                sys.stdout.write(f"{head:28}{cells}{GOAL_PERCENT:7.0f}\n")
    sys.stdout.write(
        f"{len(values)} callbacks of {period_ms:.0f} ms each; load {os.getloadavg()[0]:.1f}\n"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--into"]:
        os._exit(say_timed(sys.argv[2], sys.argv[3:]))
    main()
