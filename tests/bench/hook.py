"""What an agent's hook costs the agent, and how soon its words are heard.

    python -m tests.bench.hook [--times 15] [--streams 500]

process     the whole process, with a speaker that runs and without one, beside `python -c pass`
heard       from the start of the hook that brings a clause to the first sound on a recorded null
            sink, at a server whose first byte comes after 30 ms
words       random streams of events (late, twice, lost): words spoken twice or out of order
events      10,000 events, straight to the speaker's socket
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tests.agents.test_ordering import spoken
from tests.support.agent_events import delta, random_stream
from tests.support.agents import Agent, agent
from tests.support.command import environment
from tests.support.loudspeaker import Loudspeaker
from tests.support.remote import ServerProcess
from tests.support.script import Script
from tests.support.sound import speechlike
from voicestream.agents.deliver import file_name

_KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME", "PULSE_COOKIE", "ALSA_CONFIG_PATH")
_PROGRAM = str(Path(sys.executable).with_name("voicestream"))
_PROMPT = {"hook_event_name": "UserPromptSubmit", "prompt": "Well?"}
_NEUTRAL = {"hook_event_name": "Notification", "message": ""}


def reply(_request: object) -> Script:
    return Script(speechlike(0.5).tobytes(), header_delay_s=0.03, rate_bytes_per_s=20 * 48_000)


def timed_ms(command: Sequence[str], env: dict[str, str], given: bytes) -> float:
    began_s = time.perf_counter()
    subprocess.run(command, env=env, input=given, capture_output=True, check=True)
    return 1000 * (time.perf_counter() - began_s)


def shown(name: str, found: Sequence[float], beside: float | None = None) -> None:
    ratio = "" if beside is None else f"  {statistics.median(found) / beside:.1f} of the reference"
    print(f"{name:44} {statistics.median(found):6.0f} ms (least {min(found):.0f}){ratio}")


def process(one: Agent, times: int) -> None:
    """Milliseconds of the process; a speaker that runs is told a prompt, each other is new."""
    bare, running, starting = [], [], []
    hook = [_PROGRAM, "hook"]
    for number in range(times):
        prompt = json.dumps({**_PROMPT, "session_id": "s"}).encode()
        first = json.dumps({**_PROMPT, "session_id": f"new {number}"}).encode()
        bare.append(timed_ms([sys.executable, "-c", "pass"], one.env, b""))
        running.append(timed_ms(hook, one.env, prompt))
        starting.append(timed_ms(hook, one.env, first))
        one.end(f"new {number}")
    reference = statistics.median(bare)
    shown("python -c pass", bare)
    shown("hook, a speaker runs (goal 40 ms)", running, reference)
    shown("hook, it starts one (goal 60 ms)", starting, reference)


def heard(speaker: Loudspeaker, one: Agent, times: int) -> None:
    found = []
    for number in range(times):
        one.hook({**_PROMPT, "session_id": "s"})  # as before every reply
        time.sleep(1.0)
        event = json.dumps(delta(f"m{number}", 0, "It is so, says the agent.\n", True)).encode()
        with speaker.record() as recording:
            began_s = time.monotonic()
            subprocess.run([_PROGRAM, "hook"], env=one.env, input=event, check=True)
            recording.wait_sound()
            recording.wait_silence()
            recording.stop()
        first_s = recording.first_sound_s()
        assert first_s is not None
        found.append(1000 * (first_s - began_s))
    shown("first clause to first sound (goal 200 ms)", found)


def words(streams: int) -> None:
    twice = disordered = lost = 0
    for seed in range(streams):
        stream = random_stream(random.Random(seed))
        places = [int(word[1:]) for word in spoken(stream)]
        twice += len(places) - len(set(places))
        disordered += sum(a > b for a, b in pairwise(places))
        lost += len(stream.words) - len(places) if stream.whole else 0
    print(f"{streams} streams: {twice} words twice, {disordered} out of order, {lost} lost")


def events(one: Agent, count: int = 10_000) -> None:
    one.hook({**_PROMPT, "session_id": "s"})
    path = str(one.folder / file_name("s"))
    began_s = time.monotonic()
    for number in range(count):
        with socket.socket(socket.AF_UNIX) as speaker:
            speaker.connect(path)
            told = {"do": "delta", "message": "many", "index": number, "text": "# \n"}
            speaker.sendall(json.dumps({**told, "final": number == count - 1}).encode())
    sent_s = time.monotonic() - began_s
    one.end("s")
    print(f"{count} events: sent in {sent_s:.1f} s, done with {time.monotonic() - began_s:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--streams", type=int, default=500)
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    words(asked.streams)
    with (
        tempfile.TemporaryDirectory(prefix="vs-") as folder,
        Loudspeaker() as speaker,
        ServerProcess({"pcm": reply}) as server,
    ):
        kept = {name: speaker.env[name] for name in _KEPT if name in speaker.env}
        settings = {"VOICESTREAM_RUNTIME_DIR": folder, "VOICESTREAM_BASE_URL": server.url("pcm")}
        env = environment(Path(folder), kept, settings)
        del env["PYTHONWARNINGS"]
        with agent(env, Path(folder)) as one:
            process(one, asked.times)
            heard(speaker, one, asked.times)
            events(one)


if __name__ == "__main__":
    main()
