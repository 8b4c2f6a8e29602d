"""Which replies are kept: those that are whole, sound, and of whom they seem to be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from voicestream.cache import Cache
from voicestream.errors import ConnectionFailedError, IncompleteReplyError
from voicestream.notices import Notices
from voicestream.session.caching import _identity, _is_faithful, cached
from voicestream.settings.table import Settings
from voicestream.speech.base import Endpoint, SpeechRequest, ends_of, is_cached, said_by, settle
from voicestream.speech.cached import CachedEndpoint, Keeping

REQUEST = SpeechRequest("Hello there.", "m", "v", "pcm")
SOUND = [b"ab" * 500, b"", b"cd" * 500]


class Stream:
    content_type = "audio/pcm; rate=16000"
    rate_hz = 16_000
    channels = 2
    sent_at_s = 3.0
    said: str | None = None
    ends = "2027-01-06"
    broken = False

    def __iter__(self) -> Iterator[bytes]:
        yield from SOUND
        if self.broken:
            raise IncompleteReplyError("it broke off")

    def close(self) -> None:
        return


class Asked:
    """Counts what it is asked for."""

    name = "http://here/v1"

    def __init__(self, **stream: Any) -> None:
        self.asked: list[SpeechRequest] = []
        self.closed = False
        self._stream = stream

    def open(self, request: SpeechRequest) -> Stream:
        self.asked.append(request)
        stream = Stream()
        for name, value in self._stream.items():
            setattr(stream, name, value)
        return stream

    def abort(self) -> None:
        return

    def close(self) -> None:
        self.closed = True


def endpoint(asked: Endpoint, folder: Path, **keeping: Any) -> CachedEndpoint:
    told: dict[str, Any] = {
        "identity": ("http://here/v1",),
        "short_chars": None,
        "may_keep": lambda: True,
        "is_faithful": _is_faithful,
    }
    return CachedEndpoint(
        lambda: asked, "here", Cache(1 << 20, folder), Keeping(**{**told, **keeping})
    )


def hear(speaker: CachedEndpoint, request: SpeechRequest = REQUEST, good: bool = True) -> bool:
    """One reply to its end; whether nobody was asked."""
    stream = speaker.open(request)
    sound = b"".join(stream)
    stream.close()
    settle(stream, good)
    assert sound == b"".join(SOUND)
    assert (stream.content_type, stream.rate_hz, stream.channels) == (
        *("audio/pcm; rate=16000", 16_000),
        2,
    )
    return is_cached(stream)


def test_a_whole_reply_is_asked_for_once(tmp_path: Path) -> None:
    asked = Asked()
    assert not hear(endpoint(asked, tmp_path))
    assert hear(endpoint(asked, tmp_path))
    assert asked.asked == [REQUEST]


def test_who_is_not_asked_is_not_made(tmp_path: Path) -> None:
    hear(endpoint(Asked(), tmp_path))

    def made() -> Endpoint:
        raise AssertionError("made")

    speaker = endpoint(Asked(), tmp_path)
    speaker._make = made
    assert hear(speaker)
    assert speaker.name == "here"
    speaker.abort()
    with pytest.raises(ConnectionFailedError):
        speaker.asked()


@pytest.mark.parametrize(
    "other",
    [
        *({"text": "Hello there!"}, {"model": "n"}, {"voice": "w"}, {"format": "mp3"}),
        *({"speed": 1.1}, {"instructions": "sadly"}, {"stream_format": "sse"}),
    ],
)
def test_whatever_shapes_the_sound_asks_anew(tmp_path: Path, other: dict[str, Any]) -> None:
    asked = Asked()
    hear(endpoint(asked, tmp_path))
    assert not hear(endpoint(asked, tmp_path), replace(REQUEST, **other))
    assert not hear(endpoint(asked, tmp_path, identity=("http://here/v1", {"lang": "e"})))


def test_a_reply_that_was_not_sound_is_not_kept(tmp_path: Path) -> None:
    asked = Asked()
    assert not hear(endpoint(asked, tmp_path), good=False)
    assert not list(tmp_path.iterdir())
    assert not hear(endpoint(asked, tmp_path))
    assert hear(endpoint(asked, tmp_path), good=False)  # kept, but it is no sound
    assert not hear(endpoint(asked, tmp_path))


def test_half_a_reply_is_not_kept(tmp_path: Path) -> None:
    broken = endpoint(Asked(broken=True), tmp_path).open(REQUEST)
    with pytest.raises(IncompleteReplyError):
        list(broken)
    left = endpoint(Asked(), tmp_path).open(REQUEST)
    next(iter(left))
    for stream in (broken, left):
        settle(stream, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("said", "kept"), [("Hello there", True), ("Hello dear", False), ("Hello", False)]
)
def test_other_words_are_not_kept(tmp_path: Path, said: str, kept: bool) -> None:
    asked = Asked(said=said)
    stream = endpoint(asked, tmp_path).open(REQUEST)
    assert (said_by(stream), ends_of(stream)) == (said, "2027-01-06")
    assert not hear(endpoint(asked, tmp_path))
    assert hear(endpoint(asked, tmp_path)) is kept


def test_another_endpoints_voice_is_not_kept(tmp_path: Path) -> None:
    asked = Asked()
    assert not hear(endpoint(asked, tmp_path, may_keep=lambda: False))
    elsewhere = replace(REQUEST, elsewhere=True)
    assert not hear(endpoint(asked, tmp_path), elsewhere)
    assert not hear(endpoint(asked, tmp_path))
    assert not hear(endpoint(asked, tmp_path), elsewhere)


def test_short_texts_are_kept_from_their_second_time_on(tmp_path: Path) -> None:
    asked = Asked()
    longer = replace(REQUEST, text=REQUEST.text + " And good-bye.")
    heard = [
        hear(endpoint(asked, tmp_path, short_chars=12), text) for text in 3 * [REQUEST, longer]
    ]
    assert heard == [False, False, False, False, True, False]
    assert [kept.about.text for kept in Cache(1 << 20, tmp_path).entries()] == [REQUEST.text]


@pytest.mark.parametrize(
    ("headers", "is_other"),
    [({"X-Style": "sad"}, True), ({"X-Api-Key": "abcdefgh"}, False), ({}, False)],
)
def test_headers_shape_the_sound_unless_they_carry_keys(
    headers: dict[str, str], is_other: bool
) -> None:
    plain = _identity(Settings(base_url="http://here/v1"))
    told = _identity(Settings(base_url="http://here/v1", extra_headers=json.dumps(headers)))
    assert (told != plain) is is_other
    assert "abcdefgh" not in str(told)


@pytest.mark.parametrize("told", ["nothing", "another spoke", "words left out"])
def test_what_is_told_of_a_reply_decides(
    told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicestream.cache.user_cache_folder", lambda _: tmp_path / "kept")
    notices = Notices()
    speaker = cached(Settings(base_url="http://here/v1", cache="on"), Asked, notices)
    notices.stood_in = told == "another spoke"
    notices.left_out(["мир"] if told == "words left out" else [])
    hear(speaker)
    assert hear(speaker) == (told == "nothing")
