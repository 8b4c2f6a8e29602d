"""Code of the caller's own amid the speech: whatever it does, the speech ends and tells of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import voicestream
from tests.api.callers import (
    NULL,
    RAISES,
    SOUND,
    TEXT,
    WAIT_S,
    Mine,
    later,
    raising,
    say,
    with_members,
)
from tests.support.sound import samples_in
from voicestream import Event, Result, Settings
from voicestream.errors import UsageError
from voicestream.session.conductor import Session
from voicestream.speech.failover import ResilientEndpoint

pytestmark = pytest.mark.usefixtures("quick_null")


def stream(text: Any = TEXT, settings: Any = NULL, **more: Any) -> Result:
    speech = voicestream.speak_stream(text, settings, **({"endpoint": Mine()} | more))
    return asyncio.run(asyncio.wait_for(speech, WAIT_S))


BOTH = pytest.mark.parametrize("speak", [say, stream])


@BOTH
@pytest.mark.parametrize("kind", ["segment_queued", "first_byte", "playing", "end"])
def test_on_event_that_fails_is_a_warning(speak: Any, kind: str) -> None:
    def fail(event: Event) -> None:
        if event.kind == kind:
            raise ValueError("mine")

    result = speak(on_event=fail)
    assert result.completed
    assert result.snapshot.warnings == ("on_event failed: ValueError('mine')",)


@RAISES
def test_on_event_ends_no_thread_of_ours(error: BaseException) -> None:
    result = say(on_event=raising(error))
    assert result.completed
    assert result.snapshot.warnings == (f"on_event failed: {error!r}",)


@BOTH
def test_interrupt_callback_that_fails_is_a_warning(speak: Any) -> None:
    result = speak(interrupt_callback=raising(ValueError("mine")))
    assert result.completed
    assert result.snapshot.warnings == ("interrupt_callback failed: ValueError('mine')",)


@pytest.mark.parametrize("name", ["on_event", "interrupt_callback"])
@pytest.mark.parametrize("wrong", ["name", later])
@BOTH
def test_what_cannot_be_called_back_is_refused(speak: Any, name: str, wrong: Any) -> None:
    with pytest.raises(UsageError, match="plain function"):
        speak(**{name: wrong})


def test_the_result_can_be_had_when_told_of_the_end() -> None:
    found: list[Result] = []
    begun = threading.Event()

    def on_event(event: Event) -> None:
        if event.kind == "end" and begun.wait(WAIT_S):
            found.append(handle.result())

    handle = voicestream.start("Hello.", NULL, on_event, endpoint=Mine())
    begun.set()
    assert handle.wait(WAIT_S)
    assert found[0].completed


def test_on_event_cannot_wait_for_the_speech_that_waits_for_it() -> None:
    begun = threading.Event()

    def on_event(event: Event) -> None:
        if event.kind == "playing" and begun.wait(WAIT_S):
            handle.wait()

    handle = voicestream.start("Hello.", NULL, on_event, endpoint=Mine())
    begun.set()
    assert handle.wait(WAIT_S)
    assert "cannot wait" in handle.result().snapshot.warnings[0]


@RAISES
def test_a_text_that_ends_with_any_exception_is_not_taken_for_complete(
    error: BaseException,
) -> None:
    def broken() -> Iterator[str]:
        yield "This is the first of them. And "
        raise error

    result = say(broken())
    assert not result.completed
    assert result.errors[0].__cause__ is error


def test_a_text_whose_writer_was_cancelled_is_not_taken_for_complete() -> None:
    async def broken() -> AsyncIterator[str]:
        yield "This is the first of them. And "
        raise asyncio.CancelledError

    result = stream(broken())
    assert not result.completed
    assert isinstance(result.errors[0].__cause__, asyncio.CancelledError)


@pytest.mark.parametrize("piece", [5, b"bytes", None])
def test_a_piece_that_is_no_text_is_told(piece: Any) -> None:
    with pytest.raises(UsageError, match=f"{type(piece).__name__}, not str"):
        say([piece])


@pytest.mark.parametrize("wrong", [{"a": 1}, {"a"}, b"bytes", bytearray(b"b"), object()])
def test_what_is_no_text_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match=f"{type(wrong).__name__} is no text"):
        say(wrong)


def test_settings_and_places_to_save_of_a_wrong_kind_are_refused() -> None:
    with pytest.raises(UsageError, match=r"dict.*voicestream\.Settings"):
        say(settings={"device": "null"})
    with pytest.raises(UsageError, match="int is nothing to save to"):
        say(save=5)


def test_a_path_is_a_place_to_save_to(tmp_path: Path) -> None:
    assert say("Hello.", save=tmp_path / "x.wav").completed
    assert samples_in((tmp_path / "x.wav").read_bytes()) == SOUND


def test_a_beginning_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[ResilientEndpoint] = []
    monkeypatch.setattr(ResilientEndpoint, "close", lambda it: closed.append(it))
    settings = Settings(device="null", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(UsageError):
        voicestream.start("", settings)
    assert len(closed) == 1
    monkeypatch.setattr(Session, "start", raising(RuntimeError("no more threads")))
    with pytest.raises(RuntimeError):
        voicestream.start(TEXT, settings, save=tmp_path / "x.wav")
    assert len(closed) == 2
    assert list(tmp_path.iterdir()) == []


def test_whatever_interrupts_a_blocking_call_silences_it(monkeypatch: pytest.MonkeyPatch) -> None:
    aborted = threading.Event()
    endpoint = with_members(Mine, open=lambda *_: aborted.wait(), abort=lambda _: aborted.set())
    monkeypatch.setattr(voicestream.Handle, "result", raising(TimeoutError("an alarm")))
    with pytest.raises(TimeoutError):
        voicestream.say(TEXT, NULL, endpoint=endpoint)
    assert aborted.wait(WAIT_S)


def test_several_at_once_and_a_handle_after_its_end() -> None:
    results: list[Result] = []
    speakers = [threading.Thread(target=lambda: results.append(say())) for _ in range(3)]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join(WAIT_S)
    assert [result.completed for result in results] == [True] * 3
    handle = voicestream.start("Hello.", NULL, endpoint=Mine())
    assert handle.wait(WAIT_S)
    handle.interrupt()
    handle.stop()
    assert handle.wait(0)
    assert handle.result().completed
