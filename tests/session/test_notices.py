"""What wraps an endpoint or a sink keeps back nothing of what these have to say."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.session.fakes import LONG_S, FakeEndpoint, FakeSegments, tone_of
from voicestream.errors import ConnectionFailedError
from voicestream.metrics import Metrics
from voicestream.notices import Notices
from voicestream.output.lasting import LastingSink
from voicestream.output.null import NullSink
from voicestream.session.conductor import Session
from voicestream.session.result import Event
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest
from voicestream.speech.failover import ResilientEndpoint, Route
from voicestream.speech.retry import RetryPolicy


class Wrapper:
    """Passes on what the protocols name, and nothing else is known of it."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


class DyingSink(NullSink):
    """A device that is unplugged once it has played something."""

    def start(self, fill: Any) -> None:
        asked = threading.Event()

        def until_asked(frames: int, dac_time_s: float) -> bytes:
            asked.set()
            return fill(frames, dac_time_s)  # type: ignore[no-any-return]

        super().start(until_asked)
        assert asked.wait(LONG_S)
        self.stop(drain=False)


def refuse(_request: SpeechRequest) -> list[bytes]:
    raise ConnectionFailedError("gone")


def test_a_switch_is_told_through_a_wrapper() -> None:
    metrics = Metrics()
    events: list[Event] = []
    first, second = FakeEndpoint(refuse), FakeEndpoint(lambda _: [tone_of(0).tobytes()])
    routes = [Route("a", lambda: first), Route("b", lambda: second)]
    endpoint = ResilientEndpoint(routes, RetryPolicy(0), notices=metrics.notices)
    session = Session(
        Settings(base_url="http://a.test"),
        Wrapper(endpoint),
        FakeSegments(["One."]),
        NullSink(20.0),
        metrics=metrics,
        on_event=events.append,
    )
    session.start()
    assert session.wait(LONG_S)
    told = "a failed (gone); b speaks from here on"
    assert [event.text for event in events if event.kind == "warning"] == [told]
    assert session.snapshot().endpoint == "b"
    assert metrics.notices.stood_in


def test_a_lost_device_is_told_and_rewound_through_a_wrapper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    metrics = Metrics()
    rewound: list[float] = []
    unheard = metrics.notices.unheard
    monkeypatch.setattr(metrics.notices, "unheard", lambda s: (rewound.append(s), unheard(s)))
    events: list[Event] = []
    sinks = iter([DyingSink(), NullSink(20.0)])
    session = Session(
        Settings(base_url="http://a.test"),
        FakeEndpoint(lambda _: [tone_of(0, 24_000).tobytes()]),
        FakeSegments(["One."]),
        Wrapper(LastingSink(lambda: next(sinks), 5.0, metrics.notices)),
        metrics=metrics,
        on_event=events.append,
    )
    session.start()
    assert session.wait(LONG_S)
    told = [event.text for event in events if event.kind == "warning"]
    assert told == ["the audio device stopped; looking for another", "playing on"]
    assert len(rewound) == 1
    assert session.result().completed


def test_who_listens_late_hears_what_was_told_before() -> None:
    notices = Notices()
    notices.notify("one")
    told: list[str] = []
    notices.listen(told.append, ["two"])
    notices.notify_once("one")
    notices.hedged("three")
    notices.hedged("three")
    assert told == ["one", "two", "three"] == notices.warnings
    assert notices.hedges == 2


def test_a_reply_that_fails_at_once_ends_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The feeder may have ended before ``start`` goes on."""
    begin = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        begin(thread)
        if thread.name == "feeder":
            thread.join(LONG_S)

    monkeypatch.setattr(threading.Thread, "start", start)
    told: list[str] = []
    session = Session(
        Settings(base_url="http://a.test", retries=0),
        FakeEndpoint(refuse),
        FakeSegments(["Hi."]),
        NullSink(),
        None,
        Metrics(),
        lambda event: told.append(event.kind),
    )
    session.start()
    assert session.wait(LONG_S)
    assert [error.what for error in session.result().errors] == ["gone"]
    assert told[-1] == "end"
