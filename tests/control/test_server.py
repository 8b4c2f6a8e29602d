"""The control socket: answers, bounds, and callers that misbehave."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.control.lines import MAX_LINE_BYTES, Lines, Message, Peer, encoded
from voicestream.control.runtime import runtime_folder
from voicestream.control.server import MOST_CALLERS, ControlServer
from voicestream.errors import VoicestreamError


def answer(message: Message) -> Message:
    if message["verb"] == "fail":
        raise RuntimeError("no")
    return {"ok": True, "heard": message["verb"]}


@pytest.fixture
def path(short: Path) -> Iterator[str]:
    server = ControlServer(str(short / "1.sock"), answer)
    server.start()
    yield str(short / "1.sock")
    server.tell({"event": "end"})
    server.close()
    assert os.listdir(short) == []


def test_verbs_are_answered_in_order(path: str) -> None:
    peer = Peer(path, 5)
    for verb in ("pause", "resume"):
        assert peer.ask({"verb": verb}) == {"ok": True, "heard": verb}
    assert peer.ask({"verb": "ping"}) == {"ok": True, "pid": os.getpid()}
    peer.close()


@pytest.mark.parametrize("sent", [{"verb": 7}, {}, {"verb": "fail"}])
def test_what_makes_no_sense_is_answered(path: str, sent: Message) -> None:
    peer = Peer(path, 5)
    answered = peer.ask(sent)
    assert answered is not None
    assert not answered["ok"]
    assert peer.ask({"verb": "still"}) == {"ok": True, "heard": "still"}
    peer.close()


@pytest.mark.parametrize(
    "sent",
    [b"hello\n", b"[1]\n", b"[" * 60_000 + b"\n", b"x" * (MAX_LINE_BYTES + 2), b"\xff\xfe\n"],
)
def test_what_is_no_message_ends_the_connection(path: str, sent: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(5)
        caller.connect(path)
        caller.sendall(sent)
        told = b""
        while data := caller.recv(65536):
            told += data
    assert json.loads(told)["ok"] is False
    peer = Peer(path, 5)
    assert peer.ask({"verb": "still"}) == {"ok": True, "heard": "still"}
    peer.close()


def test_watchers_are_told_and_see_the_end(short: Path) -> None:
    server = ControlServer(str(short / "2.sock"), answer)
    server.start()
    peer = Peer(str(short / "2.sock"), 5)
    assert peer.ask({"verb": "watch"}) == {"ok": True}
    server.tell({"event": "word", "word": "höre"})
    assert peer.receive() == {"event": "word", "word": "höre"}
    server.close()
    assert peer.receive() is None
    peer.close()


def test_more_callers_than_places_wait_their_turn(path: str) -> None:
    peers = [Peer(path, 10) for _ in range(MOST_CALLERS + 10)]
    for peer in peers:
        peer.send({"verb": "hello"})
    for peer in peers:
        assert peer.receive() == {"ok": True, "heard": "hello"}
        peer.close()


def test_a_caller_that_does_not_read_is_hung_up_on(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(10)
        caller.connect(path)
        line = encoded({"verb": "x" * 60_000})
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            all(caller.sendall(line) is None for _ in range(10_000))
    peer = Peer(path, 5)
    assert peer.ask({"verb": "still"}) == {"ok": True, "heard": "still"}
    peer.close()


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text())), st.data())
def test_messages_do_not_depend_on_how_they_are_cut(
    sent: list[Message], data: st.DataObject
) -> None:
    written = b"".join(map(encoded, sent))
    lines, got = Lines(), []
    while written:
        size = data.draw(st.integers(1, len(written)))
        got += lines.feed(written[:size])
        written = written[size:]
    assert got == sent


@pytest.mark.parametrize("spoilt", ["wide", "file", "link", "relative", "long"])
def test_a_runtime_folder_that_is_not_ours_alone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    folder = tmp_path / "run"
    named = {"relative": "run", "long": "/tmp/" + "x" * 90}.get(spoilt, str(folder))
    if spoilt == "wide":
        folder.mkdir()
        folder.chmod(0o770)
    elif spoilt == "file":
        folder.touch()
    elif spoilt == "link":
        (tmp_path / "real").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "real")
    monkeypatch.setenv("VOICESTREAM_RUNTIME_DIR", named)
    with pytest.raises(VoicestreamError):
        runtime_folder()


def test_a_runtime_folder_is_made_private(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOICESTREAM_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    assert runtime_folder() == str(short / "voicestream")
    assert (short / "voicestream").stat().st_mode & 0o777 == 0o700
    assert runtime_folder() == str(short / "voicestream")


def test_in_the_folder_of_another_user_nothing_is_made(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = short.stat().st_uid + 1
    monkeypatch.delenv("VOICESTREAM_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    monkeypatch.setenv("TMPDIR", str(short / "tmp"))
    monkeypatch.setattr(os, "getuid", lambda: owner)  # as `sudo -E` leaves it
    with pytest.raises(VoicestreamError, match="somebody else's"):
        runtime_folder()
    assert os.listdir(short) == ["tmp"]
