"""What `play` is given: how it is named, what it is taken for, and what it is refused for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import encode, sound
from voicestream.cli.entry import run
from voicestream.decode.registry import open_decoder
from voicestream.errors import SourceError, UsageError
from voicestream.session.play_sources import SAMPLE_FORMATS, Source, raw_type, sources_of
from voicestream.session.recognised import recognised

MP3 = sound.mp3(sound.speechlike(1.0))
FRAMES = MP3[MP3.index(b"\xff\xf3") :]
SOUNDS = {
    "wav": sound.wav(sound.ramp(2400)),
    "mp3": FRAMES,
    "flac": encode.flac(encode.speech(0.5)),
    "opus": encode.opus(encode.speech(0.5)),
    "aac": encode.aac(encode.speech(1.0)),
}


def format_of(data: bytes, told: str = "", place: str = "-", cuts: tuple[int, ...] = ()) -> str:
    """What it is taken for when it comes in pieces."""
    source = Source(place, "it")
    for end in (*sorted(cuts), None):
        head = data if end is None else data[:end]
        form = recognised(head, told, source, ended=end is None)
        if form is not None:
            return form.name
    raise AssertionError("it was never known")


@pytest.mark.parametrize("name", SOUNDS)
@given(cuts=st.lists(st.integers(1, 9000), max_size=4).map(tuple))
def test_sound_is_known_by_its_bytes(name: str, cuts: tuple[int, ...]) -> None:
    assert format_of(SOUNDS[name], cuts=cuts) == name


@pytest.mark.parametrize("name", ["mp3", "aac"])
@given(begin=st.integers(1, 700))
def test_a_stream_is_known_in_its_middle(name: str, begin: int) -> None:
    assert format_of(SOUNDS[name][begin:]) == name


def test_a_name_helps_where_the_bytes_do_not() -> None:
    junk = bytes(5000)
    assert format_of(junk, place="/x/a.MP3") == "mp3"
    assert format_of(junk, place="http://host/a.flac?x=y.wav") == "flac"
    assert format_of(junk, told="audio/aac", place="http://host/radio") == "aac"
    assert format_of(junk, told="audio/pcm") == "pcm"


@pytest.mark.parametrize(
    ("data", "told", "words"),
    [
        (b"", "", "it is empty"),
        (b"Dear all,", "", "it starts with b'Dear all,'. Raw samples need --rate"),
        (b"\x89PNG\r\n" * 2000, "", "no sound that is known here"),
        (b"<html>" * 900, "text/html", "it is called text/html"),
        (b"\xef\xbb\xbf#EXTM3U\na.mp3", "audio/x-mpegurl", "a list of sounds"),
        (np.random.default_rng(1).bytes(20_000), "", "no sound that is known here"),
    ],
)
def test_what_is_no_sound_is_refused(data: bytes, told: str, words: str) -> None:
    with pytest.raises(SourceError) as refused:
        format_of(data, told)
    assert words in str(refused.value)


def test_titles_tell_sources_apart_and_hold_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(b"")
    words = [str(file), "http://me:pw@host/a?token=1#x", "HTTP://host/a?token=2", str(file), "-"]
    found = sources_of(words)
    assert [source.title for source in found] == [
        str(file),
        "http://host/a",
        "http://host/a (3)",
        str(file),
        "stdin",
    ]
    assert found[1].place == "http://me:pw@host/a?token=1"
    assert [source.is_url for source in found] == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-", "-"], "stdin can be played once"),
        (["missing"], "cannot read missing: No such file or directory. To have it spoken"),
        (["/"], "/ is a folder"),
        (["rtsp://host/a"], "rtsp://host/a cannot be fetched"),
        (["http://"], "http:// cannot be fetched"),
        (["http://[x/a"], "cannot be fetched"),
        (["http://host:0/"], "cannot be fetched"),
        (["http://host:99999/"], "cannot be fetched"),
        (["a\0b"], "cannot read"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_is(words: list[str], told: str) -> None:
    with pytest.raises(UsageError) as refused:
        sources_of(words)
    assert told in str(refused.value)


@pytest.mark.parametrize("flag", ["-o", "--save"])
def test_what_is_played_is_not_written_over(
    flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.mp3").write_bytes(MP3)
    assert run(["play", "a.mp3", flag, f"{tmp_path}/a.mp3"]) == 2
    assert "is what is played" in capsys.readouterr().err
    assert Path("a.mp3").read_bytes() == MP3


@pytest.mark.parametrize("form", SAMPLE_FORMATS)
def test_raw_samples_are_read_as_they_are_told(form: str) -> None:
    ints = np.array([0, 64, -64, 127, -128], np.int8)
    kind, wide, order = form[0], form.strip("sufble"), ">" if form.endswith("be") else "<"
    if kind == "f":
        data = (ints / 128).astype(f"{order}f{int(wide) // 8}").tobytes()
    elif kind == "u":
        data = (ints.astype(int) + 128).astype("u1").tobytes()
    elif wide == "24":
        whole = (ints.astype(">i4") * (1 << 24)).astype(f"{order}i4").tobytes()
        drop = 3 if order == ">" else 0
        data = b"".join(
            whole[at : at + 4][:drop] + whole[at : at + 4][drop + 1 :] for at in range(0, 20, 4)
        )
    else:
        data = (ints.astype(">i4") * (1 << int(wide) - 8)).astype(f"{order}i{int(wide) // 8}")
        data = data.tobytes()
    decoder = open_decoder(raw_type("16000", None, form), "pcm")
    samples = np.concatenate((decoder.feed(data), decoder.flush()))
    assert decoder.format is not None
    assert (decoder.format.rate_hz, decoder.format.channels) == (16_000, 1)
    assert np.array_equal(samples[:, 0], ints / np.float32(128))


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ((None, "2", None), "raw samples need --rate"),
        (("0", None, None), "--rate 0 is no number from 1 to 192000"),
        (("x", None, None), "--rate x is no number"),
        (("8000", "9", None), "--channels 9 is no number from 1 to 8"),
        (("8000", None, "s17"), "--sample-format s17 is not known. u8 s16le"),
    ],
)
def test_raw_samples_that_cannot_be_are_refused(
    given_: tuple[str | None, str | None, str | None], told: str
) -> None:
    with pytest.raises(UsageError) as refused:
        raw_type(*given_)
    assert told in str(refused.value)
