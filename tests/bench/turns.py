"""One voice at a time, and in your hands: how fast, how exact, and at what cost.

    python -m tests.bench.turns [--times 10] [--pairs 40] [--runs 500] [--kills 20]

verb        from the start of the verb's process, and from its arrival at the socket, to silence on
            a recorded null sink
hand-over   what the silence between two processes has beyond the pause that was asked for
cost        of the floor to a lone ``say``: with it and without in pairs, either first; nothing
            of it is loaded or done before the request (a test holds that), so what is printed for
            the request is how far this machine can be trusted at the moment
exact       random verbs on replies moved by hand: samples lost, changed or heard twice
kills       a holder of the floor that is killed or stopped: until another has it
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.control.test_floor import Hall
from tests.session.random_verbs import run
from tests.support import command
from tests.support.loudspeaker import Loudspeaker
from tests.support.matching import match
from tests.support.remote import ServerProcess
from tests.support.script import Request, Script
from tests.support.sound import ramp
from voicestream.control.client import speakers
from voicestream.control.floor import PATIENCE_S
from voicestream.control.lines import Peer

RATE_HZ = 24_000
PAUSE_MS = 300.0
KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME", "PULSE_COOKIE", "ALSA_CONFIG_PATH")
_LENGTHS_S = {"long": 60.0, "one": 0.5, "two": 0.5}
_STARTS = {"long": 0, "one": 0, "two": 60_000}
_PROGRAM = Path(sys.executable).with_name("voicestream")
_REST_S = 0.25
Lone = tuple[float, float, float]
"""Milliseconds to the request, to the first sound, and of CPU."""


def reply(request: Request) -> Script:
    name = request.json["input"].strip(" .")
    sound = ramp(round(_LENGTHS_S[name] * RATE_HZ), start=_STARTS[name])
    return Script(sound.tobytes(), rate_bytes_per_s=8 * 48_000)


class Stage:
    """A loudspeaker, a server, and commands that use both."""

    def __init__(self, speaker: Loudspeaker, url: str, folder: Path) -> None:
        self.speaker = speaker
        self.folder = folder
        self.url = url
        kept = {name: speaker.env[name] for name in KEPT if name in speaker.env}
        self.env = command.environment(folder, kept, {"VOICESTREAM_TURN": "wait"})
        self.runtime = Path(kept["XDG_RUNTIME_DIR"]) / "voicestream"

    def say(self, name: str, *flags: str, runtime: str = "") -> subprocess.Popen[bytes]:
        env = self.env | ({"VOICESTREAM_RUNTIME_DIR": runtime} if runtime else {})
        words = ("say", name, "--base-url", self.url, "--json", "--quiet", *flags)
        return command.start(*words, env=env, cwd=self.folder)

    def verb(self, *words: str) -> None:
        subprocess.run([str(_PROGRAM), *words], env=self.env, cwd=self.folder, check=True)


def verb_to_silence(stage: Stage, times: int) -> dict[str, list[float]]:
    """Milliseconds until silence: of ``pause`` typed, and of the same line sent to the socket."""
    found: dict[str, list[float]] = {"typed": [], "arrived": []}
    for kind, measured in found.items():
        asked_s = []
        with stage.speaker.record() as recording:
            process = stage.say("long")
            recording.wait_sound()
            for _ in range(times):
                time.sleep(_REST_S + random.random() / 10)
                asked_s.append(time.monotonic())
                if kind == "typed":
                    stage.verb("pause")
                else:
                    _tell(stage, "pause")
                recording.wait_silence(_REST_S)
                stage.verb("resume")
            time.sleep(_REST_S)
            process.kill()
            process.communicate()
            recording.stop()
        pauses = [span.start for span in recording.silences(min_ms=800 * _REST_S)]
        begins_s = [recording.time_of(start) for start in pauses]
        for at_s in asked_s:
            later = [begin_s - at_s for begin_s in begins_s if begin_s > at_s]
            measured.append(1000 * min(later))
    return found


def _tell(stage: Stage, verb: str) -> None:
    peer = Peer(f"{stage.runtime}/{speakers(str(stage.runtime))[0]}.sock", 5)
    peer.ask({"verb": verb})
    peer.close()


def hand_over(stage: Stage, times: int) -> list[float]:
    """Milliseconds of silence between two processes, less the pause that was asked for."""
    found = []
    flags = ("--pause-paragraph-ms", str(PAUSE_MS))
    for _ in range(times):
        with stage.speaker.record() as recording:
            first = stage.say("one", *flags)
            recording.wait_sound()
            second = stage.say("two", *flags)
            first.communicate()
            second.communicate()
            heard = recording.stop()
        end = match(ramp(round(_LENGTHS_S["one"] * RATE_HZ)), heard).end_frame
        begin = match(ramp(round(_LENGTHS_S["two"] * RATE_HZ), start=_STARTS["two"]), heard)
        if begin.first_frame is not None:
            found.append(1000 * (begin.first_frame - end) / RATE_HZ - PAUSE_MS)
    return found


def cost(stage: Stage, pairs: int) -> list[tuple[Lone, Lone]]:
    """The figures of ``say`` with the floor and without, run right after one another."""
    found = []
    nobodys = stage.folder / "open"  # a folder that others may enter is refused: no floor
    nobodys.mkdir(mode=0o755)
    for _ in range(pairs):
        runtimes = ["", str(nobodys)]
        random.shuffle(runtimes)
        measured = {runtime: _lone(stage, runtime) for runtime in runtimes}
        found.append((measured[""], measured[str(nobodys)]))
    return found


def _lone(stage: Stage, runtime: str) -> Lone:
    with stage.say("one", runtime=runtime) as process:
        assert process.stdout is not None
        line = json.loads(process.stdout.read())["timeline_ms"]
        usage = os.wait4(process.pid, 0)[2]
        process.returncode = 0
    return line["request_sent"], line["first_sound"], 1000 * (usage.ru_utime + usage.ru_stime)


def cost_lines(pairs: Sequence[tuple[Lone, Lone]]) -> Iterator[str]:
    for index, what in enumerate(("until the request", "until the first sound", "in CPU")):
        differences = [with_it[index] - without[index] for with_it, without in pairs]
        low, middle, high = statistics.quantiles(differences, n=4)
        yield (
            f"cost {what:22} {middle:+6.1f} ms by the median of {len(pairs)} differences "
            f"(half of them {low:+.1f} to {high:+.1f}; with the floor "
            f"{statistics.median(with_it[index] for with_it, _ in pairs):.1f})"
            + ("; goal 3" if index == 0 else "")
        )


def kills(count: int) -> dict[str, list[float]]:
    """Milliseconds from the end or the stop of the holder until another has the floor."""
    found: dict[str, list[float]] = {"SIGKILL": [], "SIGSTOP": []}
    for number in range(count):
        with tempfile.TemporaryDirectory(prefix="vs-") as folder:
            hall = Hall(Path(folder))
            hall.speaker("a", speaks_s=30)
            hall.on("a")
            hall.speaker("b", speaks_s=0.1)
            time.sleep(random.random() / 2)
            name = ("SIGKILL", "SIGSTOP")[number % 2]
            began_s = time.monotonic()
            os.kill(hall.speakers["a"].pid, getattr(signal, name))
            hall.on("b")
            found[name].append(1000 * (time.monotonic() - began_s))
            for process in hall.speakers.values():
                process.kill()
                process.wait()
    return found


@contextmanager
def stage_of(folder: str) -> Iterator[Stage]:
    with Loudspeaker() as speaker, ServerProcess({"say": reply}) as server:
        yield Stage(speaker, server.url("say"), Path(folder))


def shown(values: Sequence[float]) -> str:
    return (
        f"median {statistics.median(values):6.1f} ms, "
        f"least {min(values):6.1f}, most {max(values):6.1f} ({len(values)} times)"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, stage_of(folder) as stage:
        silence = verb_to_silence(stage, arguments.times)
        print(f"verb typed to silence    {shown(silence['typed'])}; goal 100")
        print(f"verb arrived to silence  {shown(silence['arrived'])}; goal 60")
        print(f"hand-over beyond pause   {shown(hand_over(stage, arguments.times))}; goal 20")
        print(*cost_lines(cost(stage, arguments.pairs)), sep="\n")
    outcomes = [run(seed) for seed in range(arguments.runs)]
    still = [outcome for outcome in outcomes if not outcome.sought]
    wrong = [seed for seed, outcome in enumerate(outcomes) if not outcome.exact]
    print(
        f"random verbs             {sum(it.verbs for it in outcomes)} in {len(outcomes)} runs: "
        f"{sum(it.lost for it in still)} samples lost, {sum(it.doubled for it in still)} doubled; "
        f"wrong seeds: {wrong or 'none'}; goal 0"
    )
    for name, values in kills(arguments.kills).items():
        if values:
            bound = f"; passed over after {1000 * PATIENCE_S:.0f}" if name == "SIGSTOP" else ""
            print(f"holder gets {name}      {shown(values)}{bound}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
