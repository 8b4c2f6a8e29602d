"""An endpoint of the caller's own: whatever it does, the speech ends and tells of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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
    Reply,
    later,
    raising,
    say,
    with_members,
)
from voicestream.errors import EndpointError, UsageError

pytestmark = pytest.mark.usefixtures("quick_null")

RELEASED = threading.Event()


@pytest.fixture(scope="module", autouse=True)
def _released() -> Iterator[None]:
    """Other tests count threads."""
    yield
    RELEASED.set()


def blocking(*_: Any) -> Any:
    RELEASED.wait()


@RAISES
@pytest.mark.parametrize("member", ["open", "__iter__"])
def test_an_endpoint_that_fails_is_an_error(error: BaseException, member: str) -> None:
    fails = raising(error)
    reply = with_members(Reply, __iter__=fails)
    broken = with_members(Mine, open=fails if member == "open" else lambda *_: reply)
    with pytest.raises(EndpointError) as told:
        say(endpoint=broken)
    assert told.value.__cause__ is error


@RAISES
@pytest.mark.parametrize("member", ["abort", "close", "close of a reply"])
def test_an_endpoint_that_fails_when_all_was_said_is_a_warning(
    error: BaseException, member: str
) -> None:
    fails = raising(error)
    reply = with_members(Reply, close=fails)
    of_reply: dict[str, Any] = {"open": lambda *_: reply}
    members = {member: fails} if member in ("abort", "close") else of_reply
    result = say(endpoint=with_members(Mine, **members))
    assert result.completed
    (warning,) = result.snapshot.warnings
    assert repr(error) in warning


@pytest.mark.parametrize("member", ["abort", "close"])
def test_an_endpoint_that_never_closes_is_not_waited_for(member: str) -> None:
    result = say(endpoint=with_members(Mine, **{member: blocking}))
    assert result.completed
    assert "takes longer" in result.snapshot.warnings[0]


def test_an_interrupt_is_quick_where_the_endpoint_hangs_in_everything() -> None:
    entered = threading.Event()

    def hang(*_: Any) -> Any:
        entered.set()
        blocking()

    hanging = with_members(Mine, open=hang, abort=blocking, close=blocking)
    handle = voicestream.start(TEXT, NULL, endpoint=hanging)
    assert entered.wait(WAIT_S)
    handle.interrupt()
    assert handle.wait(WAIT_S)
    assert not handle.result().completed


def test_open_is_enough() -> None:
    class OnlyOpen:
        def open(self, _request: Any) -> Any:
            return [SOUND, bytearray(SOUND), memoryview(SOUND)]

    result = say("Hello.", endpoint=OnlyOpen())
    assert (result.completed, result.snapshot.warnings) == (True, ())
    assert result.snapshot.endpoint == "OnlyOpen"
    assert result.snapshot.audio_s == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        (Mine, "Mine is a class.*Mine\\("),
        (object(), "object is no endpoint.*openai"),
        ("https://host/v1", "name was given beside settings.*Settings\\(endpoint="),
        (with_members(Mine, open=None), "no endpoint"),
        (with_members(Mine, open=later), "asynchronous"),
        (with_members(Mine, open=lambda _self: None), r"no open\(request\)"),
    ],
)
def test_what_is_no_endpoint_is_refused_before_anything_is_asked(endpoint: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        voicestream.start(TEXT, NULL, endpoint=endpoint)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (None, "NoneType"),
        (SOUND, "bytes"),
        (with_members(Reply, __iter__=lambda _: iter(["text"])), "gave str.*bytes"),
        (with_members(Reply, rate_hz="24000"), "rate_hz.*whole number"),
    ],
)
def test_what_is_no_reply_is_told(reply: Any, words: str) -> None:
    with pytest.raises(EndpointError, match=words):
        say("Hello.", endpoint=with_members(Mine, open=lambda *_: reply))
