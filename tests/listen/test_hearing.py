"""Who listens, as who speaks sees it."""

from __future__ import annotations

import importlib.util
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import voicestream
from voicestream.listen.convert import FRAME_BYTES
from voicestream.listen.ears import notices_of
from voicestream.listen.hearing import Hearing, Wanted
from voicestream.metrics import Metrics
from voicestream.pcm import Frames16, PcmFormat
from voicestream.playout.controls import Controls
from voicestream.session.barge_in import BargeIn
from voicestream.testing import FakeEndpoint


def test_a_muted_microphone_is_told_once() -> None:
    open_, muted = b"\1" + bytes(FRAME_BYTES - 1), bytes(FRAME_BYTES)
    frames = [open_, *[muted] * 150, open_, *[muted] * 500, open_, *[muted] * 500]
    told = [number for number, (_, notice) in enumerate(notices_of(frames)) if notice]
    assert told == [152 + 200]


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "livekit" else found(name)
    )
    with pytest.raises(voicestream.VoicestreamError) as raised:
        voicestream.say(
            "Hello.",
            voicestream.Settings(barge_in=True, device="null"),
            endpoint=FakeEndpoint(lambda _request: []),
        )
    assert raised.value.exit_code == 2
    assert "pip install 'voicestream[talk]'" in str(raised.value)


def test_a_microphone_that_is_not_there_is_told_of() -> None:
    told: list[str] = []
    known = threading.Event()

    def notify(text: str) -> None:
        told.append(text)
        known.set()

    hearing = Hearing(Wanted("miniaudio", "no such microphone", 0.5, 160.0), print, notify)
    hearing.start()
    try:
        hearing.reply().append((1.0, bytes(480), PcmFormat(24_000)))
        assert known.wait(50)
    finally:
        hearing.stop()
    assert told[0].startswith("nobody is heard: no ")


class Ears:
    """In place of the process: a person speaks once 1.2 s were played."""

    def __init__(self, _wanted: Wanted, on_speech: Any, _notify: Any) -> None:
        self.on_speech = on_speech
        self.played_bytes = 0

    def reply(self) -> Any:
        return SimpleNamespace(append=self._played)

    def start(self) -> None:
        pass

    def _played(self, piece: tuple[float, bytes, PcmFormat]) -> None:
        self.played_bytes += len(piece[1])
        if self.played_bytes < 1.2 * 48_000:
            return
        threading.Thread(target=self.on_speech, args=(np.arange(5, dtype=np.int16),)).start()

    def stop(self) -> None:
        pass


@pytest.mark.parametrize("resting", ["paused", "yielded", ""])
def test_who_is_silent_is_not_interrupted(monkeypatch: pytest.MonkeyPatch, resting: str) -> None:
    monkeypatch.setattr("voicestream.session.barge_in.Hearing", Ears)
    controls, interrupted = Controls(), threading.Event()
    playback: Any = SimpleNamespace(controls=controls, pcm=None)
    settings = voicestream.Settings()
    barge_in = BargeIn(settings, playback, Metrics(), interrupted.set)
    if resting:
        setattr(controls, resting, True)
    barge_in._hearing.on_speech(np.zeros(1, np.int16))  # type: ignore[attr-defined]
    assert interrupted.is_set() is not bool(resting)


@pytest.mark.parametrize("interruptible", [True, False])
def test_the_caller_is_told_what_was_heard_before_it_returns(
    monkeypatch: pytest.MonkeyPatch, interruptible: bool
) -> None:
    monkeypatch.setattr("voicestream.session.barge_in.Hearing", Ears)
    told: list[tuple[str, Frames16]] = []
    result = voicestream.say(
        "One. Two. Three.",
        voicestream.Settings(barge_in=True, device="null", format="pcm"),
        endpoint=FakeEndpoint(lambda _request: [bytes(2 * 48_000)]),
        interruptible=interruptible,
        on_barge_in=lambda spoken, heard: told.append((spoken, heard)),
    )
    if not interruptible:
        assert result.completed
        assert not told
        return
    assert not result.completed
    assert result.snapshot.timeline_ms["barge_in"] is not None
    ((spoken, heard),) = told
    assert spoken == result.spoken
    assert spoken.startswith("One.")
    assert heard.tolist() == [0, 1, 2, 3, 4]
