"""Replies of two channels: both are heard where there are two, and their mix where there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.servers.said import Int16, saved
from tests.support import command, sound
from tests.support.loudspeaker import Loudspeaker, missing_programs
from tests.support.recording import Recording
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.api import Handle
from voicestream.output.null import NullSink
from voicestream.output.save import Saver
from voicestream.pcm import PcmFormat
from voicestream.session.conductor import Session
from voicestream.session.script import Script as Text
from voicestream.session.wiring import make_endpoint
from voicestream.settings.table import Settings

LEFT, RIGHT = sound.ramp(12_000), sound.ramp(12_000, start=50_000)
BOTH = np.stack([LEFT, RIGHT], axis=1)
REPLY = Script(sound.wav(BOTH, channels=2), content_type="audio/wav")

pytestmark = pytest.mark.skipif(bool(missing_programs()), reason="no loudspeaker")


def heard(speaker: Loudspeaker, recording: Recording, folder: Path) -> Int16:
    """What came out, shape ``(frames, channels)``, without the silence around it.

    Nor with silence in it, where the sound server of a busy machine was late: the ramp has none.
    """
    environ = command.environment(folder, speaker.env)
    with ScriptedServer(REPLY) as server:
        call = ("say", "Hi.", "--format", "wav", "--base-url", server.url, "--save", "kept.wav")
        done = command.run(*call, env=environ, cwd=folder)
    recording.wait_silence()
    recording.stop()
    assert done.returncode == 0, done.stderr
    samples = recording.samples.reshape(-1, speaker.channels)
    return samples[np.abs(samples.astype(int)).max(axis=1) > 200]


def test_two_loudspeakers_play_a_channel_each(tmp_path: Path) -> None:
    with Loudspeaker(channels=2) as speaker, speaker.record() as recording:
        assert np.array_equal(heard(speaker, recording, tmp_path), BOTH)
    assert np.array_equal(saved(tmp_path / "kept.wav")[0], BOTH)


def test_one_loudspeaker_plays_the_mix(
    loudspeaker: Loudspeaker, recording: Recording, tmp_path: Path
) -> None:
    mix = BOTH.astype(float).mean(axis=1)
    out = heard(loudspeaker, recording, tmp_path)[:, 0].astype(float)
    shared = min(len(out), len(mix))
    assert abs(len(out) - len(mix)) <= 2
    assert np.corrcoef(out[:shared], mix[:shared])[0, 1] > 0.99


class MonoSink(NullSink):
    """A device with a single channel."""

    def open(self, wanted: PcmFormat) -> PcmFormat:
        return super().open(PcmFormat(wanted.rate_hz, 1))


def test_a_device_with_one_channel_gets_the_mix(tmp_path: Path) -> None:
    with ScriptedServer(REPLY) as server:
        settings = Settings(base_url=server.url, format="wav")
        saver = Saver(str(tmp_path / "kept.wav"))
        parts = make_endpoint(settings), Text(settings, "Hi."), MonoSink(), saver
        session = Session(settings, *parts)
        session.start()
        assert Handle(session).result().completed
    samples, rate_hz = saved(tmp_path / "kept.wav")
    assert (samples.shape, rate_hz) == ((12_000, 1), 24_000)
    mix = np.rint(BOTH.astype(float).mean(axis=1))
    assert np.abs(samples[:, 0] - mix).max() <= 1
