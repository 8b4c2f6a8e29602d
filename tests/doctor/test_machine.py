"""Whoever speaks, or is paused, keeps everybody else waiting; settings are told without keys."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.support.canary import KEY
from voicestream.control.lines import Message
from voicestream.control.server import ControlServer
from voicestream.doctor import sound
from voicestream.doctor.machine import check_machine, check_settings
from voicestream.errors import NoAnswerError
from voicestream.pcm import PcmFormat
from voicestream.settings.table import Settings, load


@pytest.mark.parametrize(
    ("paused", "says"), [(True, "voicestream resume"), (False, "voicestream stop")]
)
def test_another_voice_is_told(paused: bool, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: Message) -> Message:
        return {"ok": True, "paused": paused}

    with tempfile.TemporaryDirectory(prefix="vs-") as folder:
        monkeypatch.setenv("VOICESTREAM_RUNTIME_DIR", folder)
        server = ControlServer(f"{folder}/77-1.sock", answer)
        server.start()
        try:
            found = list(check_machine())
        finally:
            server.close()
    (other,) = [finding for finding in found if finding.about == "other voices"]
    assert "process 77" in other.what
    assert says in other.todo


def test_chosen_settings_are_told_with_their_sources_and_no_key(tmp_path: Path) -> None:
    environ = {"OPENAI_API_KEY": KEY, "VOICESTREAM_EXTRA_HEADERS": f'{{"x-key": "{KEY}"}}'}
    settings = load({"tempo": "1.5"}, environ, tmp_path, tmp_path / "none.toml")
    (found,) = check_settings(settings)
    assert "tempo = 1.5 (flag --tempo)" in found.what
    assert "api_key = (set) (OPENAI_API_KEY)" in found.what
    assert KEY not in str(found)
    assert len(found.figures["settings"]) == 3


class HungSink:
    def open(self, _wanted: PcmFormat) -> PcmFormat:
        raise NoAnswerError("the sound system does not answer", hint="Restart it.")

    def stop(self, drain: bool) -> None:
        del drain


def test_a_sound_system_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sound, "make_sink", lambda _settings: HungSink())
    monkeypatch.setattr(sound, "pactl", lambda *_words: "")
    monkeypatch.setattr(sound, "list_cards", asked.append)
    (found,) = sound.check_sound(Settings())
    assert (found.verdict, found.what) == ("broken", "the sound system does not answer")
    assert not asked
