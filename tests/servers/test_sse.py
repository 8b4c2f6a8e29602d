"""Speech in server-sent events: any cut, any of the known shapes, played as it arrives."""

from __future__ import annotations

import base64
import itertools
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.servers.said import assert_heard, assert_like, say, speak
from tests.support import sound
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.errors import ReplyError
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http import sse
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.endpoint import HttpEndpoint
from voicestream.speech.http.limits import Limits
from voicestream.speech.http.sse import EventParser, SpeechEvents, StreamEvent

RAMP = sound.ramp(1200)
PCM = RAMP.tobytes()
DONE: dict[str, Any] = {"type": "speech.audio.done", "usage": {"total_tokens": 7}}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def deltas(data: bytes, key: str = "audio", piece_bytes: int = 999) -> list[dict[str, Any]]:
    pieces = [data[at : at + piece_bytes] for at in range(0, len(data), piece_bytes)]
    return [{"type": "speech.audio.delta", key: b64(piece)} for piece in pieces]


def stream(*events: dict[str, Any] | str, end: str = "\n") -> bytes:
    lines = [e if isinstance(e, str) else f"data: {json.dumps(e)}{end}{end}" for e in events]
    return "".join(lines).encode()


def script(body: bytes, **more: object) -> Script:
    return Script(body, content_type="text/event-stream; charset=utf-8", **more)  # type: ignore[arg-type]


def parsed(pieces: list[bytes]) -> list[StreamEvent]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


_LINES = st.lists(
    st.one_of(
        st.sampled_from(["", "", "data", "data:", "data: x", "data:  y", "event: e", ": comment"]),
        st.sampled_from(["id: 1", "retry: 3", "\ufeffdata: b", "datax: 1", "data: \u2028z"]),
        st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=6),
    ),
    max_size=12,
)
_ENDS = st.sampled_from(["\n", "\r", "\r\n"])


@given(lines=_LINES, ends=st.lists(_ENDS, min_size=1, max_size=4), cuts=st.lists(st.integers(0)))
@example(lines=["data: a", "", "data: b", ""], ends=["\r\n"], cuts=[8, 9])
def test_any_cut_gives_the_same_events(lines: list[str], ends: list[str], cuts: list[int]) -> None:
    whole = "".join(line + ends[at % len(ends)] for at, line in enumerate(lines)).encode()
    marks = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    pieces = [whole[a:b] for a, b in itertools.pairwise(marks)]
    once = parsed([whole])
    assert parsed(pieces) == once
    assert parsed([whole[at : at + 1] for at in range(len(whole))]) == once


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("data: a\n\n", [("", "a")]),
        ("data: a\r\ndata: b\r\n\r\n", [("", "a\nb")]),
        ("event: x\rdata:a\r\r", [("x", "a")]),
        (": ping\n\ndata\n\n", [("", "")]),
        ("event: lost\n\ndata: a\n\n", [("", "a")]),
        ("\ufeffdata: a\n\n", [("", "a")]),
        ("data:  two blanks\n\n", [("", " two blanks")]),
        ("data: no end\n", []),
        ("id: 7\nretry: 1\nfoo: bar\ndata: a\n\n", [("", "a")]),
    ],
)
def test_the_rules_of_the_standard(text: str, events: list[tuple[str, str]]) -> None:
    found = [(event.name, event.data.decode()) for event in parsed([text.encode()])]
    assert found == events


def test_an_event_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    for line in (b"x" * 100, b"data: " + b"x" * 100 + b"\n"):
        parser = EventParser()
        for _ in range(9):
            assert parser.feed(line) == []
        with pytest.raises(ReplyError, match="too large"):
            parser.feed(line + line)


@given(cut=st.integers(1, 60), sizes=st.integers(1, 3000))
def test_any_cut_gives_the_same_sound(cut: int, sizes: int) -> None:
    whole = stream(": hello\n\n", *deltas(PCM, piece_bytes=sizes), DONE)
    events = SpeechEvents()
    heard = [s for at in range(0, len(whole), cut) for s in events.feed(whole[at : at + cut])]
    assert b"".join(heard) == PCM
    assert events.done


FLOATS = (RAMP / np.float32(32768)).astype("<f4").tobytes()


