"""What an engine speaks, on the loudspeaker: as heard as without one, also where it is killed."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.loudspeaker.test_say import env, reply  # noqa: F401  a fixture
from tests.support import command, sound, words
from tests.support.engine import Engine, engine
from tests.support.loudspeaker import Loudspeaker
from tests.support.recording import Recording
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

WORDS = "alpha bravo delta hotel india oscar romeo tango zebra eagle horse tiger".split()
TEXT = "Alpha bravo delta hotel. India oscar romeo tango. Zebra eagle horse tiger."
RAMP = sound.ramp(24_000)
_WORD_S, _PAUSE_S = 0.3, 0.05


_SPOKEN = words.rendering(np.full(len(WORDS), _WORD_S), np.full(len(WORDS), _PAUSE_S))
_SOUNDS = dict(
    zip(WORDS, np.split(np.round(_SPOKEN * 32767).astype("<i2"), len(WORDS)), strict=True)
)


def spoken(request: Request) -> Script:
    """Each word of what was asked for as a chirp of its own."""
    asked = [word.strip(".").lower() for word in request.json["input"].split()]
    return reply(np.concatenate([_SOUNDS[word] for word in asked]).tobytes(), "audio/pcm")


@pytest.fixture
def running(env: dict[str, str], tmp_path: Path) -> Iterator[Engine]:  # noqa: F811
    plain = {"VOICESTREAM_TRIM": "off", "VOICESTREAM_NORMALIZE": "off"}
    with (
        tempfile.TemporaryDirectory(prefix="vs-") as runtime,
        engine(env | plain, tmp_path, Path(runtime)) as found,
    ):
        yield found


def test_a_speech_whose_engine_is_killed_is_heard_to_its_end_and_goes_on_in_that_word(
    running: Engine, recording: Recording
) -> None:
    with ScriptedServer(spoken) as server:
        process = running.start(server, "say", TEXT, "--echo", VOICESTREAM_LOOKAHEAD="0")
        assert process.stdout is not None
        echoed = b""
        while b"oscar" not in echoed:
            piece = os.read(process.stdout.fileno(), 4096)
            assert piece, process.communicate()
            echoed += piece
        (speaker,) = running.speaking()
        os.kill(speaker, signal.SIGKILL)
        _, err = process.communicate(timeout=50)
    assert process.returncode == 0, err
    recording.wait_silence()
    heard = recording.stop().reshape(-1, 1) / np.float32(32768)
    share = words.heard_s(heard, len(WORDS)) / _WORD_S
    # said anew is the word in which it was killed, or the one of which word was still on its way
    cut = len(echoed.split())
    near = slice(cut - 2, cut + 1)
    assert share.min() > 0.7, share
    assert np.delete(share, near).max() < 1.3, share
    assert share[near].sum() < 4.4, share


def test_an_engine_and_none_are_heard_alike(running: Engine, loudspeaker: Loudspeaker) -> None:
    answer = reply(RAMP.tobytes(), "audio/pcm", first_byte_delay_s=0.0)
    with ScriptedServer(lambda _: answer) as server:
        for mode in ("", "off"):
            told = {"VOICESTREAM_BASE_URL": server.url, "VOICESTREAM_ENGINE": mode}
            with loudspeaker.record() as heard:
                done = command.run("say", "A ramp.", env=running.env | told, cwd=running.folder)
                assert done.returncode == 0, done.stderr
                heard.wait_silence()
                assert heard.missing(RAMP) == 0
    assert running.calls == 1
