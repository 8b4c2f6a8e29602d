"""A person talks into a microphone that hears the loudspeaker too: a whole conversation."""

from __future__ import annotations

import io
import json
import signal
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_ask import chat
from tests.support import command, sound
from tests.support.loudspeaker import Loudspeaker, missing_programs
from tests.support.people import pico
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

ANSWER = "This is a long story, which nobody who has something to say wants to hear to its end."
PLAYED = sound.speechlike(30.0)
"""No voice: whatever a loaded machine does to the echo, only the person speaks."""


def answer(request: Request) -> Script:
    if request.path.endswith("/transcriptions"):
        return Script(b'{"text": "Tell me a story."}', content_type="application/json")
    if request.path.endswith("/chat/completions"):
        return chat([ANSWER])
    return Script(body=PLAYED.tobytes(), content_type="audio/pcm", rate_bytes_per_s=192_000)


@pytest.mark.skipif(bool(missing_programs()), reason="no loudspeaker")
def test_who_speaks_is_answered_and_the_model_knows_what_was_heard(tmp_path: Path) -> None:
    words = np.repeat((5000 * pico("Wait a moment, please.")).astype("<i2"), 3)[::2]  # 24 kHz
    with Loudspeaker() as speaker, ScriptedServer(answer) as server:
        speaker.add_microphone(echo_ms=60, echo_db=-6)
        with speaker.record() as recording:
            process = command.start(
                *("talk", "--base-url", server.url, "--first-chars", "4096", "--json"),
                env=command.environment(tmp_path, speaker.env),
                cwd=tmp_path,
            )
            speaker.wait_listener()
            speaker.say(words)
            heard = server.wait_request(1)
            recording.wait_sound()
            # words, question and speech; and the next of the first two
            while len(server.requests) < 5:
                speaker.say(words)
                with suppress(TimeoutError):  # a card with holes: it is said again
                    server.wait_request(5, timeout_s=5)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
            recording.stop()
    assert process.returncode == 130, err
    with wave.open(io.BytesIO(heard.body[heard.body.index(b"RIFF") :])) as turn:
        turn_s = turn.getnframes() / turn.getframerate()
    assert turn_s > len(words) / 24_000
    said = [json.loads(line) for line in out.splitlines()]
    assert [line["role"] for line in said[:3]] == ["user", "assistant", "user"]
    assert not said[1]["completed"]
    asked = [request.json["messages"] for request in server.requests if "chat" in request.path]
    told = asked[1][1]["content"]
    assert told == said[1]["text"]
    assert told
    assert ANSWER.startswith(told)
