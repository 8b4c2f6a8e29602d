"""The terminal's modes, and the terminal that goes away."""

from __future__ import annotations

import os
import pty
import termios

import pytest

from voicestream.ui import keys

silent = termios.ECHO | termios.ICANON


@pytest.mark.parametrize("hung_up", [False, True])
def test_the_terminal_is_as_it_was_unless_it_is_gone(
    hung_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "in_foreground", lambda _stream: True)
    master, slave = pty.openpty()
    with os.fdopen(slave, "r") as stream:
        before = termios.tcgetattr(stream)[3]
        with keys.Keys(stream, lambda _key: None) as read:
            assert read.read
            assert not termios.tcgetattr(stream)[3] & silent
            if hung_up:
                os.close(master)
        if not hung_up:
            assert termios.tcgetattr(stream)[3] == before
            os.close(master)


@pytest.mark.parametrize("call", ["tcgetattr", "tcsetattr"])
def test_a_terminal_that_is_hung_up_just_now_has_no_keys(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise termios.error(5, "Input/output error")

    monkeypatch.setattr(keys, "in_foreground", lambda _stream: True)
    master, slave = pty.openpty()
    with os.fdopen(slave, "r") as stream:
        monkeypatch.setattr(termios, call, gone)
        keys.terminal_modes(stream)()
        with keys.Keys(stream, lambda _key: None) as read:
            assert not read.read
    os.close(master)
