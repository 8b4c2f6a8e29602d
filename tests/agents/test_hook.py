"""``voicestream hook``: the real command, called as agents call it; what is asked for is spoken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import sound
from tests.support.agent_events import delta, stop
from tests.support.agents import Agent, agent
from tests.support.command import environment
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.cli.entry import run as run_here

SPEECH = sound.speechlike(0.1).tobytes()
PROMPT = {"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt": "Hello?"}


class Stage:
    """A server that hears what is spoken, and agents."""

    def __init__(self, folder: Path, server: ScriptedServer, runtime: Path) -> None:
        self.server = server
        self.folder = folder
        settings = {
            "VOICESTREAM_RUNTIME_DIR": str(runtime),
            "VOICESTREAM_BASE_URL": server.url,
            "VOICESTREAM_DEVICE": "null",
            "VOICESTREAM_CACHE": "off",
            "VOICESTREAM_LOOKAHEAD": "0",  # requests come one after the other, in order
        }
        self.env = environment(folder, settings)

    def spoken(self, words: int) -> str:
        """What was spoken, once it has so many words."""
        ends_s = time.monotonic() + 20
        while len(self.said.split()) < words and time.monotonic() < ends_s:
            time.sleep(0.02)
        return self.said

    @property
    def said(self) -> str:
        return " ".join(str(request.json["input"]) for request in self.server.requests)


@pytest.fixture
def stage(tmp_path: Path, short: Path) -> Iterator[Stage]:
    short.chmod(0o700)
    with ScriptedServer(lambda _request: Script(SPEECH)) as server:
        yield Stage(tmp_path, server, short)


@pytest.fixture
def claude(stage: Stage) -> Iterator[Agent]:
    with agent(stage.env, stage.folder, "--log", str(stage.folder / "log")) as one:
        yield one


def in_log(stage: Stage, text: str) -> None:
    """Wait until the log tells of something."""
    ends_s = time.monotonic() + 20
    log = stage.folder / "log"
    while not (log.exists() and text in log.read_text()):
        assert time.monotonic() < ends_s, log.read_text() if log.exists() else "no log"
        time.sleep(0.02)


def test_a_recorded_session_is_spoken_once_and_in_order(stage: Stage, claude: Agent) -> None:
    claude.play("claude", speed=12)
    words = (
        "I looked at the parser. It reads the whole file first, which is why it is slow. "
        "Here is what I would change: (code block) "
        "read a line at a time keep the tests as they are Shall I do it?"
    )
    stage.spoken(len(words.split()))
    claude.end("6f1c2a9e-0b1d-4c5e-9f00-8d1f6a7b2c3d")
    assert stage.said.split() == words.split()


def test_what_is_no_event_is_passed_over_in_silence(stage: Stage, claude: Agent) -> None:
    for event in (
        *(b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000),
        *({}, {"hook_event_name": "PreToolUse", "session_id": "s"}),
        {"hook_event_name": "MessageDisplay", "session_id": "s", "delta": None},
        {"hook_event_name": "SessionEnd", "session_id": "nobody"},
    ):
        claude.hook(event)
    assert not list(claude.folder.glob("*")) if claude.folder.exists() else True
    in_log(stage, "PreToolUse")


def test_odd_fields_and_a_missing_transcript_do_no_harm(stage: Stage, claude: Agent) -> None:
    claude.hook({**delta("m", 0, "One.", False), "index": "x", "session_id": ["?"]})
    claude.hook({"hook_event_name": "Stop", "session_id": "s", "transcript_path": "/no/where"})
    in_log(stage, "the transcript /no/where cannot be read")
    claude.hook(delta("m", 0, "Two words.", True))
    assert "Two words." in stage.spoken(3)


def test_the_transcript_has_what_an_older_agent_does_not_tell(stage: Stage, claude: Agent) -> None:
    file = stage.folder / "transcript.jsonl"
    content = [{"type": "text", "text": "It was said."}, {"type": "tool_use", "name": "Bash"}]
    entries = [
        {"type": "assistant", "message": {"content": [{"type": "text", "text": "Before."}]}},
        {"type": "assistant", "message": {"role": "assistant", "content": content}},
        {"type": "user", "message": {"content": "Thanks."}},
    ]
    file.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    claude.hook({"hook_event_name": "Stop", "session_id": "s", "transcript_path": str(file)})
    assert stage.spoken(3) == "It was said."


def test_sub_agents_are_silent_unless_asked(stage: Stage, claude: Agent) -> None:
    sub = {"agent_id": "a", "agent_type": "Explore"}
    claude.hook({**delta("x", 0, "Not this.", True), **sub})
    answer = {"hook_event_name": "SubagentStop", "last_assistant_message": "It answers."}
    claude.hook({**answer, **sub, "session_id": "s"})
    claude.hook(delta("m", 0, "But this.", True))
    assert stage.spoken(2) == "But this."
    claude.end("s")
    claude.options += ("--subagents",)
    claude.hook({**answer, **sub, "session_id": "s"})
    assert stage.spoken(4) == "But this. It answers."


def test_each_session_keeps_a_voice_of_its_own(stage: Stage, claude: Agent) -> None:
    claude.options += ("--voice-list", "nova,echo")
    for number, (session, text) in enumerate([("s", "One."), ("t", "Two."), ("s", "Three.")], 1):
        claude.hook({**delta(text, 0, text, True), "session_id": session})
        stage.server.wait_request(number)
        claude.end(session)  # the next one is another process
    spoken = [(one.json["input"], one.json["voice"]) for one in stage.server.requests]
    voices = dict(spoken)
    assert voices["One."] == voices["Three."]
    assert {voices["One."], voices["Two."]} == {"nova", "echo"}


def test_it_is_silent_while_off(
    stage: Stage, claude: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICESTREAM_RUNTIME_DIR", stage.env["VOICESTREAM_RUNTIME_DIR"])
    monkeypatch.chdir(stage.folder)
    assert run_here(["hook", "off"]) == 2  # no agent works here
    claude.hook(delta("m", 0, "One.", True))
    stage.spoken(1)
    assert run_here(["hook", "off"]) == 0
    claude.hook(delta("n", 0, "Two.", True))
    assert run_here(["hook", "on"]) == run_here(["hook", "off", "--all"]) == 0
    claude.hook(delta("o", 0, "Three.", True))
    assert run_here(["hook", "on", "--all"]) == 0
    claude.hook(delta("p", 0, "Four.", True))
    assert stage.spoken(2) == "One. Four."


def test_what_one_speaker_has_said_the_next_does_not_say_again(stage: Stage, claude: Agent) -> None:
    claude.hook(delta("m", 0, "Said once.", True))
    stage.spoken(2)
    claude.end("s")
    claude.hook(stop("Said once."))
    claude.hook(delta("m", 0, "Said once.", True))
    claude.hook(delta("n", 0, "And more.", True))
    assert stage.spoken(4) == "Said once. And more."


def test_a_killed_speaker_is_replaced(stage: Stage, claude: Agent) -> None:
    claude.hook(PROMPT)
    in_log(stage, "told prompt")
    number = (stage.folder / "log").read_text().split(" hook ")[1].partition(":")[0]
    os.kill(int(number), 9)
    ends_s = time.monotonic() + 20
    while Path(f"/proc/{number}").exists() and time.monotonic() < ends_s:  # until it does, it takes
        time.sleep(0.01)
    claude.hook(delta("m", 0, "It goes on.", True))
    assert stage.spoken(3) == "It goes on."


def test_more_than_a_socket_holds_arrives_whole(stage: Stage, claude: Agent) -> None:
    hidden = "".join(f"line {number}\n" for number in range(100_000))
    claude.hook(stop(f"Before.\n\n```\n{hidden}```\n\nAfter."))
    assert stage.spoken(4) == "Before. (code block) After."


_LOADED = """
import os, sys
before = set(sys.modules)
sys.argv = ["voicestream", "hook"]
from voicestream import __main__
def leave(code):
    found = set(sys.modules) - before
    import json
    print(json.dumps(sorted(found)))
    raise SystemExit
os._exit = leave
__main__.main()
"""


def test_the_hook_loads_next_to_nothing(stage: Stage, claude: Agent) -> None:
    """What the agent waits for: not ``json``, ``re``, ``socket``, ``typing`` nor the settings."""
    claude.hook(PROMPT)
    ended = subprocess.run(
        [sys.executable, "-S", "-c", _LOADED],
        input=json.dumps(delta("m", 0, "One.", True)).encode(),
        env=stage.env,
        capture_output=True,
        check=True,
    )
    found = [name for name in json.loads(ended.stdout) if name != "voicestream"]
    assert {name for name in found if name.startswith("voicestream")} == {
        *("voicestream.__main__", "voicestream.agents", "voicestream.agents.deliver"),
        *("voicestream.agents.events", "voicestream.control", "voicestream.control.runtime"),
        "voicestream.control.folder",
    }
    assert {name for name in found if not name.startswith("voicestream")} <= {
        *("_json", "_socket", "_signal", "__future__", "binascii", "fcntl", "gc", "select"),
    }


@pytest.mark.parametrize("words", ["install nobody", "install", "off now", "dance"])
def test_a_person_who_types_it_is_told_what_it_is(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(["hook", *words.split()]) == 2
    assert "help agents" in capsys.readouterr().err
