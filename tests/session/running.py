"""A session that runs on fakes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.session.fakes import (
    LONG_S,
    FakeEndpoint,
    FakeSegments,
    Keeper,
    tone_of,
)
from voicestream.output.save import Saver
from voicestream.session.conductor import Session
from voicestream.session.result import Result
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest


def answer(request: SpeechRequest) -> Iterable[bytes]:
    body = tone_of(int(request.text)).tobytes()
    return [body[start : start + 777] for start in range(0, len(body), 777)]


def session(
    endpoint: FakeEndpoint, segments: FakeSegments, on_event: Any = None, **more: Any
) -> tuple[Session, Keeper]:
    keeper = Keeper()
    settings = Settings(
        base_url="http://fake", **({"trim": False, "normalize": False, "lookahead": 1} | more)
    )
    saver = Saver(keeper.written)
    return Session(settings, endpoint, segments, keeper, saver, on_event=on_event), keeper


def ended(running: Session) -> Result:
    assert running.wait(LONG_S)
    return running.result()


def texts(count: int) -> FakeSegments:
    return FakeSegments([str(number) for number in range(count)])


def failing(numbers: set[int], error: Exception) -> FakeEndpoint:
    def either(request: SpeechRequest) -> Iterable[bytes]:
        if int(request.text) in numbers:
            raise error
        return answer(request)

    return FakeEndpoint(either)
