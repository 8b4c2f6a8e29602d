"""Foreign text on its way to a terminal: nothing in it steers one, wherever it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Call, run
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.support.sound import ramp
from voicestream.printable import DIRTY

EVIL = "\x1b]0;title\x07\x1b[2J\x9b31m\u202eolleh\u2066\u200b\x7f\x85\u2028\U000e0041\ufeff"
"""A terminal's title, its screen, its colours, the direction of the line, and what is not seen."""
NULL = ["--device", "null", "--panel", "off"]
SOUND = Script(ramp(600).tobytes())
TRACE = json.dumps({"name": f"a{EVIL}b", "sample_rate": 24_000, "arrivals": [[0.1, 9000]]})


def _event(fields: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


def _chat(request: Request) -> Script:
    if not request.path.endswith("/chat/completions"):
        return SOUND
    delta = {"choices": [{"index": 0, "delta": {"content": f"Yes, {EVIL} it is."}}]}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    body = _event(head | delta) + b"data: [DONE]\n\n"
    return Script(body, content_type="text/event-stream")


ERROR = {"error": {"message": f"no {EVIL} way", "code": EVIL}}
REPLIES: dict[str, Any] = {
    "401": Script.error(401, ERROR),
    "page": Script(f"<html>{EVIL}</html>".encode(), content_type="text/html"),
    "content type": Script(b"no sound", content_type="text/\x9b31m\x80"),
    "encoding": Script(b"no sound", headers={"Content-Encoding": "\x9b31m"}),
    "location": Script(b"", 307, headers={"Location": "http://\x9b31m/"}, framing="length"),
    "event": Script(
        _event({"type": "error", "message": f"x{EVIL}"}), content_type="text/event-stream"
    ),
}
CALLS = {
    "an option": ["say", f"--no{EVIL}such", "Hi."],
    "a command": [f"no{EVIL}such"],
    "a voice": ["config", "--voice", f"a{EVIL}b"],
    "an address": ["say", "Hi.", "--base-url", f"http://h{EVIL}/v1"],
    "a text file": ["say", "-f", f"no{EVIL}such.txt", *NULL],
    "a place to save": ["say", "Hi.", "--save", f"no/{EVIL}.wav", *NULL],
    "a device": ["say", "Hi.", "--device", f"no{EVIL}such"],
    "a key file": ["say", "Hi.", "--api-key-file", f"no{EVIL}such"],
    "a trace": ["trace", "replay", "trace.json"],
    "the config file": ["config"],
}


def harmless(written: str | bytes) -> bool:
    text = written.decode() if isinstance(written, bytes) else written
    return DIRTY.search(text.replace("\n", "")) is None


@pytest.mark.parametrize("name", REPLIES)
def test_what_a_server_says(name: str, tmp_path: Path) -> None:
    with ScriptedServer(lambda _: REPLIES[name]) as server:
        ended = run(
            Call(["say", f"Hi{EVIL} you.", "--base-url", server.url, "--json", *NULL]), tmp_path
        )
    assert harmless(ended.err)
    assert harmless(ended.out)
    assert json.loads(ended.out)["errors"]
    assert len(ended.err.splitlines()) == len(ended.errors) == 1


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_what_a_server_calls_its_voices(as_json: list[str], tmp_path: Path) -> None:
    voices = {"voices": [{"id": f"a{EVIL}b", "name": f"n{EVIL}"}, f"c{EVIL}\nd"]}
    with ScriptedServer(Script(json.dumps(voices).encode(), content_type="application/json")) as it:
        ended = run(Call(["voices", "--base-url", it.url, *as_json]), tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert harmless(ended.out)
    assert as_json or len(ended.out.splitlines()) == 2


def test_what_a_model_writes(tmp_path: Path) -> None:
    with ScriptedServer(_chat) as server:
        ended = run(Call(["ask", "Why?", "--echo", "--base-url", server.url, *NULL]), tmp_path)
    assert ended.code == 0
    assert ended.out.decode().split() == "Yes, olleh it is.".split()
    assert harmless(ended.out)
    assert harmless(ended.err)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_typed_and_what_stands_in_files(name: str, tmp_path: Path) -> None:
    files = {"trace.json": TRACE}
    if name == "the config file":
        files[".config/voicestream/config.toml"] = f"{json.dumps(EVIL[:-2])} = 1"
    ended = run(Call(CALLS[name], files=files), tmp_path)
    assert harmless(ended.err)
    assert harmless(ended.out)
    assert ended.err or ended.out


def test_figures_keep_what_they_escape(tmp_path: Path) -> None:
    """Joiners are part of Persian spelling: they are escaped, not lost."""
    with ScriptedServer(SOUND) as server:
        words = "می\u200cخواهم."
        call = Call(["say", words, "--base-url", server.url, "--json", *NULL])
        ended = run(call, tmp_path)
    assert harmless(ended.out)
    assert json.loads(ended.out)["spoken"] == words
