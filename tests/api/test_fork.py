"""A program that forks while it speaks: its child fails plainly or works, and harms nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support import command, tones
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

PROGRAM = """
import json, os, sys, threading, voicestream

settings = voicestream.Settings(base_url=sys.argv[1], device="null")
playing = threading.Event()
handle = voicestream.start("A long one.", settings, lambda event: playing.set())
assert playing.wait(20)

def say():
    return voicestream.say("A short one.", settings).completed

def tried(step):
    try:
        return str(step())
    except voicestream.VoicestreamError as error:
        return str(error)

def forked(steps):
    reading, writing = os.pipe()
    if not os.fork():
        os.write(writing, json.dumps({name: tried(step) for name, step in steps.items()}).encode())
        os._exit(0)
    os.close(writing)
    return json.loads(os.read(reading, 65536))

amid = {"wait": handle.wait, "wait a while": lambda: handle.wait(1), "result": handle.result}
found = forked(amid | {"interrupt": handle.interrupt, "say": say})
found |= {"parent": handle.result().completed} | forked({"say afterwards": say})
print(json.dumps(found))
"""


def answer(request: Request) -> Script:
    return Script(tones.tone(1, 1.0 if "long" in request.json["input"] else 0.1).tobytes())


def forked(program: str, url: str, folder: Path, **environ: str) -> dict[str, Any]:
    """What a program prints, as JSON; from Python 3.12 on it is warned of forks."""
    env = command.environment(folder, environ, {"PYTHONWARNINGS": "ignore"})
    done = subprocess.run(
        [sys.executable, "-c", program, url],
        env=env,
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == b""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_child_is_told_what_it_cannot_and_its_parent_speaks_on(tmp_path: Path) -> None:
    with ScriptedServer(answer) as server:
        found = forked(PROGRAM, server.url, tmp_path)
    for name in ("wait", "wait a while", "result"):
        assert "another process" in found[name]
    assert "forked amid a speech" in found["say"]
    assert (found["interrupt"], found["parent"]) == ("None", True)
    assert found["say afterwards"] == "True"
