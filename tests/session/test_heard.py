"""Who is told of words."""

from __future__ import annotations

import pytest

from tests.session.fakes import LONG_S, FakeEndpoint, FakeSegments, tone_of
from voicestream.session.conductor import Session
from voicestream.settings.table import Settings
from voicestream.testing import FakeSink


@pytest.mark.parametrize("words", [True, False])
def test_words_are_looked_for_only_where_somebody_is_told_of_them(words: bool) -> None:
    kinds: list[str] = []
    endpoint = FakeEndpoint(lambda _: [tone_of(1).tobytes()])
    running = Session(
        *(Settings(base_url="http://fake"), endpoint, FakeSegments(["1"]), FakeSink()),
        on_event=lambda event: kinds.append(event.kind),
        words=words,
    )
    running.start()
    assert running.wait(LONG_S)
    assert "segment_done" in kinds
    assert ("word" in kinds, "heard" in kinds) == (words, words)
