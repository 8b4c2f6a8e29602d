"""A speech model that has been shut down: the Realtime API of the same endpoint takes over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support import tones
from tests.support.both import BothServers
from tests.support.canary import KEY
from tests.support.realtime_events import Asked, Step, speak
from tests.support.realtime_server import RealtimeServer
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.errors import EndpointError, ModelGoneError, ResponseError
from voicestream.notices import Notices
from voicestream.session.wiring import make_endpoint
from voicestream.settings.gone import gone_models
from voicestream.settings.table import Settings, load
from voicestream.speech.base import SpeechRequest

ERRORS: list[tuple[int, dict[str, Any]]] = [
    (404, {"error": {"message": "The model `x` does not exist or you do not have access to it."}}),
    (
        404,
        {"error": {"message": "No.", "type": "invalid_request_error", "code": "model_not_found"}},
    ),
    (403, {"error": {"message": "Project lacks access.", "code": "model_not_found"}}),
    (400, {"error": {"message": "The model `x` has been deprecated, learn more here: https://y"}}),
    (410, {"detail": "This model was shut down on a day in January."}),
    (404, {"detail": [{"msg": "model 'x' not found"}]}),
    (400, {"error": {"code": "unknown_model", "message": "Nope."}}),
]
OTHERS: list[tuple[int, dict[str, Any]]] = [
    (404, {"detail": "Not Found"}),
    (400, {"error": {"message": "The voice 'x' does not exist for this language."}}),
    (401, {"error": {"message": "The model does not exist for this key.", "code": "bad_key"}}),
    (503, {"error": {"message": "The model has been removed from memory; loading."}}),
]


def spoken(text: str) -> bytes:
    return tones.speech(text, 0.2).tobytes()


def honest(asked: Asked) -> Iterator[Step]:
    yield from speak(asked, spoken(asked.text))


@pytest.fixture
def _no_knowledge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def ask(settings: Settings, texts: list[str]) -> tuple[list[bytes], list[str]]:
    """All at once; the sound, and what was told."""
    notices = Notices()
    endpoint = make_endpoint(settings, notices)

    def one(text: str) -> bytes:
        request = SpeechRequest(text, settings.model, settings.voice, "pcm")
        return b"".join(endpoint.open(request))

    try:
        with ThreadPoolExecutor(len(texts)) as pool:
            return list(pool.map(one, texts)), notices.warnings
    finally:
        endpoint.close()


@pytest.mark.usefixtures("_no_knowledge")
@pytest.mark.parametrize(("status", "answer"), ERRORS)
def test_a_model_that_is_gone_costs_one_request_once(
    status: int, answer: dict[str, Any], tmp_path: Path
) -> None:
    environ = {"VOICESTREAM_API_KEY": KEY, "XDG_STATE_HOME": str(tmp_path)}
    texts = ["One, two.", "Three, four.", "Five, six."]
    with (
        ScriptedServer(Script.error(status, answer)) as speech,
        RealtimeServer(honest) as realtime,
        BothServers(speech, realtime) as both,
    ):
        flags = {"base_url": both.url, "retries": 0, "voice": "nova"}
        settings = load(flags, environ, tmp_path)
        sounds, told = ask(settings, texts)
        assert sounds == [spoken(text) for text in texts]
        assert len(speech.requests) == 1
        [line] = told
        assert "gpt-realtime-2.1-mini speaks from here on" in line
        assert {asked.voice for asked in realtime.asked} == {"coral"}

        # the next call knows
        later = load(flags, environ, tmp_path)
        assert (later.kind, later.model) == ("realtime", "gpt-realtime-2.1-mini")
        assert ask(later, ["Seven."]) == ([spoken("Seven.")], [])
        assert len(speech.requests) == 1
        assert {shake.path for shake in realtime.handshakes} == {
            "/v1/realtime?model=gpt-realtime-2.1-mini"
        }
    assert gone_models() == {(both.url, "gpt-4o-mini-tts")}


@pytest.mark.usefixtures("_no_knowledge")
@pytest.mark.parametrize(("status", "answer"), OTHERS)
def test_other_refusals_are_told_as_they_are(status: int, answer: dict[str, Any]) -> None:
    with (
        ScriptedServer(Script.error(status, answer)) as speech,
        RealtimeServer(honest) as realtime,
        BothServers(speech, realtime) as both,
    ):
        settings = Settings(base_url=both.url, api_key=KEY, retries=0)
        with pytest.raises(ResponseError) as caught:
            ask(settings, ["One."])
        assert type(caught.value) is not ModelGoneError
        assert not realtime.handshakes
    assert not gone_models()


@pytest.mark.usefixtures("_no_knowledge")
def test_a_model_that_was_chosen_is_not_replaced() -> None:
    with (
        ScriptedServer(Script.error(*ERRORS[0])) as speech,
        RealtimeServer(honest) as realtime,
        BothServers(speech, realtime) as both,
    ):
        settings = Settings(base_url=both.url, api_key=KEY, retries=0, model="gpt-4o-mini-tts")
        with pytest.raises(ModelGoneError, match="Set --model"):
            ask(settings, ["One."])
        assert not realtime.handshakes


@pytest.mark.usefixtures("_no_knowledge")
def test_without_a_realtime_api_the_refusal_of_the_model_is_told() -> None:
    with ScriptedServer(Script.error(*ERRORS[1])) as speech:
        with pytest.raises(EndpointError) as caught:
            ask(Settings(base_url=speech.url, retries=0), ["One."])
        assert type(caught.value) is ModelGoneError
    assert not gone_models()


@pytest.mark.usefixtures("_no_knowledge")
def test_a_model_that_lives_is_asked_and_nobody_else() -> None:
    def answer(request: Request) -> Script:
        assert request.json["model"] == "gpt-4o-mini-tts"
        return Script(spoken(request.json["input"]))

    with (
        ScriptedServer(answer) as speech,
        RealtimeServer(honest) as realtime,
        BothServers(speech, realtime) as both,
    ):
        assert ask(Settings(base_url=both.url), ["A.", "B."]) == ([spoken("A."), spoken("B.")], [])
        assert not realtime.handshakes


@pytest.mark.usefixtures("_no_knowledge")
@pytest.mark.parametrize("content", [b"", b"[", b"{}", b'{"gone": 7}', b'{"gone": [1]}', b"\xff"])
def test_a_damaged_file_says_nothing(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "voicestream"
    folder.mkdir()
    (folder / "gone-models.json").write_bytes(content)
    assert gone_models() == frozenset()
    (folder / "gone-models.json").write_text(json.dumps({"gone": [["a", "b"]]}))
    assert gone_models() == {("a", "b")}
