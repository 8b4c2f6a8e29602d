"""Speech with the times of its words, as Kokoro-FastAPI tells them: the word heard is exact."""

from __future__ import annotations

import base64
import bisect
import functools
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.said import assert_heard, assert_like, say, speak
from tests.session.stage import PERIOD, HandSink
from tests.support import sound
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.unit.test_words import SPOKEN
from voicestream.counters import Cue
from voicestream.errors import ReplyError
from voicestream.session.conductor import Session
from voicestream.session.script import Script as Text
from voicestream.session.wiring import make_endpoint
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest, TimedWord
from voicestream.speech.http.captions import CaptionLines
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.endpoint import HttpEndpoint
from voicestream.words import spoken_text

RATE_HZ = 24_000
RAMP = sound.ramp(1200)
ROUTE = "/dev/captioned_speech"
SENTENCE: dict[str, Any] = SPOKEN[0]
_QUIET = 0.003


@functools.cache
def voice() -> tuple[bytes, list[TimedWord]]:
    """The embedded voice's sound of ``SENTENCE``, and its words' times."""
    import hibari
    from hibari.g2p import G2P

    engine: Any = hibari.Hibari(voice="heart", g2p=G2P(british=False))
    (phonemes,) = engine.phonemize(SENTENCE["text"])
    samples = engine.from_ids(engine.ids(phonemes), 1.0, np.random.default_rng(0))
    first = int(np.flatnonzero(np.abs(samples) > _QUIET)[0])
    ends_s = [(first + until) / RATE_HZ for until in SENTENCE["until"]]
    begins_s = [first / RATE_HZ, *ends_s]
    words = list(zip(SENTENCE["text"].split(), begins_s, ends_s, strict=False))
    return (samples * 32767).astype("<i2").tobytes(), words


def line(data: bytes, words: object) -> bytes:
    fields = {"audio": base64.b64encode(data).decode(), "audio_format": "audio/pcm"}
    return json.dumps({**fields, "timestamps": words}, separators=(",", ":")).encode() + b"\n"


def told(words: list[TimedWord]) -> list[dict[str, Any]]:
    """Words as that server tells them, punctuation marks by themselves."""
    found = []
    for word, start_s, end_s in words:
        bare = word.rstrip(",.")
        found.append({"word": bare, "start_time": start_s, "end_time": end_s})
        if bare != word:
            found.append({"word": word[len(bare) :], "start_time": end_s, "end_time": end_s})
    return found


