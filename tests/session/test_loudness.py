"""A voice is measured, remembered, and from then on as loud as wished."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.sound import speechlike
from voicestream.dsp.loudness import LoudnessMeter
from voicestream.pcm import PcmFormat, Samples
from voicestream.session.loudness import Loudness
from voicestream.settings.table import Settings

PCM = PcmFormat(24_000)
SPEECH: Samples = speechlike(4.0).astype(np.float32)[:, None] / 32768


def lufs(sound: Samples) -> float:
    meter = LoudnessMeter(PCM)
    meter.feed(sound)
    found = meter.measured()
    assert found is not None
    return found[0]


def reply(file: Path, sound: Samples, voice: str = "nova", loudness: str = "-18") -> Samples:
    """What is heard of one reply, in pieces of 50 ms."""
    speaker = Loudness(Settings(voice=voice, loudness=loudness), "http://x", file=file)
    speaker.load()
    heard = [speaker.feed(part, PCM) for part in np.array_split(sound, 80)]
    speaker.keep()
    assert speaker.trouble == ""
    return np.concatenate(heard)


@pytest.mark.parametrize("level", [0.05, 0.3, 1.0])
def test_voices_of_every_level_are_equally_loud_from_their_second_reply_on(
    level: float, tmp_path: Path
) -> None:
    sound = level * SPEECH / np.abs(SPEECH).max()
    first = reply(tmp_path / "kept", sound)
    assert np.array_equal(first, sound), "a voice that is not known is left as it is"
    second = reply(tmp_path / "kept", sound)
    wanted = min(max(-18.0, lufs(sound) - 12), lufs(sound) + 12)
    assert lufs(second) == pytest.approx(wanted, abs=1.0)
    assert np.array_equal(reply(tmp_path / "kept", sound, "onyx"), sound)


def test_the_factor_is_one_for_all_of_a_reply(tmp_path: Path) -> None:
    quiet = 0.2 * SPEECH
    reply(tmp_path / "kept", quiet)
    heard = reply(tmp_path / "kept", quiet)
    some = np.abs(quiet) > 1e-3
    factors = heard[some] / quiet[some]
    assert factors.min() == pytest.approx(factors.max(), rel=1e-3)
    assert factors.min() > 1.2


def test_what_is_nearly_right_is_left_bit_for_bit(tmp_path: Path) -> None:
    right = SPEECH * 10 ** ((-18.5 - lufs(SPEECH)) / 20)
    reply(tmp_path / "kept", right)
    assert np.array_equal(reply(tmp_path / "kept", right), right)


def test_off_changes_nothing_and_keeps_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        assert np.array_equal(reply(tmp_path / "kept", SPEECH, loudness="off"), SPEECH)
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"a": "b"}', '{"a": NaN}', "[" * 9999])
def test_a_damaged_file_is_as_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text(content)
    speaker = Loudness(Settings(voice="nova"), "http://x", file=tmp_path / "kept")
    speaker.load()
    assert np.array_equal(speaker.feed(SPEECH, PCM), SPEECH)
    speaker.keep()
    assert list(json.loads((tmp_path / "kept").read_text())) == [
        f"http://x {Settings().model} nova"
    ]


def test_each_recording_has_its_own(tmp_path: Path) -> None:
    quiet, loud = 0.1 * SPEECH, SPEECH
    for turn in range(2):
        player = Loudness(Settings(loudness="-18"), "play", file=tmp_path / "kept")
        player.load()
        for name, piece in (("a.mp3", quiet), ("b.mp3", loud)):
            player.begin(name)
            heard = player.feed(piece, PCM)
            wanted = min(max(-18.0, lufs(piece) - 12), lufs(piece) + 12)
            assert lufs(heard) == pytest.approx(wanted if turn else lufs(piece), abs=1.0)
        player.keep()
    assert "a.mp3" not in (tmp_path / "kept").read_text()
