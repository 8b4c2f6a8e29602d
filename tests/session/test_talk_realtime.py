"""A conversation speech to speech: a scripted server on a real socket, a simulated device."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import voicestream
from tests.session.test_talk import _WAIT_S, FakeHearing
from tests.support import tones
from tests.support.canary import KEY
from tests.support.dialogue_server import DialogueServer
from tests.support.realtime_events import Asked, Step, pcm, speak
from voicestream.errors import EndpointError, KeyRefusedError, VoicestreamError
from voicestream.listen.convert import RATE_HZ
from voicestream.pcm import Frames16, PcmFormat
from voicestream.session.answers import transcriber_of
from voicestream.session.conversation import Utterance
from voicestream.session.talk_realtime import RealtimeTalk

LOUD = (3000 * np.sin(np.arange(RATE_HZ) / 10)).astype(np.int16)
QUIET = np.zeros(RATE_HZ, np.int16)
LONG = "One and two and three and four and five and six and seven and eight and nine and ten."


class Room:
    """A conversation, and the server it is held with."""

    def __init__(self, server: DialogueServer, by_hand: bool = False, **more: Any) -> None:
        self.told: list[Utterance | str | VoicestreamError] = []
        self._changed = threading.Condition()
        self.server = server
        settings = {"base_url": server.url, "device": "null", "api_key": KEY, **more}
        self.talk = RealtimeTalk(voicestream.Settings(**settings), self._tell, "Be brief.", by_hand)
        hearing: Any = self.talk._hearing
        self.hearing: FakeHearing = hearing

    def _tell(self, told: Utterance | str | VoicestreamError) -> None:
        with self._changed:
            self.told.append(told)
            self._changed.notify_all()

    def __enter__(self) -> Room:
        self.talk.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.talk.interrupt()
        assert self.talk.wait(_WAIT_S)
        self.server.close()

    def wait_told(self, count: int) -> list[Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, _WAIT_S), self.told
        return [(t.role, t.text) if isinstance(t, Utterance) else str(t) for t in self.told[:count]]

    def wait_heard(self, seconds: float) -> None:
        """Wait until so much of the answer was heard."""
        while (session := self.talk._session) is None or (
            session.metrics.snapshot().played_s < seconds
        ):
            assert not self.talk.wait(0.005)
        assert self.talk.floor == "speaking"

    def hears(self, sound: Frames16) -> None:
        for start in range(0, len(sound), 320):
            self.hearing.on_sound(sound[start : start + 320])  # type: ignore[attr-defined]

    def says(self, sound: Frames16 = LOUD) -> None:
        """A person says this, and is silent."""
        self.hears(QUIET)
        self.hearing.speech(sound[:0])
        self.hears(np.concatenate((sound, QUIET)))
        self.hearing.on_turn(sound)


@pytest.fixture(autouse=True)
def _hearing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicestream.session.conversation.Hearing", FakeHearing)
    monkeypatch.setattr("voicestream.session.conversation.require_libraries", lambda: None)


def brief(asked: Asked) -> Iterator[Step]:
    return speak(asked, pcm(tones.speech("Yes.", 0.3)), f"To {asked.text}")


def lengthy(asked: Asked) -> Iterator[Step]:
    if asked.response_id.endswith("_0"):
        return speak(asked, pcm(tones.speech(LONG, 5.0)), LONG)
    return brief(asked)


def test_what_is_said_or_typed_is_answered_and_nothing_is_sent_before_speech() -> None:
    with Room(DialogueServer(brief), language="de-DE", voice="cedar") as room:
        room.hears(np.concatenate((QUIET, LOUD, QUIET)))  # nobody was sure that this is speech
        room.says()
        first = [("user", "Turn 0."), ("assistant", "To Turn 0.")]
        assert room.wait_told(2) == first
        room.talk.type(" Bye. ")
        assert room.wait_told(4) == [*first, ("user", "Bye."), ("assistant", "To Bye.")]
        assert [tuple(m.values()) for m in room.talk.messages][2:] == room.wait_told(4)[2:]
        (turn,) = room.server.turns
        assert len(turn) / 48_000 == pytest.approx(0.8 + 1.0 + 0.65, abs=0.1)
        wanted = room.server.sessions[0]["session"]
        assert wanted["instructions"] == "Be brief."
        assert wanted["audio"]["output"]["voice"] == "cedar"
        assert wanted["audio"]["input"]["transcription"]["language"] == "de"
        assert wanted["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 650
        assert room.server.handshakes[0].headers["authorization"] == f"Bearer {KEY}"
        assert not room.server.of_kind("conversation.item.truncate")


def test_who_interrupts_hears_no_more_and_the_server_is_told_what_was_heard() -> None:
    with Room(DialogueServer(lengthy)) as room:
        room.says()
        room.wait_heard(1.0)
        assert "One and two" in room.talk.speaking
        room.says()
        told = room.wait_told(4)
        heard = told[1][1]
        assert heard.startswith("One and")
        assert LONG.startswith(heard)
        assert "ten" not in heard
        assert isinstance(room.told[1], Utterance)
        assert not room.told[1].completed
        (cut,) = room.server.of_kind("conversation.item.truncate")
        assert cut["item_id"] == "item_resp_0_0"
        assert 1000 <= cut["audio_end_ms"] < 4000
        kinds = [event["type"] for event in room.server.events]
        assert told[2:] == [("user", "Turn 1."), ("assistant", "To Turn 1.")]
        assert kinds.count("conversation.item.truncate") == 1


def test_who_types_into_an_answer_that_is_being_made_is_answered_too() -> None:
    def slow(asked: Asked) -> Iterator[Step]:
        if asked.text == "Count.":
            return speak(asked, pcm(tones.speech(LONG, 5.0)), LONG, rate_bytes_per_s=48_000)
        return brief(asked)

    with Room(DialogueServer(slow)) as room:
        room.talk.type("Count.")
        room.wait_heard(0.5)
        over = room.talk.type("Enough!")
        assert over.wait(_WAIT_S)
        assert room.wait_told(4)[2:] == [("user", "Enough!"), ("assistant", "To Enough!")]
        assert room.server.asked[0].cancelled_s is not None


def test_a_turn_by_hand_ends_when_that_is_said() -> None:
    with Room(DialogueServer(brief), by_hand=True) as room:
        room.says()
        assert room.wait_told(2) == [("user", "Turn 0."), ("assistant", "To Turn 0.")]
        assert len(room.server.turns[0]) / 48_000 == pytest.approx(0.8 + 2.0, abs=0.1)
        assert room.server.sessions[0]["session"]["audio"]["input"]["turn_detection"] is None


def test_what_is_no_speech_to_the_server_is_forgotten_there() -> None:
    with Room(DialogueServer(brief)) as room:
        room.server.deaf = True
        room.says()
        room.server.wait(lambda: bool(room.server.of_kind("input_audio_buffer.clear")))
        room.server.deaf = False
        room.says()
        assert room.wait_told(1) == [("user", "Turn 0.")]
        assert len(room.server.turns) == 1


def test_what_fails_is_told_and_the_conversation_goes_on() -> None:
    def limited(asked: Asked) -> Iterator[Step]:
        if asked.text == "One":
            error = {"code": "rate_limit_exceeded", "message": "slow down"}
            return speak(asked, b"", "", status="failed", error=error)
        if asked.text == "Two":
            return speak(asked, b"", "")
        return brief(asked)

    with Room(DialogueServer(limited, lambda _: None)) as room:
        assert room.talk.type("One").wait(_WAIT_S)
        assert "slow down" in room.wait_told(2)[1]
        assert room.talk.type("Two").wait(_WAIT_S)
        assert "no sound" in room.wait_told(4)[3]
        room.says()
        assert "not written down: too quiet" in room.wait_told(5)[4]
        assert room.wait_told(6)[5] == ("assistant", "To")


def test_a_server_that_is_there_but_does_not_answer_is_told_of() -> None:
    def silent(asked: Asked) -> Iterator[Step]:
        return brief(asked) if asked.text == "Now?" else iter(())

    # a server that is busy may take a second for its pong, and then seems gone
    with Room(DialogueServer(silent), timeout_s=5.0) as room:
        room.says()
        assert "does not answer this" in room.wait_told(2)[1]
        assert room.talk.floor != "thinking"
        assert room.talk.type("Now?").wait(_WAIT_S)
        assert room.wait_told(4)[3] == ("assistant", "To Now?")


def test_a_socket_that_breaks_ends_it_and_who_waits_goes_on() -> None:
    def endless(asked: Asked) -> Iterator[Step]:
        return iter([*list(brief(asked))[:5], (0.0, "stall")])

    with Room(DialogueServer(endless)) as room:
        over = room.talk.type("Hello?")
        room.server.wait(lambda: bool(room.server.asked))
        room.server.cut()
        assert room.talk.wait(_WAIT_S)
        assert over.wait(_WAIT_S)
        assert room.talk.failure is not None
        assert room.talk.failure.exit_code == 3
        assert "ended" in str(room.talk.failure)


@pytest.mark.parametrize("late", [True, False])
def test_a_key_that_is_refused_ends_it(late: bool) -> None:
    body = b'{"error": {"message": "no such key", "code": "invalid_api_key"}}'
    error = {"code": "invalid_api_key", "message": f"no such key as {KEY}"}
    server = DialogueServer(
        brief,
        refuse=lambda _: None if late else (401, body),
        on_session=lambda _: error if late else None,
    )
    with Room(server) as room:
        assert room.talk.wait(_WAIT_S)
        assert isinstance(room.talk.failure, KeyRefusedError)
        assert KEY not in str(room.talk.failure)


def test_a_conversation_that_the_server_ends_goes_on_in_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("voicestream.session.exchange._RENEWED_S", 0.0)
    with Room(DialogueServer(brief)) as room:
        assert room.talk.type("One").wait(_WAIT_S)
        room.server.expire()
        assert "goes on in another" in room.wait_told(3)[2]
        assert room.talk.type("Two").wait(_WAIT_S)
        items = [event["item"] for event in room.server.of_kind("conversation.item.create")]
        found = [(item["role"], item["content"][0]["text"]) for item in items]
        assert found == [("user", "One"), ("user", "One"), ("assistant", "To One"), ("user", "Two")]
        assert len(room.server.handshakes) == 2


def test_without_a_server_there_is_no_conversation() -> None:
    with pytest.raises(voicestream.VoicestreamError, match="wss://") as raised:
        RealtimeTalk(voicestream.Settings(base_url="embedded:"), print)
    assert raised.value.exit_code == 2


def test_what_is_said_may_be_written_down_over_a_socket_that_is_kept() -> None:
    words = {0: "Who is it?", 1: "Well?"}
    with_socket = DialogueServer(brief, words.get)
    sound, pcm_16 = LOUD.tobytes(), PcmFormat(RATE_HZ)
    with with_socket as server:
        settings = voicestream.Settings(
            base_url="http://127.0.0.1:9/v1", transcribe_base_url=server.url, language="de"
        )
        transcriber = transcriber_of(settings)
        assert transcriber.text_of(sound, pcm_16) == "Who is it?"
        assert transcriber.text_of(sound, pcm_16) == "Well?"
        assert len(server.handshakes) == 1
        assert server.handshakes[0].path == "/v1/realtime?intent=transcription"
        wanted = server.sessions[0]["session"]
        assert wanted["type"] == "transcription"
        assert wanted["audio"]["input"]["transcription"]["language"] == "de"
        assert len(server.turns[0]) / 48_000 == pytest.approx(1.0, abs=0.06)
        with pytest.raises(EndpointError, match="too quiet"):
            transcriber.text_of(sound, pcm_16)
        words[3] = "Again."
        assert transcriber.text_of(sound, pcm_16) == "Again."  # over another one
        server.cut()
        words[4] = "Still here."
        assert transcriber.text_of(sound, pcm_16) == "Still here."
        transcriber.close()
