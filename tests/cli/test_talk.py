"""``talk`` as people call it: typed text, piped lines, and what is told of the microphone."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pexpect

from tests.cli.test_ask import answering, chat
from tests.support import command

NOBODY = ("--device", "null", "--microphone", "no such microphone")


def test_each_line_of_a_pipe_is_answered_and_its_end_ends_it(tmp_path: Path) -> None:
    with answering(chat(["It is 1."])) as server:
        done = command.run(
            *("talk", "--base-url", server.url, *NOBODY, "--json", "--save", "both.wav"),
            env=command.environment(tmp_path),
            cwd=tmp_path,
            stdin=b"Wer da?\n\nUnd jetzt?",
        )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["role"], line["text"]) for line in lines] == [
        ("user", "Wer da?"),
        ("assistant", "It is 1."),
        ("user", "Und jetzt?"),
        ("assistant", "It is 1."),
    ]
    assert lines[1]["completed"]
    assert lines[1]["after_ms"] > 0
    told = done.stderr.decode().splitlines()
    assert told[0].startswith("speak, or type")
    said = [line for line in told if line.startswith(("you: ", "voice: "))]
    assert said[:2] == ["you: Wer da?", "voice: It is 1."]
    asked = [request.json["messages"] for request in server.requests if "chat" in request.path]
    assert [len(messages) for messages in asked] == [1, 3]


def test_a_person_types_and_is_answered_until_ctrl_c(tmp_path: Path) -> None:
    env = command.environment(tmp_path, {"TERM": "xterm-256color", "LANG": "C.UTF-8"})
    with answering(chat(["It is 1."])) as server:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "voicestream", "talk", "--base-url", server.url, *NOBODY, "--push-to-talk"],
            env=env,
            cwd=str(tmp_path),
            dimensions=(24, 80),
            timeout=20,
            encoding="utf-8",
        )
        child.expect("space: speak")
        child.expect("nobody is heard: no ")
        child.expect("no microphone")
        child.send("Who if")
        child.expect("> .*Who if")
        child.send("\x7fs it?\r")
        child.expect("you: Who is it?")
        child.expect("voice: It is 1.")
        child.sendintr()
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 130


def test_without_a_terminal_there_is_no_key_to_push(tmp_path: Path) -> None:
    done = command.run(
        *("talk", "--push-to-talk", *NOBODY), env=command.environment(tmp_path), cwd=tmp_path
    )
    assert done.returncode == 2
    assert b"wants a terminal" in done.stderr
