"""An agent's session on the loudspeaker: heard while it is written, silent when the user speaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.agent_events import delta, stop
from tests.support.agents import Agent, agent
from tests.support.command import environment
from tests.support.loudspeaker import Loudspeaker
from tests.support.matching import match
from tests.support.recording import Recording
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.support.sound import Int16, ramp

RATE_HZ = 24_000
KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME", "PULSE_COOKIE", "ALSA_CONFIG_PATH")
FIRST, SECOND, LONG = "It begins here.", "It goes on.", "A long story."
SOUNDS = {FIRST: (0.6, 0), SECOND: (0.6, 60_000), LONG: (20.0, 120_000)}
"""What each sentence sounds like: so many seconds of a ramp from there."""
PROMPT = {"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt": "Well?"}


def sound_of(text: str) -> Int16:
    seconds, start = SOUNDS[text]
    return ramp(round(seconds * RATE_HZ), start=start)


@pytest.fixture
def claude(loudspeaker: Loudspeaker, tmp_path: Path, short: Path) -> Iterator[Agent]:
    short.chmod(0o700)

    def reply(request: Request) -> Script:
        sound = sound_of(request.json["input"]).tobytes()
        return Script(sound, rate_bytes_per_s=8 * 48_000)

    with ScriptedServer(reply) as server:
        speaker = {name: loudspeaker.env[name] for name in KEPT if name in loudspeaker.env}
        settings = {"VOICESTREAM_RUNTIME_DIR": str(short), "VOICESTREAM_BASE_URL": server.url}
        settings |= {"VOICESTREAM_NORMALIZE": "false", "VOICESTREAM_TURN": "wait"}
        with agent(environment(tmp_path, speaker, settings), tmp_path) as one:
            yield one


def test_it_speaks_while_the_agent_writes_and_no_word_twice(
    claude: Agent, recording: Recording
) -> None:
    claude.hook(delta("m", 0, f"{FIRST}\n\n", False))
    recording.wait_sound()  # what follows is not written yet
    claude.hook(delta("m", 1, SECOND, True))
    claude.hook(stop(f"{FIRST}\n\n{SECOND}"))
    claude.end("s")
    recording.wait_silence()
    heard = recording.stop().ravel()
    assert match(np.concatenate([sound_of(FIRST), sound_of(SECOND)]), heard).missing == 0
    loud_s = np.count_nonzero(heard) / RATE_HZ
    assert loud_s == pytest.approx(1.2, abs=0.1)


def test_what_the_user_says_silences_the_reply(claude: Agent, recording: Recording) -> None:
    claude.hook(delta("m", 0, f"{LONG}\n\n", False))
    recording.wait_sound()
    claude.hook(PROMPT)
    recording.wait_silence()
    claude.hook(delta("m", 1, SECOND, True))  # of the old reply, late
    claude.hook(delta("n", 0, FIRST, True))
    claude.end("s")
    recording.wait_silence()
    heard = recording.stop().ravel()
    assert match(sound_of(FIRST), heard).missing == 0
    assert match(sound_of(LONG), heard).missing > 10 * RATE_HZ
    assert match(sound_of(SECOND), heard).missing == len(sound_of(SECOND))
