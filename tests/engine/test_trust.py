"""Which folder may hold an engine, and whose call it carries out."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from voicestream.engine import place
from voicestream.engine.caller import Caller, DeclinedError


@pytest.mark.parametrize("mode", [0o700, 0o500, 0o770, 0o750, 0o701, 0o702, 0o777])
def test_a_folder_that_others_can_enter_has_no_engine(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    try:
        assert place.is_private(str(tmp_path)) == (mode & 0o077 == 0)
    finally:
        tmp_path.chmod(0o700)


def test_a_link_a_file_and_nothing_are_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "file").touch(0o700)
    private = [name for name in ("folder", "link", "file", "none") if _private(tmp_path / name)]
    assert private == ["folder"]


def _private(path: Path) -> bool:
    return place.is_private(str(path))


def test_a_folder_of_another_user_has_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    assert not place.is_private(str(tmp_path))


@pytest.mark.parametrize("change", ["one more", "one less"])
def test_a_caller_of_other_groups_speaks_itself(change: str) -> None:
    ours = {os.getegid(), *os.getgroups()}
    theirs = {*ours, max(ours) + 1} if change == "one more" else {*ours} - {os.getegid()}
    call = json.dumps({"arguments": ["say"], "groups": sorted(theirs)}).encode()
    near, far = socket.socketpair()
    with near, far, open(os.devnull) as null:
        socket.send_fds(far, [len(call).to_bytes(4, "big") + call], [null.fileno()] * 3)
        with pytest.raises(DeclinedError):
            Caller(near, far).receive()