@pytest.mark.parametrize(
    "body",
    [
        stream(*deltas(PCM), DONE),
        stream(*deltas(PCM, "delta"), "data: [DONE]\n\n", end="\r\n"),
        stream(*deltas(FLOATS, "audio_data"), DONE),
        stream(*deltas(PCM, "audio_data"), DONE),
        stream(*({"audio": b64(PCM[at : at + 500])} for at in range(0, len(PCM), 500)), end="\r"),
        stream(": ping\n\n", {"type": "speech.text.delta", "delta": "aGk="}, *deltas(PCM), DONE),
        stream(
            "event: speech.audio.delta\n", {"audio": b64(PCM)}, "event: speech.audio.done\n", {}
        ),
        stream({**DONE, "audio": b64(PCM)}),
        stream(*deltas(PCM), {**DONE, "audio": b64(PCM)}),
        stream({"type": "speech.audio.delta", "audio": b64(PCM).rstrip("=").replace("+", "-")}),
        stream({"encoding": "float32", **deltas(FLOATS, piece_bytes=9999)[0]}),
    ],
    ids=[
        *("audio", "delta", "float32", "audio_data in s16", "bare", "other events", "named"),
        *("all at the end", "repeated at the end", "URL alphabet", "said to be float"),
    ],
)
def test_every_shape_in_the_wild_is_heard(body: bytes) -> None:
    """In this process: the way from events to the decoder's input."""
    with ScriptedServer(script(body, piece_bytes=(1, 700))) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url))
        reply = endpoint.open(SpeechRequest("Hi.", "model", "voice", "pcm"))
        heard = b"".join(reply)
        endpoint.close()
    as_float = "encoding=float32" in reply.content_type
    assert heard == (FLOATS if as_float else PCM)


def test_events_are_heard_by_the_command(tmp_path: Path) -> None:
    body = stream(*deltas(FLOATS, "audio_data"), DONE)
    said = say(script(body, piece_bytes=77), tmp_path, "--stream-format", "sse")
    assert said.requests[0].json["stream_format"] == "sse"
    assert_heard(said, RAMP)


def test_events_that_nobody_asked_for_are_heard_at_the_rate_they_tell(tmp_path: Path) -> None:
    body = stream(*({**event, "sample_rate": 16_000} for event in deltas(PCM)), DONE)
    said = speak(script(body), tmp_path)
    assert "stream_format" not in said.requests[0].json
    assert_heard(said, RAMP, 16_000)


def test_mp3_in_events(tmp_path: Path) -> None:
    voice = sound.speechlike(0.2)
    body = stream(*deltas(sound.mp3(voice), "delta", 333), DONE)
    assert_like(speak(script(body), tmp_path, "--format", "mp3"), voice, 1152)


def test_a_server_that_ignores_the_wish_is_heard(tmp_path: Path) -> None:
    assert_heard(speak(Script(PCM), tmp_path, "--stream-format", "sse"), RAMP)


def test_a_server_that_refuses_events_is_asked_without(tmp_path: Path) -> None:
    def answer(request: Request) -> Script:
        if "stream_format" in request.json:
            return Script.error(400, {"error": {"message": "x", "param": "stream_format"}})
        return Script(PCM)

    said = speak(answer, tmp_path, "--stream-format", "sse")
    assert said.formats == ["pcm", "pcm"]
    assert_heard(said, RAMP)


def test_sound_is_handed_on_before_the_stream_ends() -> None:
    first = stream(deltas(PCM)[0])
    hold = threading.Event()
    body = first + stream(DONE)
    with ScriptedServer(script(body, hold_at_bytes=len(first), hold=hold)) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url))
        pieces = iter(endpoint.open(SpeechRequest("Hi.", "model", "voice", "pcm")))
        assert next(pieces) == PCM[:999]
        hold.set()
        assert list(pieces) == []
        endpoint.close()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (stream({"type": "error", "error": {"message": "out of quota"}}), "out of quota"),
        (stream({"error": "overloaded"}), "overloaded"),
        (stream("event: error\ndata: broken\n\n"), "broken"),
        (stream(DONE), "no sound"),
        (b"", "no sound"),
        (stream({"type": "speech.audio.delta", "audio": "a"}), "base64"),
    ],
)
def test_what_goes_wrong_in_a_stream_is_told(body: bytes, words: str, tmp_path: Path) -> None:
    said = speak(script(body), tmp_path)
    assert said.run.code == 3
    assert words in said.run.errors[0]


def test_an_error_after_some_sound_leaves_what_came(tmp_path: Path) -> None:
    body = stream(*deltas(PCM[:1000]), {"type": "error", "message": "gone"})
    said = say(script(body), tmp_path)
    assert said.run.code == 3
    assert "gone" in said.run.errors[0]
    assert np.array_equal(said.samples.ravel(), RAMP[:500])


def _connections(script: Script, replies: int) -> int:
    """Over how many connections so many replies come, one after the other."""
    with ScriptedServer(script) as server:
        # whoever waits for an end that does not come waits longer than a test may take
        endpoint = HttpEndpoint(EndpointConfig(server.url, limits=Limits(stall_s=200)))
        for _ in range(replies):
            reply = endpoint.open(SpeechRequest("Hi.", "model", "voice", "pcm"))
            assert b"".join(reply) == PCM
            reply.close()
        endpoint.close()
        return len(server.connected_s)


def test_a_connection_is_kept_when_the_body_ends_with_its_last_event() -> None:
    assert _connections(script(stream(*deltas(PCM), DONE), piece_bytes=700), 3) == 1


def test_a_body_that_does_not_end_with_its_last_event_is_not_waited_for() -> None:
    body = stream(*deltas(PCM), DONE)
    endless = script(body, cut_after_bytes=len(body), cut="stall")
    assert _connections(endless, 2) == 2
