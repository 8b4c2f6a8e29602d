"""Sound files of every kind, read back: the samples, the tags, whatever the pieces they came in."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import encode
from voicestream.encode.base import FILES, Tags
from voicestream.errors import SaveError, UsageError
from voicestream.output.save import Saver, title_of
from voicestream.pcm import Frames16, PcmFormat, to_int16

VOICE = to_int16(encode.speech(1.5, rate_hz=48_000, channels=2))
PADDING_S = 0.001
EXACT = (".wav", ".flac")


def save(file: Path, sound: Frames16, rate_hz: int = 24_000, cuts: Sequence[int] = ()) -> Path:
    saver = Saver(str(file), Tags("A title — ü", "nova"))
    saver.prepare()
    saver.open(PcmFormat(rate_hz, sound.shape[1]))
    for piece in np.split(sound, sorted(cuts)):
        saver.write(piece)
    saver.close(complete=True)
    return file


def read(file: Path) -> tuple[int, Frames16, dict[str, str]]:
    """Rate, frames and tags, by FFmpeg."""
    with av.open(str(file)) as source:
        stream = source.streams.audio[0]
        tags = {**source.metadata, **stream.metadata}
        rate_hz = stream.rate
        wanted = av.AudioResampler("s16", stream.layout, rate_hz)
        frames = [it for frame in source.decode(audio=0) for it in wanted.resample(frame)]
        channels = stream.channels
        # the last frame of an M4A file is padded, and the file says by how much
        end = None if stream.duration is None else float(stream.duration * stream.time_base)
    sound = np.concatenate([f.to_ndarray().reshape(-1, channels) for f in frames])
    if file.suffix == ".m4a" and end is not None:
        sound = sound[: round(end * rate_hz)]
    return rate_hz, sound, tags


@pytest.mark.parametrize("ending", FILES)
@pytest.mark.parametrize(("rate_hz", "channels"), [(24_000, 1), (48_000, 2), (22_050, 1)])
def test_a_file_holds_the_sound_to_its_last_sample(
    ending: str, rate_hz: int, channels: int, tmp_path: Path
) -> None:
    sound = VOICE[:36_001, :channels]
    got_hz, got, tags = read(save(tmp_path / f"a{ending}", sound, rate_hz))
    if ending in EXACT:
        assert got_hz == rate_hz
        assert np.array_equal(got, sound)
    else:
        assert len(got) / got_hz == pytest.approx(len(sound) / rate_hz, abs=PADDING_S)
        assert got.shape[1] == channels
        assert abs(got).max() == pytest.approx(abs(sound).max(), rel=0.35)
    assert (tags["title"], tags["artist"]) == ("A title — ü", "nova")


@pytest.mark.parametrize("ending", FILES)
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 192_000])
def test_every_rate_can_be_saved(ending: str, rate_hz: int, tmp_path: Path) -> None:
    sound = VOICE[: rate_hz // 8, :1]
    got_hz, got, _tags = read(save(tmp_path / f"a{ending}", sound, rate_hz))
    assert len(got) / got_hz == pytest.approx(len(sound) / rate_hz, abs=PADDING_S)


@pytest.mark.parametrize("ending", FILES)
def test_many_channels_are_saved(ending: str, tmp_path: Path) -> None:
    sound = np.repeat(VOICE[:24_000, :1], 6, axis=1)
    got_hz, got, _tags = read(save(tmp_path / f"a{ending}", sound, 48_000))
    assert len(got) / got_hz == pytest.approx(0.5, abs=PADDING_S)


_CUTS = st.lists(st.integers(0, 12_000), max_size=12)


@pytest.mark.parametrize("ending", FILES)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=_CUTS)
def test_what_is_saved_does_not_depend_on_its_pieces(
    ending: str, cuts: list[int], tmp_path: Path
) -> None:
    sound = VOICE[:12_000, :1]
    whole = save(tmp_path / f"whole{ending}", sound)
    pieces = save(tmp_path / f"pieces{ending}", sound, cuts=cuts)
    if FILES[ending] == "opus":  # an Ogg stream has a number by chance
        assert np.array_equal(read(whole)[1], read(pieces)[1])
    else:
        assert whole.read_bytes() == pieces.read_bytes()


@pytest.mark.parametrize("ending", FILES)
def test_a_pipe_gets_the_kind_that_its_name_says(ending: str, tmp_path: Path) -> None:
    """What is sent as it comes is sound, too: it cannot be gone back in."""
    from voicestream.encode.base import Sending, open_encoder

    sent = io.BytesIO()
    encoder = open_encoder(FILES[ending], PcmFormat(24_000), Sending(sent))
    half = len(sent.getvalue())
    encoder.write(VOICE[:24_000, :1])
    assert len(sent.getvalue()) > half
    encoder.close()
    file = tmp_path / f"sent{ending}"
    file.write_bytes(sent.getvalue())
    rate_hz, got, _tags = read(file)
    assert len(got) / rate_hz == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("name", ["a.txt", "a.aac", "a", "a.mp3.part"])
def test_an_ending_that_cannot_be_made_is_told_with_those_that_can(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as told:
        Saver(str(tmp_path / name))
    assert all(ending in str(told.value) for ending in FILES)
    assert not list(tmp_path.iterdir())


def begin(file: Path, whole: bool) -> Saver:
    saver = Saver(str(file), whole=whole)
    saver.open(PcmFormat(24_000), "Hello, ")
    saver.write(VOICE[:2400, :1])
    return saver


@pytest.mark.parametrize("ending", FILES)
def test_a_torso_never_has_the_name(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"a{ending}"
    file.write_bytes(b"before")
    saver = begin(file, whole=True)
    saver.close()
    assert file.read_bytes() == b"before"
    assert saver.torso == tmp_path / f"a.part{ending}"
    assert len(read(saver.torso)[1]) > 2000
    begin(file, whole=True).close(complete=True)
    assert len(read(file)[1]) > 2000
    assert sorted(tmp_path.iterdir()) == sorted([saver.torso, file])


@pytest.mark.parametrize("ending", FILES)
def test_what_was_played_is_kept_however_it_ended(ending: str, tmp_path: Path) -> None:
    begin(tmp_path / f"a{ending}", whole=False).close()
    assert len(read(tmp_path / f"a{ending}")[1]) > 2000


def fill(saver: Saver) -> None:
    saver.open(PcmFormat(24_000))
    for _ in range(200):
        saver.write(VOICE[:24_000, :1])


@pytest.mark.parametrize("ending", FILES)
def test_a_full_disk_leaves_nothing(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saver = Saver(str(tmp_path / f"a{ending}"), whole=True)
    saver._file.close()
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(saver, "_file", full)
        with pytest.raises(SaveError, match="No space left"):
            fill(saver)
    saver.close(complete=True)
    assert not list(tmp_path.iterdir())


def test_a_wav_file_is_read_by_the_standard_library(tmp_path: Path) -> None:
    with wave.open(str(save(tmp_path / "a.wav", VOICE[:1001, :1]))) as source:
        assert source.getnframes() == 1001


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello there,", "Hello there"),
        ("What is\nthis? ", "What is this?"),
        ("word " * 40, "word " * 15 + "word…"),
    ],
)
def test_a_title_is_the_beginning_of_the_text(text: str, title: str) -> None:
    assert title_of(text) == title