def captions(data: bytes, words: list[TimedWord], lines: int = 2) -> bytes:
    """A reply in so many lines, each with the words in its sound."""
    size = -(-len(data) // lines // 2) * 2
    ends_s = [min(at + size, len(data)) / 2 / RATE_HZ for at in range(0, len(data), size)]
    parts = []
    for number, end_s in enumerate(ends_s):
        from_s = ends_s[number - 1] if number else 0.0
        within = [word for word in words if from_s < word[2] <= end_s]
        parts.append(line(data[number * size : (number + 1) * size], told(within)))
    return b"".join(parts)


def script(body: bytes, **more: Any) -> Script:
    return Script(body, content_type="application/json", **more)


def heard_at_each_step(body: bytes, **more: Any) -> Iterator[tuple[int, str, Cue]]:
    """Play a reply by hand: the frames of speech that were heard, and what that is said to be."""
    with ScriptedServer(script(body, piece_bytes=(1, 999, 20_000))) as server:
        given: dict[str, Any] = {"first_chars": 4096, "max_buffer_s": 10, **more}
        settings = Settings(base_url=server.url, stream_format="captions", **given)
        sink, endpoint = HandSink(), make_endpoint(settings)
        session = Session(settings, endpoint, Text(settings, SENTENCE["text"]), sink)
        session.start()
        assert sink.started.wait(10)
        while not any(cue.end_frame for cue in session.metrics.feeder.cues):
            assert not session.wait(0.001)
        first = None
        while not session.wait(0):
            sink.pull(PERIOD)
            if first is None:
                loud = np.flatnonzero(np.abs(sink.heard) > _QUIET * 32768)
                first = int(loud[0]) if len(loud) else None
            frames, snapshot = session.metrics.play.played_frames, session.snapshot()
            if first is not None and frames < snapshot.cues[0].end_frame:
                yield frames - first, spoken_text(snapshot), snapshot.cues[0]
        assert [request.path for request in server.requests] == [ROUTE]


@pytest.mark.parametrize(("lines", "tempo"), [(1, 1.0), (3, 1.0), (3, 1.5)])
def test_the_word_that_is_heard_is_the_one_that_was_told(lines: int, tempo: float) -> None:
    steps = list(heard_at_each_step(captions(*voice(), lines=lines), tempo=tempo))
    assert len(steps) > SENTENCE["frames"] // PERIOD // tempo
    slack = 0 if tempo == 1.0 else RATE_HZ // 40  # the stretcher's window
    for frames, spoken, _ in steps:
        known = len(spoken.split())
        ends = [until / tempo for until in SENTENCE["until"]]
        first = bisect.bisect_right(ends, frames - slack)
        assert first <= known <= bisect.bisect_right(ends, frames + slack), frames


_BAD: dict[str, Any] = {
    "none": None,
    "no list": {"word": "The"},
    "empty": [],
    "other shapes": [None, 3, "The", {"word": "The"}, {"word": [], "start_time": {}}],
    "no numbers": [{"word": "The", "start_time": float("nan"), "end_time": float("inf")}] * 20,
    "other words": told([("Lorem", 0.1, 0.2), ("ipsum", 0.2, 0.3), ("dolor", 0.3, 0.4)]),
    "behind the end": told([(word, 1e6, 1e9) for word in SENTENCE["text"].split()]),
    "megabytes": told([("x" * 2_000_000, 0.1, 0.2)]),
    "thousands": told([("not", 0.1, 0.2)] * 20_000),
}


@pytest.mark.parametrize("words", _BAD.values(), ids=_BAD)
def test_times_that_are_of_no_use_are_not_used(words: object) -> None:
    """All of it is heard, and which word it is is estimated as it is elsewhere."""
    data, _ = voice()
    *_, (frames, spoken, cue) = heard_at_each_step(line(data, words))
    assert frames >= SENTENCE["frames"]
    assert not cue.word_ends
    assert len(spoken.split()) >= len(SENTENCE["until"]) - 1


WORDS: list[TimedWord] = [("Hi,", 0.0, 0.01), ('a "quoted" one', 0.01, 0.02), ("end", 0.02, 0.05)]


def read(pieces: list[bytes]) -> tuple[bytes, list[TimedWord]]:
    lines = CaptionLines()
    return b"".join(lines.read(iter(pieces))), lines.words


@given(lines=st.integers(1, 40), cuts=st.lists(st.integers(0), max_size=6), step=st.integers(1, 99))
def test_any_cut_gives_the_same_sound_and_the_same_words(
    lines: int, cuts: list[int], step: int
) -> None:
    body = captions(RAMP.tobytes(), WORDS, lines).replace(b'":', b'" : ')
    marks = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    expected = RAMP.tobytes(), [(it["word"], *list(it.values())[1:]) for it in told(WORDS)]
    assert read([body[a:b] for a, b in itertools.pairwise(marks)]) == expected
    assert read([body[at : at + step] for at in range(0, len(body), step)]) == expected


def test_a_reply_that_ends_amid_its_sound_goes_on_in_another(tmp_path: Path) -> None:
    whole = line(RAMP.tobytes(), told(WORDS))
    said = speak([script(whole[:1000]), script(whole)], tmp_path, "--stream-format", "captions")
    assert_heard(said, RAMP)


def test_any_format_comes_in_lines(tmp_path: Path) -> None:
    heard = sound.speechlike(0.3)
    body = captions(sound.mp3(heard), [], 3)
    arguments = "--stream-format", "captions", "--format", "mp3"
    assert_like(speak(script(body), tmp_path, *arguments), heard, 1152)


def test_sound_is_handed_on_before_its_line_is_whole() -> None:
    body = line(RAMP.tobytes(), told(WORDS))
    assert next(CaptionLines().read(iter([body[:1000], b"never asked for"])))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "out of memory"}}', "out of memory"),
        (b'{"detail": "no such voice"}\n', "no such voice"),
        (b'{"audio": "a"}', "base64"),
        (b"busy, try later", "try later"),
    ],
)
def test_what_is_no_speech_is_told(body: bytes, words: str) -> None:
    with ScriptedServer(script(body, framing="length")) as server:
        endpoint = HttpEndpoint(EndpointConfig(server.url))
        with pytest.raises(ReplyError, match=words):
            list(endpoint.open(SpeechRequest("Hi.", "m", "v", "pcm", stream_format="captions")))
        endpoint.close()


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_that_route_is_asked_at_the_usual_one(status: int, tmp_path: Path) -> None:
    """By the command, whose first request leaves before it is loaded; that is learnt once."""

    def answer(request: Request) -> Script:
        if request.path == ROUTE:
            return Script.error(status, {"detail": "Not Found"})
        return Script(RAMP.tobytes())

    said = say(answer, tmp_path, "--stream-format", "captions", text="Hi.\n\nThere.")
    assert said.run.errors == []
    paths = [request.path for request in said.requests]
    assert paths.count("/v1/audio/speech") == 2
    assert paths[0] == ROUTE
    assert paths.count(ROUTE) <= 2  # both may be on their way
    assert all("stream_format" not in request.json for request in said.requests)


def test_a_server_that_answers_with_plain_sound_is_heard(tmp_path: Path) -> None:
    assert_heard(say(Script(RAMP.tobytes()), tmp_path, "--stream-format", "captions"), RAMP)
