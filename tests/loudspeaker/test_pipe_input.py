"""What bad input gets: silence, noise, no end, no content, no reader."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support import command, tones
from tests.support.piped import Piped
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

NULL = ("--device", "null", "--panel", "off")
CONTROLS = {chr(code) for code in [*range(32), 127, *range(128, 160)]} - set("\n\t")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return command.environment(tmp_path)


def short(_: Request) -> Script:
    """A short sound at once, for any text."""
    return Script(tones.tone(1, 0.1).tobytes())


def inputs(server: ScriptedServer) -> list[str]:
    return [request.json["input"] for request in server.requests]


def test_a_silent_writer_costs_no_processor_time(env: dict[str, str], tmp_path: Path) -> None:
    with (
        ScriptedServer(short) as server,
        Piped(*NULL, "--base-url", server.url, env=env, cwd=tmp_path) as piped,
    ):
        used_s, settled_s = -1.0, time.monotonic()
        while time.monotonic() - settled_s < 0.5:  # everything is loaded once it has grown quiet
            if piped.cpu_s() != used_s:
                used_s, settled_s = piped.cpu_s(), time.monotonic()
            time.sleep(0.05)
        before_s = piped.cpu_s()
        assert before_s > 0.05
        time.sleep(1)
        assert piped.cpu_s() - before_s < 0.05
        piped.write("Now there is something to say.")
        assert server.wait_request().json["input"].startswith("Now")
        piped.process.send_signal(signal.SIGINT)
        code, _, err = piped.end()
    assert code == 130, err


def test_an_endless_text_without_a_sentence_end_is_spoken_in_pieces(
    env: dict[str, str], tmp_path: Path
) -> None:
    words = (f"word{number} " for number in count())
    with (
        ScriptedServer(short) as server,
        Piped(*NULL, "--base-url", server.url, env=env, cwd=tmp_path) as piped,
    ):
        piped.write_tokens((next(words) * 50 for _ in count()), rate_hz=None)
        server.wait_request(6)
        early_bytes = piped.memory_bytes()
        server.wait_request(16)
        grown_bytes = piped.memory_bytes() - early_bytes
        piped.process.send_signal(signal.SIGTERM)
        code, _, err = piped.end()
        assert piped.reader_gone.wait(10)
    assert code == 143, err
    assert all(0 < len(text) <= 4096 for text in inputs(server))
    assert grown_bytes < 8 << 20
    # the writer had to wait: a full pipe, a full queue and what was spoken, not more
    assert piped.written_bytes < 1 << 20


def test_binary_input_is_neither_sent_nor_shown_raw(env: dict[str, str], tmp_path: Path) -> None:
    noise = random.Random(7).randbytes(2000)
    with ScriptedServer(short) as server:
        done = command.run(
            "say", *NULL, "--base-url", server.url, env=env, cwd=tmp_path, stdin=noise
        )
    assert done.returncode == 2
    assert b"this is no text" in done.stderr
    assert not server.requests
    assert not CONTROLS & set(done.stderr.decode())


@pytest.mark.parametrize("panel", ["on", "off"])
def test_control_characters_and_escapes_reach_neither_the_endpoint_nor_the_terminal(
    panel: str, env: dict[str, str], tmp_path: Path
) -> None:
    hostile = (
        "\x1b[31mRed\x1b[0m is number 1 here.\x07 \x1b]0;owned\x07The 2 has\x00 a title\x9b5m. "
        "\x1b]8;;http://evil\x1b\\A link\x1b]8;;\x1b\\ for 3.\r\n"
    )

    def answer(request: Request) -> Script:
        if "3" in request.json["input"]:
            return Script.error(500, "\x1b[2Jgone \x07")
        return short(request)

    with ScriptedServer(answer) as server:
        done = command.run(
            *("say", "--device", "null", "--panel", panel, "--base-url", server.url),
            *("--batch-above-s", "600", "--echo"),
            env=env,
            cwd=tmp_path,
            stdin=hostile.encode(),
        )
    said = "".join(inputs(server))
    assert not CONTROLS & set(said)
    for leftover in ("[31m", "owned", "evil", "]8", "5m"):
        assert leftover not in said
    assert "Red is number 1 here." in said
    assert done.stdout
    assert not CONTROLS & set(done.stdout.decode())
    if panel == "off":
        assert not CONTROLS & set(done.stderr.decode())
    assert b"\x07" not in done.stderr
    assert b"\x1b[2J" not in done.stderr
    assert b"\x1b]" not in done.stderr


@pytest.mark.parametrize("nothing", [b"", b" \n\t ", b"***\n---\n", b"\xef\xbb\xbf", b"\x1b[0m"])
def test_an_empty_pipe_is_a_mistake(nothing: bytes, env: dict[str, str], tmp_path: Path) -> None:
    with ScriptedServer(short) as server:
        done = command.run(
            "say", *NULL, "--base-url", server.url, env=env, cwd=tmp_path, stdin=nothing
        )
    assert done.returncode == 2
    assert b"nothing to say" in done.stderr
    assert server.requests == []


def test_echo_passes_the_text_on_in_order_as_it_is_heard(
    env: dict[str, str], tmp_path: Path
) -> None:
    text = "First comes the number 1, then 2. After it comes the 3 alone. The 4 is last of all."
    with (
        ScriptedServer(short) as server,
        Piped(*NULL, "--echo", "--base-url", server.url, env=env, cwd=tmp_path) as piped,
    ):
        piped.write_tokens(tones.tokens(text), rate_hz=100)
        assert piped.process.stdout is not None
        first = piped.process.stdout.read(5)  # while the rest is not even written
        assert first == b"First"
        code, rest, err = piped.end()
    assert code == 0, err
    assert (first + rest).decode() == text + "\n"


def test_a_reader_of_the_echo_who_goes_ends_it(env: dict[str, str], tmp_path: Path) -> None:
    def sentences() -> Iterator[str]:
        for number in count(1):
            yield f"This is the sentence of number {number}. "

    with (
        ScriptedServer(short) as server,
        Piped(*NULL, "--echo", "--base-url", server.url, env=env, cwd=tmp_path) as piped,
    ):
        piped.write_tokens(sentences(), rate_hz=50)
        assert piped.process.stdout is not None
        assert piped.process.stdout.read(4) == b"This"
        piped.process.stdout.close()
        code = piped.process.wait(20)
        assert piped.process.stderr is not None
        err = piped.process.stderr.read()
        assert piped.reader_gone.wait(10)
    assert code == 141
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


def test_quoted_speech_gets_a_voice_of_its_own(env: dict[str, str], tmp_path: Path) -> None:
    text = 'He asked: "Is this the number 1?" She laughed at that. "No, it is 2." And that was it.'
    with ScriptedServer(short) as server:
        done = subprocess.run(
            command.command("say", *NULL, "--voices", "n,a,b", "--base-url", server.url),
            input=text.encode(),
            env=env,
            cwd=tmp_path,
            capture_output=True,
            timeout=50,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    voices = {request.json["input"]: request.json["voice"] for request in server.requests}
    in_order = sorted(voices, key=lambda said: text.index(said[:8]))
    assert [voices[said] for said in in_order] == ["n", "a", "n", "b", "n"]
