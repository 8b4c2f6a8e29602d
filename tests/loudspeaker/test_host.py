"""A program that speaks by the library: what is its own stays its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import command, tones
from tests.support.loudspeaker import Loudspeaker
from tests.support.script import Script
from tests.support.server import ScriptedServer

pytestmark = pytest.mark.usefixtures("_backend")

KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME")
LINES = 5000
WRITER = f"""
import os, sys, threading, voicestream

def write():
    for number in range({LINES}):
        os.write(2, b"%d\\n" % number)

settings = voicestream.Settings(
    base_url=sys.argv[1], backend=os.environ["VOICESTREAM_BACKEND"], device_wait_s=0.5
)
writer = threading.Thread(target=write)
writer.start()
try:
    print(voicestream.say("A tone.", settings).completed)
except voicestream.VoicestreamError as error:
    print(error)
writer.join()
"""
FORKER = """
import os, sys, voicestream

def say():
    try:
        print(voicestream.say("A tone.", settings).completed, flush=True)
    except voicestream.VoicestreamError as error:
        print(error, flush=True)

settings = voicestream.Settings(base_url=sys.argv[1], backend=os.environ["VOICESTREAM_BACKEND"])
say()
child = os.fork()
if not child:
    say()
    os._exit(0)
os.waitpid(child, 0)
"""
FORKS = {"PYTHONWARNINGS": "ignore"}  # from Python 3.12 on it is warned of
HEARD = Script(tones.tone(1, 0.3).tobytes())


def host(program: str, server: ScriptedServer, env: dict[str, str], cwd: Path) -> tuple[str, bytes]:
    """What a program writes on its stdout and on its descriptor 2."""
    done = subprocess.run(
        [sys.executable, "-c", program, server.url],
        env=env,
        cwd=cwd,
        capture_output=True,
        timeout=50,
        check=True,
    )
    return done.stdout.decode(), done.stderr


def test_all_that_a_program_writes_to_descriptor_2_arrives_and_nothing_else(
    loudspeaker: Loudspeaker, tmp_path: Path
) -> None:
    env = command.environment(tmp_path, {name: loudspeaker.env[name] for name in KEPT})
    with ScriptedServer(HEARD) as server:
        told, written = host(WRITER, server, env, tmp_path)
    assert told == "True\n"
    assert written == b"".join(b"%d\n" % number for number in range(LINES))


def test_nothing_is_written_there_where_no_sound_system_answers(tmp_path: Path) -> None:
    env = command.environment(tmp_path)
    (tmp_path / ".asoundrc").write_text("pcm.!default { type nonsense }\n")
    with ScriptedServer(HEARD) as server:
        told, written = host(WRITER, server, env, tmp_path)
    assert "device" in told
    assert written == b"".join(b"%d\n" % number for number in range(LINES))


def test_a_forked_child_is_told_that_the_sound_card_is_its_parents(
    loudspeaker: Loudspeaker, tmp_path: Path
) -> None:
    env = {name: loudspeaker.env[name] for name in KEPT}
    with ScriptedServer(HEARD) as server:
        told, written = host(FORKER, server, command.environment(tmp_path, env, FORKS), tmp_path)
    first, child = told.splitlines()
    assert first == "True"
    assert "forked" in child
    assert "spawn" in child
    assert written == b""
