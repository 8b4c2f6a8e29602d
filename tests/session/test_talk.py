"""A conversation in this process: scripted servers, turns from arrays, a simulated device."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import voicestream
from tests.cli.test_ask import chat
from tests.support import tones
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.errors import VoicestreamError
from voicestream.listen.hearing import Wanted
from voicestream.pcm import Frames16, PcmFormat
from voicestream.session.both_sides import BothSides
from voicestream.session.conversation import Utterance
from voicestream.session.talk import Talk
from voicestream.words import spoken_text

TURN = np.arange(16_000, dtype=np.int16)
_WAIT_S = 20.0


class FakeHearing:
    """In place of the process that listens."""

    open = True
    wish: bool | None = None

    def __init__(self, wanted: Wanted, on_speech: Callable[[Frames16], object], _: object) -> None:
        self.wanted = wanted
        self.speech = on_speech
        self.on_turn: Callable[[Frames16], object] = print
        self.on_sent: Callable[[PcmFormat, bytes], object] = print

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def reply(self) -> None: ...

    def says(self, sound: Frames16 = TURN) -> None:
        """A person says this."""
        self.speech(sound[:0])
        self.on_turn(sound)


class Room:
    """A conversation, and the servers it asks.

    Args:
        understood: what is written down of each turn, or how that fails.
        answers: of the model.
    """

    def __init__(self, understood: Sequence[str | Script], answers: Sequence[Script]) -> None:
        self._understood = iter(understood)
        self._answers = iter(answers)
        self.told: list[Utterance | str | VoicestreamError] = []
        self._changed = threading.Condition()
        self.server = ScriptedServer(self._answer)
        settings = voicestream.Settings(
            base_url=self.server.url, device="null", retries=0, language="de-DE"
        )
        self.talk = Talk(settings, self._tell, "Be brief.")
        hearing: Any = self.talk._hearing
        self.hearing: FakeHearing = hearing

    def _answer(self, request: Request) -> Script:
        if request.path.endswith("/transcriptions"):
            found = next(self._understood)
            if isinstance(found, Script):
                return found
            return Script(json.dumps({"text": found}).encode(), content_type="application/json")
        if request.path.endswith("/chat/completions"):
            return next(self._answers)
        return Script(tones.speech(request.json["input"], 0.3).tobytes())

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
        """The first so many things that were told; errors and utterances as their words."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, _WAIT_S), self.told
        return [(t.role, t.text) if isinstance(t, Utterance) else str(t) for t in self.told[:count]]

    def wait_heard(self, text: str) -> None:
        """Wait until the answer has been heard as far as the end of ``text``."""
        while (session := self.talk._session) is None or text not in spoken_text(
            session.metrics.snapshot()
        ):
            assert not self.talk.wait(0.005)
        assert self.talk.floor == "speaking"

    def asked(self) -> list[Any]:
        """The messages of each question, without the system's."""
        found = [r.json["messages"] for r in self.server.requests if "chat" in r.path]
        assert all(messages.pop(0)["content"] == "Be brief." for messages in found)
        return [[(m["role"], m["content"]) for m in messages] for messages in found]

    def said(self) -> list[str]:
        return [r.json["input"] for r in self.server.requests if "speech" in r.path]


@pytest.fixture(autouse=True)
def _hearing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicestream.session.conversation.Hearing", FakeHearing)
    monkeypatch.setattr("voicestream.session.conversation.require_libraries", lambda: None)


def test_what_is_said_or_typed_is_answered_with_all_that_was_said_before() -> None:
    with Room(["Who is it?"], [chat(["It is 1."]), chat(["Good", "-bye."])]) as room:
        room.hearing.says()
        first = [("user", "Who is it?"), ("assistant", "It is 1.")]
        assert room.wait_told(2) == first
        room.talk.type(" Then good-bye. \n")
        assert room.wait_told(4)[3] == ("assistant", "Good-bye.")
        assert room.talk.floor == "listening"
        assert room.asked() == [first[:1], [*first, ("user", "Then good-bye.")]]
        assert room.said() == ["It is 1.", "Good-bye."]
        heard = room.server.requests[0]
        assert TURN.tobytes() in heard.body
        assert b'name="language"\r\n\r\nde\r\n' in heard.body
        assert room.hearing.wanted.turn_end_ms == 650


def test_who_speaks_into_the_answer_ends_it_and_the_model_is_told_what_was_heard() -> None:
    answer = chat([f"This is {number}. " for number in range(1, 20)])
    with Room(["Count.", "Enough!"], [answer, chat(["Fine."])]) as room:
        room.hearing.says()
        room.wait_heard("This is 2.")
        room.hearing.says()
        told = room.wait_told(4)
        assert told[2] == ("user", "Enough!")
        heard = told[1][1]
        assert heard.startswith("This is 1. This is 2.")
        assert "19" not in heard
        assert isinstance(room.told[1], Utterance)
        assert not room.told[1].completed
        assert room.asked()[1] == [("user", "Count."), ("assistant", heard), ("user", "Enough!")]


