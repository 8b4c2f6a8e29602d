"""Sessions whose Realtime endpoint says something else than it was asked to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.faults.stage import samples_of
from tests.support import tones
from tests.support.canary import KEY
from tests.support.realtime_events import Asked, Step, speak
from tests.support.realtime_server import RealtimeServer
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.errors import RewordedError
from voicestream.metrics import Metrics
from voicestream.output.null import NullSink
from voicestream.output.save import Saver
from voicestream.session.conductor import Session
from voicestream.session.result import Result
from voicestream.session.script import Script as Text
from voicestream.session.wiring import make_endpoint
from voicestream.settings.table import Settings

ONE = "The quick brown fox jumps over the lazy dog."
TWO = "It is 12 o'clock, and she doesn't know that the train has left."
THREE = "What is the capital of France, and who was its first king?"
TEXT = f"{ONE} {TWO} {THREE}"
REFUSAL = "I'm sorry, but I can't help you with that request today."

Behave = Callable[[Asked], Iterator[Step]]


def sound(text: str, seconds: float = 0.4) -> bytes:
    return tones.speech(text, seconds).tobytes()


def read(asked: Asked, **more: Any) -> Iterator[Step]:
    return speak(asked, sound(asked.text), **more)


def run(
    answer: Behave, folder: Path, *others: str, text: str = TEXT, **more: Any
) -> tuple[Result, np.ndarray[Any, Any], list[Asked]]:
    file = folder / "out.wav"
    fields: dict[str, Any] = {"retries": 2, "batch_above_s": 600, "batch_chars": 10, **more}
    # what comes later stays in its spool while the first is played
    fields |= {"max_buffer_s": 0.2, "playout": "fixed"}
    plain: dict[str, Any] = {"trim": False, "normalize": False}
    plain |= {f"pause_{kind}_ms": 0 for kind in ("clause", "sentence", "paragraph")}
    with RealtimeServer(answer) as server:
        settings = Settings(
            base_urls=",".join([server.url, *others]), api_key=KEY, **fields, **plain
        )
        metrics = Metrics()
        session = Session(
            settings,
            make_endpoint(settings, metrics.notices),
            Text(settings, text),
            NullSink(2.0),
            Saver(str(file)),
            metrics,
        )
        session.start()
        assert session.wait(30)
        result = session.result()
    return result, samples_of(file.read_bytes() if file.exists() else b""), server.asked


def heard(*texts: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(b"".join(map(sound, texts)), "<i2")


def test_what_is_read_rightly_is_not_spoken_of(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        said = asked.text.replace("12 o'clock", "twelve").replace("doesn't", "does not")
        return read(asked, words=said)

    result, saved, asked = run(answer, tmp_path, strict=True)
    assert result.completed
    assert result.to_dict()["reworded"] == []
    assert result.snapshot.warnings == ()
    assert np.array_equal(saved, heard(ONE, TWO, THREE))
    assert len(asked) == 3


@pytest.mark.parametrize("strict", [False, True])
def test_other_words_are_named_and_under_strict_an_error(strict: bool, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        return read(asked, words=asked.text.replace("quick", "slow"), words_late=True)

    result, saved, asked = run(answer, tmp_path, strict=strict)
    shown = json.loads(json.dumps(result.to_dict()))
    assert shown["reworded"] == [{"segment": 0, "wanted": "quick", "said": "slow"}]
    assert np.array_equal(saved, heard(ONE, TWO, THREE))  # it is heard all the same
    assert len(asked) == 3
    told = [str(error) for error in result.errors] if strict else list(result.snapshot.warnings)
    assert len(told) == 1
    assert 'said "slow" for "quick"' in told[0]
    assert result.completed is not strict
    assert [type(error) for error in result.errors] == ([RewordedError] if strict else [])
    assert all(error.exit_code == 3 for error in result.errors)
    assert [figures.status for figures in result.snapshot.segments] == ["done"] * 3


def refuse_once(asked: Asked) -> Iterator[Step]:
    """The third text is refused at first, before any sound of the refusal."""
    if asked.text == THREE and asked.attempt == 1:
        return speak(asked, sound("refusal", 2.0), words=REFUSAL, rate_bytes_per_s=2e4)
    return read(asked)


def test_something_else_is_asked_for_again_once_while_unheard(tmp_path: Path) -> None:
    result, saved, asked = run(refuse_once, tmp_path)
    assert result.completed
    assert np.array_equal(saved, heard(ONE, TWO, THREE))
    assert [it.attempt for it in asked if it.text == THREE] == [1, 2]
    (refused,) = (it for it in asked if it.text == THREE and it.attempt == 1)
    assert refused.cancelled_s is not None
    assert result.to_dict()["reworded"] == []
    assert [w for w in result.snapshot.warnings if "asked for again" in w]


def test_a_refusal_of_the_first_segment_is_not_heard_either(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        if asked.text == ONE and asked.attempt == 1:
            return speak(asked, sound("refusal"), words=REFUSAL)
        return read(asked)

    result, saved, _ = run(answer, tmp_path)
    assert result.completed
    assert np.array_equal(saved, heard(ONE, TWO, THREE))


def test_an_answer_that_shows_only_at_its_end_is_asked_for_again_too(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        if asked.text == THREE and asked.attempt == 1:
            said = f"{THREE} The capital of France is Paris, and its first king was Clovis."
            return speak(asked, sound("answer"), words=said, words_late=True)
        return read(asked, delay_s=0.0 if asked.text == THREE else 0.3)

    result, saved, _ = run(answer, tmp_path)
    assert result.completed
    assert np.array_equal(saved, heard(ONE, TWO, THREE))


def test_who_says_something_else_twice_is_heard_and_named(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        if asked.text == THREE:
            return speak(asked, sound("refusal"), words=REFUSAL)
        return read(asked)

    result, saved, asked = run(answer, tmp_path)
    assert [it.attempt for it in asked if it.text == THREE] == [1, 2]
    assert np.array_equal(saved, heard(ONE, TWO, "refusal"))
    [place] = result.to_dict()["reworded"]
    assert place["segment"] == 2
    assert place["said"].startswith("I'm sorry")


def test_the_next_endpoint_speaks_what_the_first_will_not(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        if asked.text == THREE:
            return speak(asked, sound("refusal"), words=REFUSAL)
        return read(asked)

    def other(request: Request) -> Script:
        return Script(sound(request.json["input"]))

    with ScriptedServer(other) as second:
        result, saved, asked = run(answer, tmp_path, second.url, hedge=False)
        assert [request.json["input"] for request in second.requests] == [THREE]
    assert [it.attempt for it in asked if it.text == THREE] == [1, 2]
    assert np.array_equal(saved, heard(ONE, TWO, THREE))
    assert result.completed
    assert result.to_dict()["reworded"] == []


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_what_was_not_said_is_asked_for(status: str, tmp_path: Path) -> None:
    first, rest = "It is 12 o'clock, and she", "doesn't know that the train has left."

    def answer(asked: Asked) -> Iterator[Step]:
        if asked.text == TWO:
            reason = "" if status == "completed" else "max_output_tokens"
            return speak(asked, sound(first), words=first, status=status, reason=reason)
        return read(asked)

    result, saved, asked = run(answer, tmp_path)
    assert result.completed, result.errors
    assert rest in [it.text for it in asked]
    assert np.array_equal(saved, heard(ONE, first, rest, THREE))
    assert result.to_dict()["reworded"] == []


def test_who_breaks_off_is_resumed_and_compared_as_a_whole(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        steps = list(read(asked, words=asked.text.replace("lazy", "sleepy")))
        if asked.attempt == 1 and asked.text == ONE:
            return iter([*steps[:-8], (0.0, "close")])
        return iter(steps)

    result, saved, _ = run(answer, tmp_path)
    assert np.array_equal(saved, heard(ONE, TWO, THREE))
    assert result.to_dict()["reworded"] == [{"segment": 0, "wanted": "lazy", "said": "sleepy"}]
