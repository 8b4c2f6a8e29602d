"""What was said is kept for ``again``, sample for sample, within bounds, for nobody else."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import numpy as np
import pytest

from tests.session.fakes import LONG_S, Keeper
from tests.session.stage import Stage
from voicestream.errors import VoicestreamError
from voicestream.output.save import Saver
from voicestream.pcm import PcmFormat
from voicestream.session import kept
from voicestream.session.conductor import Session
from voicestream.session.kept import SaidSegments, last_said
from voicestream.session.turn import Turn
from voicestream.settings.table import Settings

LENGTHS = [7_200, 4_800]


def said_in(short: Path, frames: int | None = None, **more: bool) -> Stage:
    """Say two sentences, to the end or until so many frames are heard."""
    turn = Turn(str(short), start_s=time.monotonic(), pause_s=0)
    stage = Stage(LENGTHS, turn=turn, **more)
    stage.session.start()
    assert stage.sink.started.wait(LONG_S)
    if frames is not None:
        stage.play_to(frames)
        stage.session.interrupt()
        assert stage.session.wait(LONG_S)
    else:
        stage.finish()
    return stage


def test_the_last_speech_is_said_again_sample_for_sample(short: Path) -> None:
    stage = said_in(short)
    expected = np.concatenate([stage.sound(0), stage.sound(1)])
    assert stat.S_IMODE(os.stat(short / "said").st_mode) == 0o600
    said = last_said(str(short))
    assert [text for text, _ in said.sentences] == ["0", "1"]
    sink = Keeper()
    settings = Settings(trim=False, normalize=False, lookahead=0)
    text = SaidSegments(said)
    again = Session(settings, text.endpoint, text, sink, Saver(sink.written))
    again.start()
    assert again.wait(LONG_S)
    result = again.result()
    assert result.completed
    assert result.spoken == "01"
    assert np.array_equal(sink.wanted, expected)


def test_what_was_stopped_can_be_said_again(short: Path) -> None:
    said_in(short, frames=2400)
    assert last_said(str(short)).sentences[0][0] == "0"


def test_nothing_is_kept_where_that_is_not_wished(short: Path) -> None:
    said_in(short, keep_last=False)
    assert os.listdir(short) == ["floor"]
    with pytest.raises(VoicestreamError, match="nothing that was said"):
        last_said(str(short))


def test_no_more_is_kept_than_there_is_room_for(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 10_000)
    said_in(short)
    said = last_said(str(short))
    assert [text for text, _ in said.sentences] == ["0"]
    assert 0 < len(said.sentences[0][1]) <= 10_000
    assert said.pcm == PcmFormat(24_000)


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b'{"rate_hz": 24000, "channels": 1, "cues": []}', b"["]
)
def test_a_damaged_file_is_told(short: Path, content: bytes) -> None:
    (short / "said").write_bytes(content)
    with pytest.raises(VoicestreamError, match="cannot be read"):
        last_said(str(short))


def test_a_folder_without_room_is_told_and_leaves_nothing(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    stage = said_in(short)
    assert "cannot be said again: No space" in stage.session.result().snapshot.warnings[0]
    assert os.listdir(short) == ["floor"]