def test_who_goes_on_before_the_answer_is_heard_has_said_one_thing() -> None:
    with Room(["What is", "the time?", ""], [chat(["It is 1."]), chat(["It is 2."])]) as room:
        room.hearing.speech(TURN[:0])
        room.hearing.on_turn(TURN)
        room.hearing.speech(TURN[:0])
        assert room.wait_told(1) == [("user", "What is")]
        assert room.talk.floor == "you"
        room.hearing.on_turn(TURN)
        assert room.wait_told(3)[2] == ("assistant", "It is 1.")
        assert room.asked() == [[("user", "What is\nthe time?")]]


def test_a_sound_without_words_is_no_turn_but_what_it_interrupted_is_asked_again() -> None:
    slow = chat(["It is 1."], header_delay_s=5.0)
    with Room(["", "Who is it?", ""], [slow, chat(["It is 2."])]) as room:
        room.hearing.says()
        room.server.wait_end(1)
        room.hearing.says()
        assert room.wait_told(1) == [("user", "Who is it?")]
        room.server.wait_request(3)  # the question
        room.hearing.says()  # a cough
        assert room.wait_told(2)[1] == ("assistant", "It is 2.")
        assert room.asked() == [[("user", "Who is it?")]] * 2


def test_what_fails_is_told_and_the_conversation_goes_on() -> None:
    busy = Script.error(500, {"error": "busy"})
    with Room([busy, "Hello?"], [busy, chat([]), chat(["It is 1."])]) as room:
        room.hearing.says()
        lost, failed = room.wait_told(2)
        assert "or type it" in lost
        assert "busy" in failed
        room.talk.type("Are you there?")
        assert "busy" in room.wait_told(4)[3]
        room.hearing.says()
        assert "answered nothing" in room.wait_told(6)[5]
        room.talk.type("Well?")
        assert room.wait_told(8)[7] == ("assistant", "It is 1.")
        assert room.asked()[2] == [("user", "Are you there?\nHello?\nWell?")]


def test_what_was_said_longest_ago_is_forgotten_once_it_is_too_much() -> None:
    with Room([], [chat([f"It is {number}."]) for number in range(3)]) as room:
        long = "and " * 5000
        for text in ("Who?", long, f"{long}so"):
            assert room.talk.type(text).wait(_WAIT_S)
        first = [("user", "Who?"), ("assistant", "It is 0."), ("user", long.strip())]
        assert room.asked()[1] == first
        assert room.asked()[2] == [("user", f"{long}so")]


def test_it_ends_at_once_or_once_all_is_answered() -> None:
    with Room([], [chat(["It is 1."]), chat(["It is 2."])]) as room:
        over = [room.talk.type("Who?"), room.talk.type("Who else?")]
        room.talk.end()
        assert room.talk.wait(_WAIT_S)
        assert all(each.is_set() for each in over)
        assert room.asked() == [[("user", "Who?\nWho else?")]]
        assert room.talk.messages[-1]["content"] == "It is 1."
    held = chat(["It is 1."], header_delay_s=_WAIT_S)
    with Room([], [held]) as room:
        room.talk.type("Who?")
        room.server.wait_request(1)


def test_without_somebody_who_writes_down_or_answers_there_is_no_conversation() -> None:
    for base, more, words in (
        ("embedded:", {}, "--chat-base-url"),
        ("embedded:", {"chat_base_url": "http://127.0.0.1:9/v1"}, "--transcribe-base-url"),
    ):
        with pytest.raises(voicestream.VoicestreamError, match=words) as raised:
            Talk(voicestream.Settings(base_url=base, **more), print)  # type: ignore[arg-type]
        assert raised.value.exit_code == 2
    with pytest.raises(voicestream.VoicestreamError, match="unencrypted"):
        voicestream.Settings(
            base_url="https://a.example/v1",
            api_key="secret-of-mine",
            transcribe_base_url="http://b.example/v1",
        )


def test_both_sides_are_kept_the_person_on_the_left(tmp_path: Path) -> None:
    from voicestream.output.save import Saver

    told: list[str] = []
    both = BothSides(Saver(str(tmp_path / "both.wav")), told.append)
    both.person(np.full(16_000, 1000, np.int16))
    both.voice(PcmFormat(24_000), np.full(24_000, 2000, np.int16).tobytes())
    both.voice(PcmFormat(48_000, 2), np.full(96_000, 3000, np.int16).tobytes())
    both.close()
    sides = np.frombuffer((tmp_path / "both.wav").read_bytes()[44:], "<i2").reshape(-1, 2)
    assert len(sides) == pytest.approx(3 * 24_000, abs=2400)
    assert not sides[:20_000, 1].any()
    assert not sides[26_000:, 0].any()
    assert np.abs(sides[10_000:20_000, 0] - 1000).max() < 10
    assert (sides[26_000:46_000, 1] == 2000).all()
    assert np.abs(sides[52_000:70_000, 1] - 3000).max() < 10
    assert told == []
