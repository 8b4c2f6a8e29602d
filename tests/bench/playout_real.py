"""Whether the simulation tells the truth: the playout policies over a real loudspeaker.

    python -m tests.bench.playout_real [--seconds 6] [--traces near_realtime slow]

The beginning of some traces of ``tests/data/traces``, with speech in them, is sent by a
scripted server as it arrived, and played by ``voicestream say`` on a recorded null sink.
Beside what was heard stands what ``playout/simulate.py`` foretells for the same arrivals:

start   from the request to the first sample of the speech
waits   how much later the last sample was heard than it would be without any wait; counted:
        what the player says of it

What is heard starts later by what the simulation leaves out: the program's own work, and
the sound card's lead-in of 20 ms with what waits in it. Where more silence was heard
than the player counted, the machine was too busy to feed the sound card: such a run tells
nothing of a policy, is marked, and left out of the last line. ``warm`` has met eight other
replies of the family, by the same way as in ``tests.bench.playout``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.bench.playout import met
from tests.support.command import ROOT, command
from tests.support.loudspeaker import Loudspeaker
from tests.support.recording import LOUD
from tests.support.remote import ServerProcess
from tests.support.script import Script
from tests.support.sound import Int16
from tests.support.trace_content import RATE_HZ, Content, natural_pauses
from tests.support.traces import given
from voicestream.pcm import to_int16
from voicestream.policy.adaptive import Adaptive
from voicestream.policy.base import Fixed, Policy
from voicestream.policy.history import Knowledge
from voicestream.policy.history_file import Learnt
from voicestream.policy.simulate import simulate
from voicestream.trace import Trace

TRACES = ("cloud", "near_realtime", "gc_pauses", "slow")
POLICIES = ("fixed 150", "fixed 500", "adaptive cold", "adaptive warm")
_PLAIN = ("--first-chars", "4096", "--batch-chars", "4096", "--no-trim", "--no-normalize")
"""One request for the whole text, and its samples as they are."""


_STARVED_S = 0.03
"""More silence than the player counted, by so much: two periods of the sound card."""

_HEAD = ("start", "foretold", "waits", "counted", "foretold", "both", "foretold", "less")
_WIDTHS = (8, 9, 8, 9, 9, 8, 9, 6)


@dataclass(frozen=True)
class Figures:
    """Seconds, and how often playback stopped; ``counted_s``: the waits the player knows of."""

    start_s: float
    waits_s: float
    stops: int
    counted_s: float

    @property
    def starved(self) -> bool:
        return self.waits_s - self.counted_s > _STARVED_S

    @property
    def both_s(self) -> float:
        return self.start_s + self.waits_s


@dataclass(frozen=True)
class Case:
    """The beginning of a trace and of its speech."""

    trace: Trace
    content: Content

    @property
    def samples(self) -> Int16:
        return to_int16(self.content.column)[:, 0]

    def script(self) -> Script:
        arrivals = [(at_s, 2 * frames) for at_s, frames in self.trace.arrivals]
        return Script(self.samples.astype("<i2").tobytes(), arrivals=arrivals)

    def text(self) -> str:
        """As long as the speech says; what it says does not matter."""
        return ("word " * self.trace.chars)[: self.trace.chars].strip()


def beginning(trace: Trace, content: Content, seconds: float) -> Case:
    """What arrives of the first so many seconds of sound, up to a sample that can be heard."""
    samples = content.samples[: round(seconds * RATE_HZ)]
    samples = samples[: int(loud_frames(to_int16(samples[:, None])[:, 0])[-1]) + 1]
    arrivals, left = [], len(samples)
    for at_s, frames in trace.arrivals:
        if left > 0:
            arrivals.append((at_s, min(frames, left)))
            left -= frames
    chars = max(round(content.chars * len(samples) / len(content.samples)), 1)
    cut = Content(samples, chars, natural_pauses(samples))
    short = replace(trace, arrivals=tuple(arrivals), chars=chars, pauses=cut.found_pauses())
    return Case(short, cut)


def loud_frames(samples: Int16) -> npt.NDArray[np.intp]:
    """The frames that a recording takes for sound."""
    return np.flatnonzero(np.abs(samples.astype(np.int32)) > LOUD)


def foretold(case: Case, name: str, known: Knowledge) -> Figures:
    policies: dict[str, Policy] = {
        "fixed 150": Fixed(0.15),
        "fixed 500": Fixed(0.5),
        "adaptive cold": Adaptive(),
        "adaptive warm": Adaptive(known),
    }
    outcome = simulate(case.trace, policies[name], case.content.pauses)
    waits_s = outcome.pause_wait_s + outcome.word_wait_s
    return Figures(outcome.start_s, waits_s, len(outcome.stops), waits_s)


def heard(
    case: Case, name: str, server: ServerProcess, speaker: Loudspeaker, state: Path
) -> Figures:
    """One run of the program; ``state`` is where it keeps what it learns."""
    kind, _, prebuffer_ms = name.partition(" ")
    chosen = ["--playout", kind]
    if kind == "fixed":
        chosen += ["--prebuffer-ms", prebuffer_ms]
    url = server.url(case.trace.name)
    arguments = command("say", case.text(), "--base-url", url, "--quiet", "--json")
    env = {**speaker.env, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(state)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    server.take_requests()
    with speaker.record() as recording:
        done = subprocess.run(
            [*arguments, *chosen, *_PLAIN], env=env, cwd=state, capture_output=True, check=True
        )
        recording.wait_silence()
        recording.stop()
    figures = json.loads(done.stdout)
    request_s = server.take_requests()[0].complete_s
    loud = loud_frames(case.samples) / RATE_HZ
    first_s, last_s = recording.first_sound_s(), recording.last_sound_s()
    if first_s is None or last_s is None:
        raise SystemExit(f"{case.trace.name}, {name}: nothing was heard")
    waits_s = last_s - first_s - (loud[-1] - loud[0])
    stops = figures["underruns"] + figures["holds"]
    counted_s = (figures["stall_ms"] + figures["hold_ms"]) / 1000
    return Figures(first_s - request_s - loud[0], float(waits_s), stops, counted_s)


def line(words: Sequence[str], real: Figures, simulated: Figures) -> str:
    columns = (real.start_s, simulated.start_s, real.waits_s, real.counted_s, simulated.waits_s)
    columns += (real.both_s, simulated.both_s, real.both_s - simulated.both_s)
    cells = "".join(
        f"{1000 * value:{width}.0f}" for value, width in zip(columns, _WIDTHS, strict=True)
    )
    stops = f"{real.stops:5}{simulated.stops:4}{'  starved' if real.starved else ''}"
    return "".join(f"{word:15}" for word in words) + f"{cells}{stops}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="of sound of each trace")
    parser.add_argument("--traces", nargs="+", default=TRACES)
    chosen = parser.parse_args()
    cases = {
        trace.name: beginning(trace, content, chosen.seconds)
        for trace, content in given()
        if trace.name in chosen.traces
    }
    scripts = {name: case.script() for name, case in cases.items()}
    with ServerProcess(scripts) as server, Loudspeaker() as speaker:
        pairs = compare(cases, server, speaker)
    told = [1000 * (real.both_s - foretold.both_s) for real, foretold in pairs if not real.starved]
    if told:
        sys.stdout.write(
            f"\nheard less foretold, {len(told)} of {len(pairs)} runs: median "
            f"{statistics.median(told):.0f} ms, from {min(told):.0f} to {max(told):.0f}; "
            f"load {os.getloadavg()[0]:.1f}\n"
        )


def compare(
    cases: Mapping[str, Case], server: ServerProcess, speaker: Loudspeaker
) -> list[tuple[Figures, Figures]]:
    """Print a line for each trace and policy; what was heard and what was foretold."""
    pairs = []
    sys.stdout.write(
        f"{'milliseconds':30}"
        + "".join(f"{word:>{width}}" for word, width in zip(_HEAD, _WIDTHS, strict=True))
        + f"{'stops':>9}\n"
    )
    for name, case in cases.items():
        known = met(name)
        with tempfile.TemporaryDirectory() as folder:
            for policy in POLICIES:
                real = prepared(case, policy, known, server, speaker, Path(folder))
                pairs.append((real, foretold(case, policy, known)))
                sys.stdout.write(line((name, policy), *pairs[-1]) + "\n")
                sys.stdout.flush()
    return pairs


def prepared(
    case: Case,
    policy: str,
    known: Knowledge,
    server: ServerProcess,
    speaker: Loudspeaker,
    state: Path,
) -> Figures:
    """A run that knows what its policy is to know."""
    learnt = Learnt(state / "voicestream" / "playout.json")
    if policy == "adaptive warm":  # what the run before has left tells the endpoint's name
        (endpoint,) = json.loads(learnt.file.read_bytes())["endpoints"]
        learnt.save(endpoint, known)
    else:
        learnt.file.unlink(missing_ok=True)
    return heard(case, policy, server, speaker, state)


if __name__ == "__main__":
    main()
