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
from voicestream.pcm import Frames16, PcmFormat
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

    hearing = Hearing(Wanted("miniaudio", "no such microphone", 0.5, 220.0), print, notify)
    hearing.start(lambda: PcmFormat(24_000))
    try:
        hearing.sent.append((1.0, bytes(480)))
        assert known.wait(50)
    finally:
        hearing.stop()
    assert told[0].startswith("nobody is heard: no ")


class Ears:
    """In place of the process: a person speaks as soon as anything was played."""

    def __init__(self, _wanted: Wanted, on_speech: Any, _notify: Any) -> None:
        self.on_speech = on_speech
        self.sent = SimpleNamespace(append=self._played)
        self.stopped = False

    def start(self, _pcm_of: object) -> None:
        pass

    def _played(self, _piece: object) -> None:
        threading.Thread(target=self.on_speech, args=(np.arange(5, dtype=np.int16),)).start()

    def stop(self) -> None:
        self.stopped = True


@pytest.mark.parametrize("interruptible", [True, False])
def test_the_caller_is_told_what_was_heard_before_it_returns(
    monkeypatch: pytest.MonkeyPatch, interruptible: bool
) -> None:
    monkeypatch.setattr("voicestream.session.barge_in.Hearing", Ears)
    told: list[tuple[str, Frames16]] = []
    result = voicestream.say(
        "One. Two. Three.",
        voicestream.Settings(barge_in=True, device="null", format="pcm"),
        endpoint=FakeEndpoint(lambda _request: [bytes(2 * 24_000)]),
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
    assert heard.tolist() == [0, 1, 2, 3, 4]
