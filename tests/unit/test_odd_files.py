"""Files that are devices, pipes, without an end or too deep: told in one line, never waited for."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.cli.command import Call, run
from voicestream import files
from voicestream.cli.log import Log
from voicestream.errors import SaveError, VoicestreamError
from voicestream.files import read_bounded, write_state
from voicestream.output.save import Saver
from voicestream.pcm import PcmFormat
from voicestream.policy.history import Knowledge
from voicestream.policy.history_file import Learnt
from voicestream.settings import gone
from voicestream.settings.sources import read_key_file
from voicestream.settings.table import load
from voicestream.trace import Trace, load_trace, save_trace

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system")


def endless(file: Path) -> None:
    file.symlink_to("/dev/zero")


def silent(file: Path) -> None:
    os.mkfifo(file)


def huge(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(65 << 20)


def circle(file: Path) -> None:
    file.symlink_to(file.name)


def deep(file: Path) -> None:
    file.write_text("a = " + "[" * 100_000)


def many_digits(file: Path) -> None:
    file.write_text("retries = " + "9" * 5000)


def long_names(file: Path) -> None:
    file.write_text(f"{'a.' * 50_000}a = {{{'b.' * 50_000}b = 1}}")


SHAPES = [endless, silent, huge, circle]


def read_key(file: Path) -> None:
    read_key_file(str(file))


def read_config(file: Path) -> None:
    load({}, environ={}, folder=file.parent / "none", config_file=file)


def read_dotenv(file: Path) -> None:
    load({}, environ={}, folder=file.parent)


READERS = [read_key, read_config, read_dotenv, load_trace]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("read", READERS)
def test_an_odd_file_is_told_in_one_line(read, shape, tmp_path, monkeypatch):
    monkeypatch.setattr(read_bounded, "__defaults__", (0.05,))
    file = tmp_path / ".env"
    shape(file)
    with pytest.raises(VoicestreamError) as raised:
        read(file)
    assert "\n" not in str(raised.value)
    assert "Errno" not in str(raised.value)


@pytest.mark.parametrize("shape", [deep, many_digits, long_names])
@pytest.mark.parametrize("read", [read_config, load_trace])
def test_what_no_parser_can_hold_is_told_in_one_line(read, shape, tmp_path):
    file = tmp_path / "odd"
    shape(file)
    with pytest.raises(VoicestreamError, match="odd is no"):
        read(file)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_odd_state_file_is_nobodys_hindrance(shape, tmp_path, monkeypatch):
    file = tmp_path / "playout.json"
    shape(file)
    monkeypatch.setattr(gone, "user_state_file", lambda *_: file)
    assert gone.gone_models() == frozenset()
    learnt = Learnt(file)
    assert learnt.load("a") == Knowledge()
    assert "cannot be read and is ignored: " in learnt.trouble
    learnt.save("a", Knowledge())
    if shape is not huge:  # that one is replaced
        assert "cannot be kept: " in learnt.trouble
        with pytest.raises(OSError, match=r"levels|regular"):
            write_state(file, "")
    assert os.listdir(tmp_path) == ["playout.json"]


def test_a_key_may_come_through_a_pipe_a_little_late(tmp_path):
    pipe = tmp_path / "key"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("sk-late\n"))
    writer.start()
    assert read_bounded(pipe, 100) == b"sk-late\n"
    writer.join()


def test_a_folder_named_as_the_settings_is_none_of_ours(tmp_path):
    (tmp_path / ".env").mkdir()
    assert load({}, environ={}, folder=tmp_path).voice


def keep(target: Path) -> None:
    saver = Saver(str(target))
    saver.open(PcmFormat(24_000))
    saver.close()


def test_a_pipes_reader_gets_the_sound_and_the_pipe_stays(tmp_path):
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    keep(pipe)
    reader.join()
    assert got[0].startswith(b"RIFF")
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe.wav"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a" * 300 + ".wav", "name too long"),
        ("circle.wav", "levels of symbolic links"),
        ("silent.wav", "nobody reads it"),
        ("none/out.wav", "No such file"),
        ("folder.wav", "is a directory"),
        ("file/out.wav", "Not a directory"),
    ],
)
def test_a_place_that_cannot_be_written_is_told(name, says, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "READER_WAIT_S", 0.05)
    circle(tmp_path / "circle.wav")
    silent(tmp_path / "silent.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "file").write_text("")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(SaveError, match=says):
        keep(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(
    "write",
    [
        lambda file: Log(str(file), 0.0),
        lambda file: save_trace(Trace("a", 24_000, ((0.1, 2400),)), str(file)),
    ],
)
def test_a_pipe_that_nobody_reads_keeps_no_log_or_trace_waiting(write, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "READER_WAIT_S", 0.05)
    silent(tmp_path / "pipe")
    with pytest.raises(SaveError, match="nobody reads it"):
        write(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


def test_a_name_as_long_as_it_may_be_is_written(tmp_path):
    file = tmp_path / ("ä" * 125 + ".wav")
    keep(file)
    assert file.stat().st_size == 44


@pytest.mark.parametrize("words", [["trace", "replay", "/dev/zero"], ["config"]])
def test_the_command_ends_with_one_line(words, tmp_path):
    endless(tmp_path / ".env")
    ended = run(Call(words), tmp_path)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_a_log_that_the_disk_has_no_room_for_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log("/dev/full", 0.0)
    log.note("a line")
    log.close()
    assert "/dev/full is not whole: No space left on device" in capsys.readouterr().err
