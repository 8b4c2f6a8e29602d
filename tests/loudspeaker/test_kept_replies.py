"""Kept replies on the loudspeaker: they and a fetched one follow each other without a hole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.loudspeaker.test_say import env, reply, wav_samples  # noqa: F401  a fixture
from tests.support import command, sound
from tests.support.recording import Recording
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

TEXTS = (
    "It was said before, and whoever says it again has it here.",
    "But this is new, and has to be asked for as it is needed.",
    "And in the end there comes what was said before as well.",
)
SOUNDS = {text: sound.ramp(12_000, start=40_000 * place) for place, text in enumerate(TEXTS)}


def spoken(request: Request) -> Script:
    return reply(SOUNDS[request.json["input"]].tobytes(), "audio/pcm", first_byte_delay_s=0.05)


def test_kept_a_fetched_one_a_pause_and_kept_sound_as_if_all_were_fetched(
    env: dict[str, str],  # noqa: F811
    recording: Recording,
    tmp_path: Path,
) -> None:
    first, new, last = TEXTS
    told = ("--tags", "--cache", "on", "--json")
    env |= {"XDG_CACHE_HOME": str(tmp_path)}
    with ScriptedServer(spoken) as server:

        def say(*to: str) -> dict[str, Any]:
            text = f"{first} {new} [pause 300ms] {last}"
            told_more = ("--base-url", server.url, *told, *to)
            done = command.run("say", text, *told_more, env=env, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            return command.figures(done)

        say("-o", "fetched.wav")
        [kept] = (file for file in tmp_path.rglob("*.reply") if new.encode() in file.read_bytes())
        kept.unlink()
        figures = say("--save", "played.wav")
        asked = [request.json["input"] for request in server.requests]
        assert sorted(asked) == sorted([*TEXTS, new])
    recording.wait_silence()
    assert [segment["cached"] for segment in figures["segments"]] == [True, False, True]
    assert (figures["underruns"], figures["rebuffers"]) == (0, 0)
    played = wav_samples(tmp_path / "played.wav")
    assert np.array_equal(played, wav_samples(tmp_path / "fetched.wav"))
    # a machine too busy to feed its sound card puts silence between
    heard = recording.stop().ravel()
    assert np.array_equal(heard[heard != 0], played[played != 0])
