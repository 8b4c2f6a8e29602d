"""What is asked for next, by what came before."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

import voicestream.session.receiver
from tests.session.fakes import FakeEndpoint, FakeSegments
from tests.session.test_fetchers import fetchers, jobs_of
from voicestream.counters import RequestFigures, SegmentFigures
from voicestream.metrics import Metrics
from voicestream.notices import unheeded
from voicestream.session.feeder import Feeder
from voicestream.session.loudness import Loudness
from voicestream.session.requests import Requests
from voicestream.session.speech_request import lighter_may_follow
from voicestream.settings.table import Settings

AUTO = Settings(format="auto", base_url="http://127.0.0.1:9/v1")


@pytest.mark.parametrize(("backlog_bytes", "form"), [(0, "pcm"), (40_000, "mp3")])
def test_what_had_waited_for_its_reader_is_no_sign_of_a_fast_network(
    backlog_bytes: int, form: str
) -> None:
    now_s = time.monotonic()
    first = SegmentFigures(0, "So fast.", "pcm", now_s - 2, now_s - 1, now_s, 65_000)
    first.backlog_bytes, first.backlog_read_at_s = backlog_bytes, now_s - 1
    following = FakeSegments(["And on it goes."]).take(lambda: 0.0)
    assert following is not None
    requests = Requests(AUTO, RequestFigures(), unheeded, lambda: 0.0)
    assert requests(following, [first]).format == form


def test_only_the_first_reply_can_have_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voicestream.session.receiver, "_BACKLOG_S", 1e9)
    running = fetchers(FakeEndpoint(lambda _: [b"ab", b"cde"]), FakeSegments(["1", "2"]))
    running.start()
    backlogs = []
    for job in jobs_of(running):
        assert b"".join(job.spool) == b"abcde"
        backlogs.append(job.figures.backlog_bytes)
    assert backlogs == [5, 0]


def test_a_lighter_format_may_follow_the_widest_where_that_is_left_open() -> None:
    assert lighter_may_follow(AUTO, "pcm")
    assert not lighter_may_follow(AUTO, "mp3")
    assert not lighter_may_follow(Settings(format="pcm", base_url=AUTO.base_url), "pcm")


@pytest.mark.parametrize("complete", [False, True])
def test_a_request_held_back_is_no_pause_of_the_writer(complete: bool) -> None:
    idle: list[bool] = []
    fetchers: Any = SimpleNamespace(
        next_job=lambda: None, text_length=lambda: (9, complete), trailing_ms=0
    )
    playback: Any = SimpleNamespace(idle=idle.append, drain=lambda: None)
    pacing: Any = None
    loudness = Loudness(AUTO, "", kept=False)
    Feeder(fetchers, playback, pacing, Metrics(), AUTO, loudness, lambda *_: None).run()
    assert idle == [not complete, False]
