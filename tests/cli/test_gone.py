"""A model that is gone costs one request, once: the next process knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.cli.command import Call, run
from tests.support import tones
from tests.support.both import BothServers
from tests.support.realtime_events import Asked, Step, speak
from tests.support.realtime_server import RealtimeServer
from tests.support.script import Script
from tests.support.server import ScriptedServer

GONE = {"error": {"message": "The model does not exist.", "code": "model_not_found"}}


def honest(asked: Asked) -> Iterator[Step]:
    yield from speak(asked, tones.speech(asked.text, 0.2).tobytes())


def test_the_next_process_asks_the_realtime_api_at_once(tmp_path: Path) -> None:
    with (
        ScriptedServer(lambda _: Script.error(404, GONE)) as speech,
        RealtimeServer(honest) as realtime,
        BothServers(speech, realtime) as both,
    ):
        environ = {"VOICESTREAM_DEVICE": "null", "XDG_STATE_HOME": str(tmp_path / "state")}
        arguments = ["say", "One, two. Three, four. Five.", "--base-url", both.url]
        first, second = (run(Call(arguments, environ), tmp_path) for _ in range(2))
        doctor = run(Call(["doctor", "--free", "--base-url", both.url], environ), tmp_path)
        spoken = [asked.text for asked in realtime.asked]
        posts = [request for request in speech.requests if request.method == "POST"]
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert len(posts) == 1
    assert spoken[: len(spoken) // 2] == spoken[len(spoken) // 2 :]
    assert len([line for line in first.err.splitlines() if "speaks from here on" in line]) == 1
    assert "speaks from here on" not in second.err
    assert b"gpt-4o-mini-tts was shut down there" in b" ".join(doctor.out.split())
