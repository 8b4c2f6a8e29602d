"""What is kept between runs."""

from __future__ import annotations

import json
import os
import stat

import pytest

from voicestream.policy.arrivals import Arrivals
from voicestream.policy.history import Knowledge
from voicestream.policy.history_file import Learnt
from voicestream.settings.sources import user_state_file


def some(rate: float = 2.0, replies: int = 1) -> Knowledge:
    knowledge = Knowledge()
    for _ in range(replies):
        seen = Arrivals()
        for i in range(80):
            seen.add(1 + i * 0.05 / rate, 0.05)
        knowledge = knowledge.with_reply(seen, 60, 0.2)
    return knowledge


def test_what_is_saved_is_loaded(tmp_path):
    file = tmp_path / "deep" / "playout.json"
    assert Learnt(file).load("a") == Knowledge()
    Learnt(file).save("a", some(2.0))
    Learnt(file).save("b", some(0.5, 20))
    learnt = Learnt(file)
    assert learnt.load("a") == some(2.0)
    assert learnt.load("b") == some(0.5, 20)
    assert learnt.load("c") == Knowledge()
    assert learnt.trouble == ""


def test_it_is_for_the_users_eyes_alone_and_leaves_nothing_behind(tmp_path):
    file = tmp_path / "state" / "playout.json"
    Learnt(file).save("a", some())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert os.listdir(file.parent) == ["playout.json"]


def test_it_stays_small(tmp_path):
    file = tmp_path / "playout.json"
    known = some(replies=20)
    for i in range(50):
        Learnt(file).save(f"endpoint {i}", known)
    assert len(json.loads(file.read_text())["endpoints"]) == 32
    assert Learnt(file).load("endpoint 17") == Knowledge()
    assert Learnt(file).load("endpoint 49").replies == 20
    assert file.stat().st_size < 100_000


def test_where_nothing_can_be_kept_nothing_is_damaged(tmp_path):
    (tmp_path / "home").write_text("")  # HOME=/dev/null has no folders either
    learnt = Learnt(tmp_path / "home" / "playout.json")
    assert learnt.load("a") == Knowledge()
    assert not learnt.trouble


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00",
        b"{}",
        b"[]",
        b'{"version": 1}',
        b'{"version": 1, "endpoints": 5}',
        b"[" * 99999,
    ],
)
def test_a_damaged_file_is_ignored_said_and_rewritten(tmp_path, content):
    file = tmp_path / "playout.json"
    file.write_bytes(content)
    learnt = Learnt(file)
    assert learnt.load("a") == Knowledge()
    assert "damaged" in learnt.trouble
    learnt.save("a", some())
    again = Learnt(file)
    assert again.load("a") == some()
    assert again.trouble == ""


def _damages():
    good = json.loads(json.dumps(some().__class__.__dataclass_fields__, default=str))
    for name in good:
        yield name, None
        yield name, "text"
        yield name, [["x"]]
        yield name, [float("nan")]
    yield "gaps", [1e400]
    yield "replies", -1
    yield "rate", -5
    yield "needs", [[0.1]] * 7
    yield "first_needs", [[0.1] * 3]


@pytest.mark.parametrize(("name", "value"), list(_damages()))
def test_a_damaged_entry_is_ignored(tmp_path, name, value):
    file = tmp_path / "playout.json"
    Learnt(file).save("a", some())
    content = json.loads(file.read_text())
    content["endpoints"]["a"][name] = value
    file.write_text(json.dumps(content))
    learnt = Learnt(file)
    assert learnt.load("a") == Knowledge()
    assert "damaged" in learnt.trouble


def test_another_versions_file_is_ignored_in_silence(tmp_path):
    file = tmp_path / "playout.json"
    file.write_text('{"version": 99, "endpoints": {"a": 1}}')
    learnt = Learnt(file)
    assert learnt.load("a") == Knowledge()
    assert learnt.trouble == ""


def test_a_folder_that_cannot_be_written_is_said_and_raises_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    learnt = Learnt(tmp_path / "file" / "playout.json")
    learnt.save("a", some())
    assert "cannot be" in learnt.trouble


def test_the_users_state_folder_is_obeyed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert user_state_file("playout.json") == tmp_path / "voicestream" / "playout.json"


def test_a_reply_of_one_piece_teaches_nothing():
    seen = Arrivals()
    seen.add(0.0, 1.0)
    assert some().with_reply(seen, 5, 0.1) == some()
