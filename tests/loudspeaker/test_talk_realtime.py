"""A person talks with a model that hears and speaks: a real microphone, socket and loudspeaker."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.support import command, sound
from tests.support.dialogue_server import DialogueServer
from tests.support.loudspeaker import Loudspeaker, missing_programs
from tests.support.people import pico
from tests.support.realtime_events import Asked, Step, speak

ANSWER = "This is a long story, which nobody who has something to say wants to hear to its end."
PLAYED = sound.speechlike(8.0)
BRIEF = sound.ramp(12_000)
_TOLERANCE_MS = 60
_LOUD = 500


def answer(asked: Asked) -> Iterator[Step]:
    first = asked.response_id.endswith("_0")
    return speak(asked, (PLAYED if first else BRIEF).tobytes(), ANSWER if first else "Well.")


def loud_ms(samples: sound.Int16) -> int:
    """How much of it is loud: holes that a busy machine leaves do not count."""
    pieces = samples[: len(samples) // 24 * 24].reshape(-1, 24).astype(np.float64)
    return int(np.sum(np.sqrt(np.mean(pieces**2, axis=1)) > _LOUD))


@pytest.mark.skipif(bool(missing_programs()), reason="no loudspeaker")
def test_what_is_said_arrives_whole_and_what_was_heard_is_told(tmp_path: Path) -> None:
    words = np.repeat((5000 * pico("Wait a moment, please.")).astype("<i2"), 3)[::2]  # 24 kHz
    with Loudspeaker() as speaker, DialogueServer(answer) as server:
        speaker.add_microphone(echo_ms=60, echo_db=-6)
        with speaker.record() as recording:
            process = command.start(
                *("talk", "--realtime", "--base-url", server.url, "--json"),
                env=command.environment(tmp_path, speaker.env),
                cwd=tmp_path,
            )
            speaker.wait_listener()
            speaker.say(words)
            recording.wait_sound()
            while len(server.turns) < 2:
                speaker.say(words)
                with suppress(TimeoutError):  # a card with holes: it is said again
                    server.wait(lambda: len(server.turns) > 1, timeout_s=5)
            assert process.stdout is not None
            said = [json.loads(process.stdout.readline()) for _ in range(4)]
            process.send_signal(signal.SIGINT)
            _, err = process.communicate()
            recording.stop()
    assert process.returncode == 130, err
    assert loud_ms(np.frombuffer(server.turns[0], "<i2")) > 0.8 * loud_ms(words)
    assert [line["role"] for line in said] == ["user", "assistant", "user", "assistant"]
    assert not said[1]["completed"]
    assert ANSWER.startswith(said[1]["text"])
    (cut, *_) = server.of_kind("conversation.item.truncate")
    audible_ms = (len(PLAYED) - recording.missing(PLAYED)) / 24
    assert cut["audio_end_ms"] == pytest.approx(audible_ms, abs=_TOLERANCE_MS)
    assert said[3]["completed"]
    assert not recording.missing(BRIEF)
