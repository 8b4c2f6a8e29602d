"""The sound server dies, its sink goes or is no longer the default one: playback goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.support import command, sound
from tests.support.loudspeaker import Loudspeaker
from tests.support.matching import SHORTEST, match
from tests.support.recording import LOUD, Recording
from tests.support.script import Script
from tests.support.server import ScriptedServer

each_backend = pytest.mark.usefixtures("_backend")

RAMP = sound.ramp(36_000)
SHORT = RAMP[:28_800]
PERIOD = 120
"""Frames that a sink takes at once. What it has when a stream leaves it is its own to lose."""
KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME", "PULSE_COOKIE", "ALSA_CONFIG_PATH")


def environment(speaker: Loudspeaker, home: Path) -> dict[str, str]:
    return command.environment(home, {n: speaker.env[n] for n in KEPT if n in speaker.env})


@each_backend
def test_after_the_sound_server_restarts_everything_that_was_not_heard_is(
    tmp_path: Path, dropped_frames: int
) -> None:
    with (
        Loudspeaker() as speaker,
        ScriptedServer(Script(RAMP.tobytes(), rate_bytes_per_s=4 * 48_000)) as server,
    ):
        with speaker.record() as before:
            process = command.start(
                *("say", "A ramp.", "--base-url", server.url, "--json"),
                env=environment(speaker, tmp_path),
                cwd=tmp_path,
            )
            before.wait_sound()
            speaker.kill()
            first = before.stop().ravel()
        speaker.restart()
        with speaker.record() as after:
            _, err = process.communicate(timeout=30)
            after.wait_silence()
            second = after.stop().ravel()
    assert process.returncode == 0, err
    assert b"looking for another" in err
    both = np.concatenate((first, second))
    # how long the silence between is says how busy the machine was; the ramp has none
    heard = match(RAMP, both[np.abs(both.astype(np.int32)) > LOUD])
    # what the old device may not have played is played again, after a fade of 4 ms
    assert heard.missing <= 96 + 8 + dropped_frames
    assert heard.inserted < 24_000


@dataclass(frozen=True)
class Moved:
    """What was heard of ``SHORT`` on one sink, then on another.

    Attributes:
        place: the sample the second sink began with.
        skipped: samples before that, not heard on the first.
        doubled: samples from there on that were heard on the first, too.
        missing: samples from there on, not heard on the second.
    """

    place: int
    skipped: int
    doubled: int
    missing: int

    @classmethod
    def between(cls, first: Recording, second: Recording) -> Moved:
        heard = match(SHORT, second.stop())
        assert 0 < heard.lost_head < len(SHORT), "all was heard on one of them"
        before, after = np.split(SHORT, [heard.lost_head])
        told_apart = len(before) >= SHORTEST  # a busy machine may move at the first sample
        return cls(
            heard.lost_head,
            match(before, first.stop()).missing if told_apart else len(before),
            len(after) - match(after, first.stop()).missing,
            heard.missing - heard.lost_head,
        )


def moved(
    tmp_path: Path, change: Callable[[Loudspeaker], object], there: bool = True
) -> tuple[Moved, bytes]:
    """Play, and ``change`` the sinks when sound is heard; what was heard, and what was told.

    Args:
        there: a second sink exists before.
    """
    with (
        Loudspeaker() as speaker,
        ScriptedServer(Script(SHORT.tobytes(), rate_bytes_per_s=4 * 48_000)) as server,
        ExitStack() as recordings,
    ):
        if there:
            speaker.add_sink("other")
            second = recordings.enter_context(speaker.record("other"))
        first = recordings.enter_context(speaker.record())
        process = command.start(
            *("say", "A ramp.", "--base-url", server.url, "--prebuffer-ms", "500"),
            env=environment(speaker, tmp_path),
            cwd=tmp_path,
        )
        first.wait_sound()
        change(speaker)
        if not there:
            speaker.add_sink("other")
            second = recordings.enter_context(speaker.record("other"))
        _, err = process.communicate(timeout=30)
        second.wait_silence()
        heard = Moved.between(first, second)
    assert process.returncode == 0, err
    return heard, err


@each_backend
def test_a_stream_that_is_taken_to_the_new_default_goes_on_there(
    tmp_path: Path, dropped_frames: int
) -> None:
    heard, err = moved(tmp_path, lambda speaker: speaker.make_default("other"))
    assert heard.skipped <= 2 * PERIOD + dropped_frames
    assert heard.doubled == 0
    assert heard.missing <= dropped_frames
    assert b"warning" not in err


@each_backend
def test_a_stream_whose_sink_is_removed_goes_on_on_the_one_that_is_left(
    tmp_path: Path, dropped_frames: int
) -> None:
    heard, err = moved(tmp_path, lambda speaker: speaker.remove_sink())
    assert heard.skipped <= 2 * PERIOD + dropped_frames
    assert heard.missing <= dropped_frames
    assert b"warning" not in err


@each_backend
def test_without_a_sink_it_waits_for_one_and_skips_nothing(
    tmp_path: Path, dropped_frames: int
) -> None:
    heard, err = moved(tmp_path, lambda speaker: speaker.remove_sink(), there=False)
    # what the old sink may not have played is played again, after a fade of 4 ms
    assert heard.skipped + heard.missing <= 96 + 8 + dropped_frames
    assert heard.doubled < 0.25 * 24_000
    assert b"looking for another" in err


def test_without_any_device_it_ends_and_tells_what_was_not_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICESTREAM_BACKEND", "pyaudio")  # which is told of it at once
    with (
        Loudspeaker() as speaker,
        ScriptedServer(Script(RAMP.tobytes(), rate_bytes_per_s=4 * 48_000)) as server,
        speaker.record() as recording,
    ):
        text = "A ramp that goes on for long enough to be cut off somewhere."
        process = command.start(
            *("say", text, "--base-url", server.url, "--device-wait-s", "0.5"),
            env=environment(speaker, tmp_path),
            cwd=tmp_path,
        )
        recording.wait_sound()
        speaker.kill()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 5
    lines = err.decode().splitlines()
    assert sum(line.startswith("voicestream: the audio device went away") for line in lines) == 1
    assert not [line for line in lines if not line.startswith(("voicestream: ", "failed: "))]
    (unheard,) = [line for line in lines if "not heard:" in line]
    assert unheard.endswith('somewhere."')
    assert b"Traceback" not in err
