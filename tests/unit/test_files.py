"""What is kept on disk: whole or not at all, for the user's eyes only, and never in the way."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from voicestream.errors import SaveError
from voicestream.files import write_whole
from voicestream.output.save import Saver
from voicestream.pcm import PcmFormat
from voicestream.policy.history import Knowledge
from voicestream.policy.history_file import Learnt
from voicestream.trace import Trace, load_trace, save_trace

TRACE = Trace("a", 24_000, ((0.1, 2400),))


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def save(file: Path) -> None:
    saver = Saver(str(file))
    saver.open(PcmFormat(24_000))
    saver.write(np.ones((10, 1), np.int16))
    saver.close()


WRITERS = {
    "sound": (save, "out.wav"),
    "trace": (lambda file: save_trace(TRACE, str(file)), "out.json"),
    "text": (lambda file: write_whole(file, "text"), "out"),
}
each_writer = pytest.mark.parametrize(("write", "name"), WRITERS.values(), ids=WRITERS)


@each_writer
def test_a_new_file_obeys_the_umask_and_an_old_one_keeps_its_mode(write, name, tmp_path):
    file = tmp_path / name
    before = os.umask(0o027)
    try:
        write(file)
    finally:
        os.umask(before)
    assert mode(file) == 0o640
    file.chmod(0o600)
    (tmp_path / "link").symlink_to(file)
    write(tmp_path / "link")
    assert mode(file) == 0o600
    assert sorted(os.listdir(tmp_path)) == sorted(["link", name])


@each_writer
def test_what_was_there_stays_when_the_disk_is_full(write, name, tmp_path, monkeypatch):
    file = tmp_path / name
    write(file)
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises((OSError, SaveError), match="No space left"):
        write(file)
    assert file.read_bytes() == before
    # a recording is not thrown away, and the error says where it stands
    assert len(os.listdir(tmp_path)) == (2 if name.endswith(".wav") else 1)


def test_what_is_no_file_is_written_to_as_it_is():
    save_trace(TRACE, os.devnull)
    assert not Path(os.devnull).is_file()
    with pytest.raises(SaveError, match="No space left"):
        save_trace(TRACE, "/dev/full")


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to("there.json")
    save_trace(TRACE, str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert load_trace(tmp_path / "there.json") == TRACE


def test_a_full_disk_is_said_and_nothing_is_forgotten(tmp_path, monkeypatch):
    learnt = Learnt(tmp_path / "playout.json")
    learnt.save("a", Knowledge())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    learnt.save("b", Knowledge())
    assert "cannot be kept: No space left on device" in learnt.trouble
    assert os.listdir(tmp_path) == ["playout.json"]
    assert '"b"' not in (tmp_path / "playout.json").read_text()


def test_a_pipe_is_written_to_as_it_is() -> None:
    reading, writing = os.pipe()
    write_whole(Path(f"/dev/fd/{writing}"), "text")
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert pipe.read() == b"text"


def test_text_that_cannot_be_encoded_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "a", "\udcff")
    assert list(tmp_path.iterdir()) == []
