"""What a call through the engine does is what it does without one."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import command, sound
from tests.support.agents import agent
from tests.support.engine import Engine
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.cli.commands import COMMANDS
from voicestream.cli.engine.front import _NOT_SPOKEN
from voicestream.cli.verbs import VERBS
from voicestream.engine.place import VERSION

RAMP = sound.ramp(12_000)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ScriptedServer(lambda _: Script(RAMP.tobytes(), rate_bytes_per_s=400_000)) as server:
        yield server.url


def both(
    running: Engine, *arguments: str, stdin: bytes = b"", **more: str
) -> Iterator[tuple[int, str, bytes, dict[str, bytes]]]:
    """Exit code, stderr, stdout and files: through the engine first, then without it."""
    for name, env in (("engine", {}), ("cold", {"VOICESTREAM_ENGINE": "off"})):
        env = {**running.env, **env, **more}
        for _ in range(5):  # an engine that is too busy to greet in time speaks for nobody
            folder = running.folder / f"{name}-{time.monotonic_ns()}"
            folder.mkdir()
            wanted = running.calls + (name == "engine")
            done = command.run(*arguments, env=env, cwd=folder, stdin=stdin)
            if running.calls == wanted:
                break
        assert running.calls == wanted
        files = {file.name: file.read_bytes() for file in folder.iterdir()}
        yield done.returncode, done.stderr.decode(), done.stdout, files


def test_files_figures_and_exit_code_are_the_same(running: Engine, url: str) -> None:
    there, here = both(
        *(running, "say", "One. Two.", "--json", "--save", "out.wav", "--base-url", url),
        *("--subtitles", "out.srt"),
    )
    assert there[0] == here[0] == 0
    assert there[3]["out.wav"] == here[3]["out.wav"]
    assert set(there[3]) == set(here[3]) == {"out.wav", "out.srt"}
    one, other = json.loads(there[2]), json.loads(here[2])
    assert one.keys() == other.keys()
    assert (one["spoken"], one["completed"]) == (other["spoken"], other["completed"])
    assert 0 < one["timeline_ms"]["request_sent"] < one["ttfa_ms"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["say", ""], 2),
        (["say", "Hello.", "--tempo", "nine"], 2),
        (["say", "--nonsense"], 2),
        (["sya"], 2),
        (["say", "Hello.", "--base-url", "http://127.0.0.1:9/v1", "--retries", "0"], 3),
        (["say", "Hello.", "-o", "missing/out.wav"], 1),
        (["say", "-f", "missing.txt"], 2),
    ],
)
def test_what_fails_fails_alike(running: Engine, arguments: list[str], code: int) -> None:
    there, here = both(running, *arguments)
    assert there[0] == here[0] == code
    # each has a folder of its own
    told = [re.sub(r"/(engine|cold)-\d+/", "/", str(one[1:3])) for one in (there, here)]
    assert told[0] == told[1]


@pytest.mark.parametrize("engine", ["off", ""])
def test_what_was_spoken_well_is_well_though_nobody_reads_the_panel(
    running: Engine, url: str, engine: str
) -> None:
    """As where its terminal is closed, and it was told to outlive that."""
    reading, writing = os.pipe()
    os.close(reading)
    env = {**running.env, "VOICESTREAM_BASE_URL": url, "VOICESTREAM_ENGINE": engine}
    words = command.command("say", "Hello.", "--panel", "on")
    ended = subprocess.run(words, env=env, cwd=running.folder, stderr=writing, timeout=50)
    os.close(writing)
    assert ended.returncode == 0


def test_stdin_variables_and_mask_are_the_callers(running: Engine, url: str) -> None:
    text = "Une phrase dite à voix haute.\n".encode("latin-1")
    env = {"VOICESTREAM_BASE_URL": url, "VOICESTREAM_VOICE": "other"}
    with ScriptedServer(lambda _: Script(RAMP.tobytes())) as server:
        env["VOICESTREAM_BASE_URL"] = server.url
        before = os.umask(0o027)
        try:
            there, here = both(running, "--save", "a.wav", stdin=text, **env)
        finally:
            os.umask(before)
        asked = [(r.json["voice"], r.json["input"]) for r in server.requests]
    assert there[0] == here[0] == 0, there[1]
    assert set(Counter(asked).values()) == {2}
    assert {voice for voice, _ in asked} == {"other"}
    folders = list(running.folder.glob("*/a.wav"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in folders} == {0o640}


def test_what_a_pipe_writes_is_spoken_while_it_is_written(running: Engine) -> None:
    with ScriptedServer(lambda _: Script(RAMP.tobytes())) as server:
        env = {**running.env, "VOICESTREAM_BASE_URL": server.url}
        with command.start(env=env, cwd=running.folder, stdin=-1) as process:
            assert process.stdin is not None
            process.stdin.write(b"The first sentence is here. ")
            process.stdin.flush()
            assert server.wait_request().json["input"] == "The first sentence is here."
            process.stdin.write(b"And the last one.")
            process.stdin.close()
            assert process.wait(30) == 0
            process.stdin = None


def speaking(running: Engine, server: ScriptedServer, *more: str) -> Any:
    """A speech of a minute, which has begun."""
    process = running.start(server, "say", "Hello.", *more)
    running.until(1)
    return process


def minute(_: Request) -> Script:
    return Script(sound.speechlike(1.0).tobytes() * 60, rate_bytes_per_s=4 * 48_000)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_speech_with_its_code(running: Engine, number: signal.Signals) -> None:
    with ScriptedServer(minute) as server, speaking(running, server) as process:
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 128 + number, err
        running.until(0)


def test_a_caller_that_is_killed_takes_its_speech_along(running: Engine) -> None:
    with ScriptedServer(minute) as server, speaking(running, server) as process:
        process.kill()
        process.wait()
        running.until(0)


def test_an_engine_of_another_setting_is_not_used(running: Engine, url: str) -> None:
    """The config file says so, which the front has not read."""
    home = running.folder / "other"
    config = home / ".config" / "voicestream"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(f'engine = "off"\nbase_url = "{url}"\n')
    env = {**running.env, "HOME": str(home)}
    done = command.run("say", "Hello.", "--json", env=env, cwd=home)
    assert (done.returncode, command.figures(done)["completed"]) == (0, True)


def test_a_hooks_speaker_comes_from_the_engine_and_outlives_its_process(running: Engine) -> None:
    """Where that is killed, the next one takes its socket over: nothing is lost."""
    with ScriptedServer(lambda _: Script(RAMP.tobytes())) as server:
        env = {**running.env, "VOICESTREAM_BASE_URL": server.url}
        with agent(env, running.folder) as one:
            for asked in range(1, 6):  # see ``both``
                before = running.calls
                one.hook({"hook_event_name": "Notification", "session_id": "s", "message": "One."})
                assert server.wait_request(asked).json["input"] == "One."
                if running.calls > before:
                    break
                one.end("s")
            (speaker,) = running.speaking()
            os.kill(speaker, signal.SIGKILL)
            running.until(0)
            one.hook({"hook_event_name": "Notification", "session_id": "s", "message": "Two."})
            assert server.wait_request(asked + 1).json["input"] == "Two."
            one.end("s")


def test_the_front_knows_what_speaks_and_which_version_it_is() -> None:
    from importlib.metadata import version

    assert version("voicestream") == VERSION
    first = {name.partition(" ")[0] for name in COMMANDS} | set(VERBS)
    hidden = {"_complete", "_spare", "-h", "--help", "--help-all", "-V", "--version"}
    assert _NOT_SPOKEN - hidden == first - {"say", "ask", "again"}
