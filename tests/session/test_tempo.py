"""Played faster or slower: what is heard, saved, counted and learnt; and a server that lags."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np
import pytest

from tests.session.fakes import LONG_S, FakeEndpoint, FakeSegments, Keeper, tone_of
from tests.support import tones
from tests.support.atempo import pitch_hz
from tests.support.encode import speech
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.metrics import Metrics
from voicestream.output.null import NullSink
from voicestream.output.save import Saver
from voicestream.pcm import PcmFormat, from_int16, to_int16
from voicestream.policy.history import Knowledge
from voicestream.policy.slowdown import LEAST
from voicestream.session.conductor import Session
from voicestream.session.pacing import Pacing
from voicestream.session.result import Result
from voicestream.session.wiring import make_endpoint
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest

RATE_HZ = tones.RATE_HZ
PCM = PcmFormat(RATE_HZ)
WINDOW_S = 0.025
LENGTH_S = 0.8


class Memory:
    """What is learnt, in a dictionary."""

    trouble = ""

    def __init__(self) -> None:
        self.kept: dict[str, Knowledge] = {}

    def load(self, endpoint: str) -> Knowledge:
        return self.kept.get(endpoint, Knowledge())

    def save(self, endpoint: str, knowledge: Knowledge) -> None:
        self.kept[endpoint] = knowledge


def answer(request: SpeechRequest) -> Iterable[bytes]:
    body = tones.speech(request.text, LENGTH_S, silence_s=0.1).tobytes()
    return [body[start : start + 3001] for start in range(0, len(body), 3001)]


def spoken(texts: list[str], **more: object) -> tuple[Result, Keeper]:
    keeper = Keeper()
    settings = Settings(**({"base_url": "http://fake", "pause_sentence_ms": 400} | more))  # type: ignore[arg-type]
    session = Session(
        settings,
        FakeEndpoint(answer),
        FakeSegments(texts),
        keeper,
        Saver(keeper.written),
    )
    session.start()
    assert session.wait(LONG_S)
    return session.result(), keeper


@pytest.mark.parametrize("tempo", [0.5, 1.5, 3.0])
def test_sound_and_pauses_take_so_much_less_and_sound_as_before(tempo: float) -> None:
    result, keeper = spoken(["1", "7", "13"], tempo=tempo)
    assert result.completed
    assert tones.heard_numbers(keeper.wanted) == [1, 7, 13]
    loud = np.flatnonzero(np.abs(keeper.wanted) > 300)
    heard_s = (loud[-1] - loud[0]) / RATE_HZ
    assert heard_s * tempo == pytest.approx(
        3 * LENGTH_S + 2 * 0.4, abs=4 * WINDOW_S * max(tempo, 1)
    )
    first = from_int16(keeper.wanted[loud[0] :][: round(0.9 * LENGTH_S / tempo * RATE_HZ), None])
    assert pitch_hz(first, RATE_HZ) == pytest.approx(450, rel=0.01)
    assert result.snapshot.stretched_s == 0


def test_figures_and_cues_count_what_is_heard() -> None:
    result, keeper = spoken(["1", "7"], tempo=2.0)
    seen = result.snapshot
    assert seen.written_frames == seen.played_frames == len(keeper.wanted)
    assert seen.audio_s == pytest.approx(len(keeper.wanted) / RATE_HZ)
    # a segment's own figure is what the endpoint sent
    assert [figures.audio_s for figures in seen.segments] == pytest.approx([LENGTH_S + 0.2] * 2)
    start = seen.cues[1].start_frame
    assert tones.heard_numbers(keeper.wanted[:start]) == [1]
    assert tones.heard_numbers(keeper.wanted[start:]) == [7]


def test_the_end_of_a_segment_does_not_wait_for_the_next_one() -> None:
    segments = FakeSegments(["1", "7"])
    segments.hangs_at = 1  # the writer pauses
    over = threading.Event()
    tone = tones.tone(1, LENGTH_S, loud_ends=True)
    keeper = Keeper()
    session = Session(
        Settings(base_url="http://fake", tempo=2.0, trim=False),
        FakeEndpoint(lambda _: [tone.tobytes()]),
        segments,
        keeper,
        Saver(keeper.written),
        on_event=lambda event: over.set() if event.kind == "segment_done" else None,
    )
    session.start()
    assert over.wait(LONG_S)
    assert np.array_equal(keeper.wanted[-10:], tone[-10:])
    session.interrupt()
    assert session.wait(LONG_S)


def test_the_very_last_sample_is_heard() -> None:
    quiet = np.full(7200, 5, np.int16)
    quiet[-24:] = 20

    def body(_: SpeechRequest) -> Iterable[bytes]:
        return [tones.tone(1, LENGTH_S).tobytes(), quiet.tobytes()]

    keeper = Keeper()
    session = Session(
        Settings(base_url="http://fake", tempo=3.0),
        FakeEndpoint(body),
        FakeSegments(["1"]),
        keeper,
        Saver(keeper.written),
    )
    session.start()
    assert session.wait(LONG_S)
    assert keeper.wanted[-1] == 20


def test_what_is_learnt_at_one_tempo_is_not_taken_for_another() -> None:
    memory = Memory()
    for tempo in (1.0, 2.0):
        metrics = Metrics()
        settings = Settings(base_url="http://fake", tempo=tempo)
        pacing = Pacing(settings, metrics, lambda: (40, True), memory)
        pacing.open(PCM, 0.016, 48_000)
        pacing.begin(0.0, False)
        metrics.timeline.mark("first_byte", 0.1)
        for number in range(4):
            pacing.arrived(speech(0.5 / tempo), 0.1 * number)
        pacing.keep()
    plain, fast = memory.kept
    assert "tempo 2" in fast
    # speech is as dense as before: it is the text that is shorter
    assert memory.kept[fast].seconds_per_char == memory.kept[plain].seconds_per_char == 0.05
    assert memory.kept[fast].rate == pytest.approx(memory.kept[plain].rate / 2, rel=0.01)


def test_stretch_leaves_what_is_in_time_as_it_is() -> None:
    def level(request: SpeechRequest) -> Iterable[bytes]:
        return [tone_of(int(request.text)).tobytes()]

    keeper = Keeper()
    settings = Settings(
        base_url="http://fake", underrun="stretch", trim=False, normalize=False, lookahead=1
    )
    session = Session(
        settings, FakeEndpoint(level), FakeSegments(["0", "1"]), keeper, Saver(keeper.written)
    )
    session.start()
    assert session.wait(LONG_S)
    assert np.array_equal(keeper.wanted, np.concatenate([tone_of(0), tone_of(1)]))
    assert session.result().to_dict()["stretched_s"] == 0


def test_a_server_that_lags_is_played_slower_within_limits() -> None:
    sound = to_int16(speech(2.0))
    script = Script(
        sound.tobytes(), first_byte_delay_s=0.05, rate_bytes_per_s=0.8 * 48_000, piece_bytes=1920
    )
    keeper = Keeper()
    with ScriptedServer(script) as server:
        settings = Settings(base_url=server.url, underrun="stretch", trim=False)
        session = Session(
            settings,
            make_endpoint(settings),
            FakeSegments(["As long as this may take."]),
            NullSink(),
            Saver(keeper.written),
        )
        session.start()
        assert session.wait(LONG_S)
    result = session.result()
    assert result.completed
    figures = result.to_dict()
    if not figures["underruns"]:  # no machine is too busy for a while
        assert "slower for a server that lags" in figures["buffer_health"]
    assert 0.5 < figures["stretched_s"] <= figures["audio_s"]
    assert 2.1 < figures["audio_s"] <= 2.0 / LEAST + WINDOW_S
    assert len(keeper.wanted) == result.snapshot.written_frames
    # the beginning, before anything was known of the server, and the end
    assert np.array_equal(keeper.wanted[:2400], sound[:2400, 0])
    assert keeper.wanted[-1] == pytest.approx(int(sound[-1, 0]), abs=40)
